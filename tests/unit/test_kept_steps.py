"""Kept steps in plans: where they fall at a smaller scale, their ids, and who selects them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_models import resolved

from rlvr.core.errors import InputError
from rlvr.plan.adjusting import fit_generation, scaled_steps
from rlvr.plan.freshness import deciding_settings, find_differences, spec_content
from rlvr.plan.kept_steps import kept_ids, kept_rows, with_kept, with_rungs
from rlvr.plan.selection import candidates_of, select
from rlvr.plan.settings import LATER


@given(st.sets(st.integers(1, 2000), min_size=1, max_size=12), st.integers(12, 3000))
def test_kept_steps_stay_in_order_apart_and_within_the_run(printed, trained):
    wanted = " ".join(map(str, sorted(printed)))
    found = scaled_steps({"keep_steps": wanted, "max_steps": 2000}, trained, "here")
    steps = list(found.values())
    assert list(found) == sorted(printed) and steps == sorted(set(steps))
    assert steps[0] >= 1 and steps[-1] <= trained
    if trained >= 2000 * len(printed):
        assert all(abs(step - name * trained / 2000) <= 1 for name, step in found.items())


@pytest.mark.parametrize(
    ("wanted", "max_steps", "trained"), [("5", 0, 20), ("5 3", 10, 10), ("11", 10, 10), ("1 2 3", 10, 2)]
)
def test_impossible_steps_are_refused(wanted, max_steps, trained):
    with pytest.raises(InputError, match="keep_steps"):
        scaled_steps({"keep_steps": wanted, "max_steps": max_steps}, trained, "here")


def test_a_row_keeps_printed_steps_where_the_scale_has_them():
    spec = resolved({"keep_steps": "240 720", "max_steps": 1280})
    assert spec["keep_steps"] == [4, 11] and spec["max_steps"] == 20
    assert kept_ids("r", spec) == {"r_t240": 4, "r_t720": 11}


def test_a_run_without_the_new_keys_has_the_spec_of_before_and_is_not_stale():
    spec = spec_content(resolved())
    assert not {"keep_steps", "resampling_rounds", "truncated_completions", "rollout_weights"} & spec.keys()
    recorded = {name: value for name, value in deciding_settings(spec).items() if name not in LATER}
    assert find_differences(recorded, deciding_settings(spec)) == []
    changed = deciding_settings(resolved({"truncated_completions": "mask"}))
    assert find_differences(recorded, changed) == ["truncated_completions train (today mask)"]


def test_kept_steps_are_selected_only_by_their_step():
    rows = {"a": {"run_id": "a", "method": "lora", "model": "m"}, "b": {"run_id": "b", "method": "lora", "model": "m"}}
    specs = {"a": {"keep_steps": [4, 11], "printed": {"keep_steps": [240, 720]}}, "b": {"printed": {}}}
    assert kept_rows(rows, specs)["a_t720"] == {"run_id": "a_t720", "method": "lora", "model": "m", "step": 720}
    candidates = candidates_of(with_kept(rows, specs))
    assert select(candidates, [{"method": "lora"}]) == ("a", "b")
    assert select(candidates, [{"method": "lora"}, {"step": 240}]) == ("a_t240",)
    assert select(candidates, [{"step": [240, None]}]) == ("a", "b", "a_t240")
    assert with_kept(rows, {"a": {"printed": {}}, "b": {"printed": {}}}) == rows


def test_rungs_of_a_ladder_say_their_budget_and_seed():
    models = {"m-t50-p1": {"kind": "pretrained", "steps": 50, "seed": 1}, "m": {"kind": "pretrained", "steps": 800}}
    found = with_rungs({"a": {"model": "m-t50-p1"}, "b": {"model": "m"}}, models)
    assert [(row["pretrain_steps"], row["pretrain_seed"]) for row in found.values()] == [(50, 1), (None, None)]
    assert with_rungs({"b": {"model": "m"}}, models) == {"b": {"model": "m"}}


@given(st.integers(1, 2000), st.integers(1, 8), st.integers(2, 16), st.integers(16, 512))
def test_a_generation_fits_its_cap_in_whole_groups(completions, updates, group, cap):
    stated = {"completions_per_step": completions * group, "updates_per_generation": updates, "group_size": group}
    found = fit_generation(stated, cap)
    assert found % group == 0 and group <= found <= completions * group
    assert found * updates <= cap or found == group
    assert fit_generation(stated, None) == completions * group
