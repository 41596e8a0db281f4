"""Binding a grid row to a scale, and reading the spec back."""

import pytest
import yaml
from small_models import TINY, cells_of, resolved, settings_of

from rlvr.adapters.methods import METHODS
from rlvr.core.errors import InputError
from rlvr.plan.method import SETTINGS
from rlvr.plan.reward_rules import RewardRule
from rlvr.plan.settings import TrainSettings


def test_rank_and_alpha_are_divided_and_the_rest_is_looked_up():
    found = resolved(rank_divisor=8)
    assert (found["rank"], found["alpha"], found["dims"]) == (2, 4.0, None)
    assert found["learning_rate"] == TINY["train"]["learning_rate"]["lora"]
    assert found["schedule"] == "cosine" and found["completions_per_step"] == 64
    assert found["template"] == TINY["template"] and found["seed"] == 42
    assert not {"rank_divisor", "quanta_dims", "tier", "axes"} & found.keys()


def test_a_row_overrides_schedule_and_batch():
    found = resolved({"schedule": "constant", "completions_per_step": "256"})
    assert found["schedule"] == "constant" and found["completions_per_step"] == 256
    settings = TrainSettings.from_json(found | {"study": "s"})
    assert settings.prompts_per_step == 32 and settings.accumulation_steps(processes=2) == 2


def test_axes_choose_the_dims():
    assert resolved(cells_of("quanta"))["dims"] == [4, 4, 4]
    assert resolved({**cells_of("quanta"), "axes": 4})["dims"] == [4, 4, 2, 2]


@pytest.mark.parametrize(
    ("row", "train", "message"),
    [
        ({"rank": "12"}, {}, "rank 12 divided by 8"),
        ({"rank": "4"}, {}, "rank 4 divided by 8"),
        ({**cells_of("quanta"), "axes": "5"}, {}, "no train.quanta_dims for 5"),
        ({}, {"learning_rate": {"dora": 1.0}}, "no train.learning_rate for lora"),
        ({"schedule": "linear"}, {}, "schedule is 'linear'.*cosine, constant"),
        ({"completions_per_step": "60"}, {}, "60 is not a multiple of group_size 8"),
        ({"completions_per_step": "96"}, {}, "96 is not a multiple of micro_batch_completions x devices 64"),
        ({}, {"devices": 4}, "64 is not a multiple of micro_batch_completions x devices 256"),
        ({}, {"kl_betta": 0.1}, "unknown key 'kl_betta'"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_row(row, train, message):
    with pytest.raises(InputError, match=rf"grid, run 'r': .*{message}"):
        resolved(row, **train)


def test_settings_of_few_methods_are_in_the_specs_of_these_only():
    assert resolved(cells_of("lora-plus"), rank_divisor=1)["rate_ratio"] == 4.0
    found = resolved(cells_of("boft"))
    assert (found["block_size"], found["butterfly_factors"]) == (4, 2)
    assert not {"rate_ratio", "block_size", "butterfly_factors"} & resolved().keys()


def test_every_method_of_the_registry_has_a_rate_in_every_scale_and_its_settings_in_the_grid(pytestconfig):
    workflow = pytestconfig.rootpath / "workflow"
    for path in (workflow / "scales").glob("*.yaml"):
        assert set(METHODS) <= yaml.safe_load(path.read_text())["train"]["learning_rate"].keys(), path
    columns = yaml.safe_load((workflow / "schemas/grid.schema.yaml").read_text())["properties"]
    assert set(SETTINGS) <= columns.keys()


def test_a_spec_with_a_missing_key_is_refused_with_its_file():
    content = resolved() | {"study": "s"}
    del content["loss_type"]
    with pytest.raises(InputError, match=r"specs/r\.json: key 'loss_type' is missing"):
        TrainSettings.from_json(content, "specs/r.json")


@pytest.mark.parametrize("method", METHODS)
def test_json_and_back(method):
    settings = settings_of(method)
    assert TrainSettings.from_json(settings.to_json()) == settings


def test_a_grid_row_or_the_scale_names_the_reward():
    assert settings_of("lora").reward_rule == RewardRule("shaped", TINY["train"]["max_completion_tokens"], 0)
    row = TrainSettings.from_json({"study": "s", **resolved({"reward": "signed", "overlong_buffer_tokens": "4"})})
    assert row.reward_rule == RewardRule("signed", TINY["train"]["max_completion_tokens"], 4)
    scale = TrainSettings.from_json({"study": "s", **resolved(reward="binary")})
    assert scale.reward_rule.kind == "binary" and scale.to_json()["reward"] == "binary"
    with pytest.raises(InputError, match="reward is 'huge'"):
        resolved({"reward": "huge"})
    with pytest.raises(InputError, match=r"grid, run '.*', overlong_buffer_tokens: 4096 tokens are more"):
        resolved({"reward": "signed", "overlong_buffer_tokens": "4096"})
