"""A scale may be made for studies of its own; the configuration's choice among them counts, and no other."""

from pathlib import Path

import pytest

from rlvr.adapters.methods import METHODS
from rlvr.core.errors import InputError
from rlvr.plan.program import make_program
from rlvr.plan.scale import load_scale, select_studies
from rlvr.plan.study import load_study, study_names

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
STUDIES, SCALES, SCHEMAS = (WORKFLOW / name for name in ("studies", "scales", "schemas"))
KNOWN = ["one", "two", "three"]
OWN = {"studies": ["one", "two"]}


@pytest.mark.parametrize(
    ("asked", "scale", "selected"),
    [
        (["three", "one"], {}, ["three", "one"]),
        ([], {}, []),
        ([], OWN, []),  # data and bases alone
        (["three"], OWN, ["one", "two"]),
        (["three", "two"], OWN, ["two"]),
        (["two", "one"], OWN, ["two", "one"]),
    ],
)
def test_own_studies_take_the_place_of_others(asked, scale, selected):
    assert select_studies(asked, scale, Path("s.yaml"), KNOWN) == selected


def test_studies_that_are_not_there_are_refused_in_configuration_and_scale():
    with pytest.raises(InputError, match=r"config.yaml: study 'four' is not there. Known: one"):
        select_studies(["four"], OWN, Path("s.yaml"), KNOWN)
    with pytest.raises(InputError, match=r"s.yaml: study 'four' is not there"):
        select_studies(["one"], {"studies": ["four"]}, Path("s.yaml"), KNOWN)


@pytest.mark.parametrize("name", ["pocket", "pocket-real", "pocket-smoke"])
def test_scales_of_the_pocket_bind_its_study(name):
    scale = load_scale(name, SCALES, SCHEMAS)
    selected = select_studies(["structure-over-scale"], scale, SCALES / f"{name}.yaml", study_names(STUDIES))
    studies = [load_study(each, STUDIES, SCHEMAS, METHODS) for each in selected]
    program = make_program(name, scale, "core", studies, METHODS)
    assert list(program.studies) == ["pocket"] and len(program.rows) == 8
    steps = {spec["max_steps"] for spec in program.specs.values()}
    assert steps == ({2} if name == "pocket-smoke" else {16})
    # the long step and the short one of rank 128 differ in the rate alone, by the root of the ratio of the ranks
    fast, slow = (
        next(spec for run_id, spec in program.specs.items() if "lora-r128" in run_id and spec["learning_rate"] == rate)
        for rate in (5e-4, 1.25e-4)
    )
    assert fast["learning_rate"] / slow["learning_rate"] == (128 / 8) ** 0.5
    assert (fast["rank"], fast["alpha"]) == (slow["rank"], slow["alpha"]) == (128, 256.0)
