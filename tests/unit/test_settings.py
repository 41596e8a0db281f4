"""Binding a grid row to a scale, and reading the spec back."""

import pytest
from small_models import METHOD_CELLS, TINY, resolved, settings_of

from rlvr.core.errors import InputError
from rlvr.train.settings import TrainSettings


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
    assert resolved(METHOD_CELLS["quanta"])["dims"] == [4, 4, 4]
    assert resolved({**METHOD_CELLS["quanta"], "axes": 4})["dims"] == [4, 4, 2, 2]


@pytest.mark.parametrize(
    ("row", "train", "message"),
    [
        ({"rank": "12"}, {}, "rank 12 divided by 8"),
        ({"rank": "4"}, {}, "rank 4 divided by 8"),
        ({**METHOD_CELLS["quanta"], "axes": "5"}, {}, "no train.quanta_dims for 5"),
        ({"method": "vera"}, {}, "no train.learning_rate for vera"),
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


def test_a_spec_with_a_missing_key_is_refused_with_its_file():
    content = resolved() | {"study": "s"}
    del content["loss_type"]
    with pytest.raises(InputError, match=r"specs/r\.json: key 'loss_type' is missing"):
        TrainSettings.from_json(content, "specs/r.json")


@pytest.mark.parametrize("method", METHOD_CELLS)
def test_json_and_back(method):
    settings = settings_of(method)
    assert TrainSettings.from_json(settings.to_json()) == settings
