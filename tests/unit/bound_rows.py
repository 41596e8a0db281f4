"""Grid rows bound to the primary study's recipe and to a scale, without a grid file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlvr.adapters.methods import METHODS
from rlvr.bases.architectures import tiny_shapes
from rlvr.data.readers import READERS
from rlvr.plan.method import POSITIVE, SMALLEST
from rlvr.plan.program import Program, make_program
from rlvr.plan.recipe import resolve_settings
from rlvr.plan.scale import load_scale, scale_ranks
from rlvr.plan.study import Study, complete_recipe, load_study
from rlvr.plan.workspace import Vocabulary
from rlvr.prompts import TEMPLATES
from rlvr.report.figures import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / "workflow"
SCHEMAS, SCALES, STUDIES = WORKFLOW / "schemas", WORKFLOW / "scales", WORKFLOW / "studies"
PRIMARY = "structure-over-scale"
TINY = load_scale("tiny", SCALES, SCHEMAS)
WORDS = Vocabulary(METHODS, OPTIONS, TEMPLATES, READERS, tiny_shapes())  # as the Snakefile gives them
RECIPE = complete_recipe(PRIMARY, STUDIES, SCHEMAS)


def typed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as ``read_grid`` types it: texts of numbers as numbers, empty cells as ``None``."""
    kinds = {**dict.fromkeys((*SMALLEST, "seed", "completions_per_step", "overlong_buffer_tokens"), int)}
    kinds |= dict.fromkeys(POSITIVE, float)
    empty = (None, "")
    return {name: None if cell in empty else kinds.get(name, type(cell))(cell) for name, cell in row.items()}


def bind_row(row: Mapping[str, Any], scale: Mapping[str, Any] | None = None, **recipe: Any) -> dict[str, Any]:
    """The resolved settings of a row; ``recipe`` changes keys of the primary recipe."""
    bound = TINY if scale is None else scale
    cells = typed(row)
    ranks = scale_ranks([cells["rank"]] if cells.get("rank") else [], bound["factors"]["rank_divisor"])
    return resolve_settings(cells, {**RECIPE, **recipe}, bound, METHODS, ranks, "grid")


def load_program(scale: str = "tiny", tier: str = "core", studies: tuple[str, ...] = (PRIMARY,)) -> Program:
    """Studies of the repository bound to one of its scales."""
    loaded: list[Study] = [load_study(name, STUDIES, SCHEMAS, METHODS) for name in studies]
    return make_program(scale, load_scale(scale, SCALES, SCHEMAS), tier, loaded, METHODS)
