"""Thresholds of difficulty and levels of strata must lie on the scale of a source."""

import dataclasses
import math
from pathlib import Path

import pytest
from bound_rows import ROOT, TINY

from rlvr.core.errors import InputError
from rlvr.data.readers import READERS
from rlvr.plan.ratings import check_asked, check_ratings, check_strata
from rlvr.plan.sources import load_registry

SOURCES = load_registry(ROOT / "data" / "sources.csv", READERS)
EVERY = (-math.inf, math.inf)


def checked(**changes):
    """Check a scale with one data set."""
    entry = {"sources": ["deepmath-103k"], "origin": "hub", "minimum_difficulty": None, "eval_problems": 0} | changes
    check_ratings({"datasets": {"one": entry}}, SOURCES, READERS, Path("s.yaml"))


def test_the_scale_as_it_is_is_accepted():
    check_ratings(TINY, SOURCES, READERS, Path("tiny.yaml"))


@pytest.mark.parametrize("asked", [1, 8.5, 10])
def test_a_threshold_on_the_scale_is_accepted(asked):
    checked(minimum_difficulty=asked)


@pytest.mark.parametrize("asked", [-1, 0.5, 10.5, 100])
def test_a_threshold_beyond_the_scale_is_refused(asked):
    with pytest.raises(InputError, match=r"'one', key 'minimum_difficulty': asks for .* rated 1 to 10"):
        checked(minimum_difficulty=asked)


def test_one_rated_source_of_several_is_enough():
    checked(sources=["aime-2025", "skywork-or1"], minimum_difficulty=16)
    with pytest.raises(InputError, match="no source is rated"):
        checked(sources=["aime-2025"], minimum_difficulty=1)


@pytest.mark.parametrize(("columns", "accepted"), [({"difficulty": "d"}, True), ({}, False)])
def test_columns_of_ones_own(columns, accepted):
    own = dataclasses.replace(SOURCES["math"], own={"columns": columns})
    scale = {"datasets": {"one": {"sources": ["mine"], "origin": "own", "minimum_difficulty": 1e6}}}
    if accepted:
        check_ratings(scale, {"mine": own}, READERS, Path("s.yaml"))
    else:
        with pytest.raises(InputError, match="no source is rated"):
            check_ratings(scale, {"mine": own}, READERS, Path("s.yaml"))


def test_any_of_several_scales_is_enough():
    check_asked(12, [(1, 5), None, (0, 16)], "here")
    check_asked(12, [EVERY], "here")
    with pytest.raises(InputError, match=r"here: asks for the difficulty 12. The sources are rated 1 to 5, 2 to 3"):
        check_asked(12, [(1, 5), (2, 3)], "here")


def test_a_sample_of_strata_draws_something_of_levels_that_differ():
    check_strata({"a": {"difficulty": 1, "problems": 0}, "b": {"difficulty": 2, "problems": 1}}, "here")
    with pytest.raises(InputError, match="no level has problems"):
        check_strata({"a": {"difficulty": 1, "problems": 0}}, "here")
    with pytest.raises(InputError, match="levels 'a' and 'b' have the same difficulty, 1"):
        check_strata({"a": {"difficulty": 1, "problems": 3}, "b": {"difficulty": 1.0, "problems": 1}}, "here")


def test_synthetic_rows_are_enough_for_what_is_held_out_and_drawn():
    made = {"origin": "synthetic", "synthetic_rows": 10, "sources": ["deepmath-103k", "math"]}
    checked(**made, eval_problems=20)
    checked(**made, eval_problems="all")
    with pytest.raises(InputError, match=r"key 'eval_problems': asks for 21 problems of 20 rows"):
        checked(**made, eval_problems=21)
    levels = {"a": {"difficulty": 1, "problems": 20}, "b": {"difficulty": 2, "problems": 1}}
    with pytest.raises(InputError, match=r"key 'strata\.levels': asks for 21 problems of 20 rows"):
        checked(**made, eval_problems=0, strata={"levels": levels})
