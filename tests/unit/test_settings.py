"""Binding a grid row to a scale, and reading the spec back."""

import pytest
import yaml
from bound_rows import RECIPE, TINY
from small_models import cells_of, resolved, settings_of

from rlvr.adapters.methods import METHODS
from rlvr.core.errors import InputError
from rlvr.plan.method import SETTINGS
from rlvr.plan.reward_rules import RewardRule
from rlvr.plan.settings import TrainSettings


def test_rank_and_alpha_are_divided_and_the_rest_is_looked_up():
    found = resolved()
    assert (found["rank"], found["alpha"], found["dims"]) == (2, 4.0, None)
    assert found["learning_rate"] == pytest.approx(1e-5 * 1000, rel=1e-12)
    assert resolved(cells_of("full"))["learning_rate"] == pytest.approx(1e-5 * 30, rel=1e-12)
    assert found["schedule"] == "cosine" and found["completions_per_step"] == 64
    assert found["template"] == TINY["template"] and found["seed"] == 42
    assert found["printed"] == {"model": "qwen3-8b", "rank": 16, "alpha": 32.0}
    assert not {"rank_divisor", "quanta_dims", "tier", "axes"} & found.keys()


def test_scale_takes_precedence_over_the_recipe_and_a_row_over_both():
    assert RECIPE["base_dtype"] == "bfloat16" and resolved()["base_dtype"] == "float32"
    assert resolved({"base_dtype": "bfloat16"})["base_dtype"] == "bfloat16"


def test_caps_hold_what_the_recipe_or_a_row_asks_for():
    assert (
        resolved()["max_completion_tokens"] == TINY["caps"]["max_completion_tokens"] < RECIPE["max_completion_tokens"]
    )
    assert resolved(max_steps=1024)["max_steps"] == TINY["caps"]["max_steps"]
    assert resolved(max_steps=0)["max_steps"] == 0 and resolved(max_steps=7)["max_steps"] == 7


def test_a_row_sets_any_key_of_the_recipe():
    found = resolved({"schedule": "constant", "completions_per_step": "256", "loss_type": "dapo", "kl_beta": 0.1})
    assert (found["schedule"], found["loss_type"], found["kl_beta"]) == ("constant", "dapo", 0.1)
    settings = TrainSettings.from_json(found)
    assert settings.prompts_per_step == 32 and settings.accumulation_steps(processes=2) == 2
    assert resolved({"learning_rate": 2e-5})["learning_rate"] == 0.02


def test_micro_batches_tile_every_batch():
    assert resolved({"completions_per_step": 32})["micro_batch_completions"] == 32
    assert resolved({"completions_per_step": 96})["micro_batch_completions"] == 48
    assert resolved({"completions_per_step": 256})["micro_batch_completions"] == 64


def test_axes_choose_the_dims():
    assert resolved(cells_of("quanta"))["dims"] == [4, 4, 4]
    assert resolved({**cells_of("quanta"), "axes": 4})["dims"] == [4, 4, 2, 2]


@pytest.mark.parametrize(
    ("row", "recipe", "message"),
    [
        ({**cells_of("quanta"), "axes": "5"}, {}, "no quanta_dims for 5"),
        ({}, {"learning_rate": {"quanta": 1.0}}, "no rate for the family"),
        ({"schedule": "linear"}, {}, "schedule is 'linear'.*cosine, constant"),
        ({"completions_per_step": "60"}, {}, "60 is not a multiple of group_size 8"),
        ({}, {"group_size": 1}, "group_size is 1: a completion is compared with the others"),
        (
            {"completions_per_step": "256"},
            {"loss_type": "bnpo"},
            r"'bnpo' averages over .* 64 of the 256 completions",
        ),
        ({}, {"clip_epsilon": 0.3}, "clip_epsilon_high 0.2 is below clip_epsilon 0.3"),
        ({**cells_of("full"), "dropout": 0.1}, {}, "method 'full' has no dropout"),
        ({}, {"kl_betta": 0.1}, "unknown key 'kl_betta'"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_row(row, recipe, message):
    with pytest.raises(InputError, match=rf"grid, run 'r': .*{message}"):
        resolved(row, **recipe)


def test_a_mean_over_one_micro_batch_is_that_of_a_step_where_there_is_one():
    assert resolved(loss_type="bnpo")["micro_batch_completions"] == 64
    with pytest.raises(InputError, match=r"'bnpo' averages over .* 32 of the 64 completions"):
        resolved(loss_type="bnpo", settings={"devices": 2})


def test_more_devices_than_completions_are_refused():
    with pytest.raises(InputError, match="64 is not a multiple of micro_batch_completions x devices 128"):
        resolved(settings={"devices": 128})


def test_settings_of_few_methods_are_in_the_specs_of_these_only():
    assert resolved(cells_of("lora-plus"))["rate_ratio"] == 4.0
    found = resolved(cells_of("boft"))
    assert (found["block_size"], found["butterfly_factors"]) == (4, 2)
    assert not {"rate_ratio", "block_size", "butterfly_factors"} & resolved().keys()


def test_the_grid_has_a_column_for_every_setting_of_a_method(pytestconfig):
    columns = yaml.safe_load((pytestconfig.rootpath / "workflow/schemas/grid.schema.yaml").read_text())["properties"]
    assert set(SETTINGS) <= columns.keys()


def test_every_method_gets_a_rate_from_the_primary_recipe():
    for method in METHODS:
        assert resolved(cells_of(method))["learning_rate"] > 0, method


def test_a_spec_with_a_missing_key_is_refused_with_its_file():
    content = resolved()
    del content["loss_type"]
    with pytest.raises(InputError, match=r"specs/r\.json: key 'loss_type' is missing"):
        TrainSettings.from_json(content, "specs/r.json")


@pytest.mark.parametrize("method", METHODS)
def test_json_and_back(method):
    settings = settings_of(method)
    assert TrainSettings.from_json(settings.to_json()) == settings


def test_a_grid_row_or_the_scale_names_the_reward():
    assert settings_of("lora").reward_rule == RewardRule("as-printed", TINY["caps"]["max_completion_tokens"], 0)
    row = TrainSettings.from_json(resolved({"reward": "signed", "overlong_buffer_tokens": "1024"}))
    assert row.reward_rule == RewardRule("signed", TINY["caps"]["max_completion_tokens"], 3)  # 1,024 of 7,168, of 24
    scale = TrainSettings.from_json(resolved(reward="binary"))
    assert scale.reward_rule.kind == "binary" and scale.to_json()["reward"] == "binary"
    with pytest.raises(InputError, match="reward is 'huge'"):
        resolved({"reward": "huge"})
    with pytest.raises(InputError, match=r"grid, run '.*', overlong_buffer_tokens: 27 tokens are more"):
        resolved({"reward": "signed", "overlong_buffer_tokens": "8192"})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("max_steps", "many", "a whole number"),
        ("max_steps", True, "a whole number"),
        ("max_steps", 2.5, "a whole number"),
        ("learning_rate", "1e-5", "a number"),
        ("alpha", [1], "a number or null"),
        ("model", None, "a text"),
        ("gradient_checkpointing", 1, "true or false"),
        ("keep_steps", [1, "2"], "a list of whole numbers"),
        ("dims", 8, "a list of whole numbers or null"),
        ("printed", "r = 8", "an object"),
    ],
)
def test_a_value_of_another_type_is_named_with_what_was_expected(name, value, expected):
    content = settings_of("lora").to_json()
    assert TrainSettings.from_json(content | {"alpha": 64, "rank": 8}).alpha == 64
    with pytest.raises(InputError, match=rf"{name} is .*Expected {expected}\.$"):
        TrainSettings.from_json(content | {name: value})


@pytest.mark.parametrize("content", [[], "text", None, 3])
def test_settings_that_are_no_object_are_refused(content):
    with pytest.raises(InputError, match="is no object"):
        TrainSettings.from_json(content)
