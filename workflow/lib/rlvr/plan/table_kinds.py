"""Kinds of tables: of cells, of facts, of printed parameter counts, and of completions side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.options import option

CELLS, FACTS, COUNTS, SAMPLES = "table", "facts", "counts", "samples"


@dataclass(frozen=True)
class CellsOptions(FigureOptions):
    """A table of cells has no options: it is its labels, columns and rows."""

    cells = True


@dataclass(frozen=True)
class FactsOptions(FigureOptions):
    """A table of facts has none either: its lines stand in ``facts.yaml``."""


@dataclass(frozen=True)
class CountsOptions(FigureOptions):
    """Options of a table of printed parameter counts beside the counted ones."""

    study: str = option("study whose reported/parameters.csv it shows")

    def evidence(self) -> Mapping[str, Sequence[Any]]:
        """The counts at real size."""
        return {"counts": [self.study]}


@dataclass(frozen=True)
class Traced:
    """One run whose completions are shown; in ``outputs.yaml`` it is given as a condition, ``where``."""

    name: str = option("heading of its column")
    runs: tuple[str, ...] = option("run ids; written as `where`, a condition on the grid that one run meets")


@dataclass(frozen=True)
class SamplesOptions(FigureOptions):
    """Options of a table of completions of two runs to one problem."""

    benchmark: str = option("benchmark whose problems it chooses from")
    curves: tuple[Traced, ...] = option("the two runs", minItems=2, maxItems=2)
    characters: int = option("longest text that is shown whole", default=1200, minimum=100)

    def evidence(self) -> Mapping[str, Sequence[Any]]:
        """Completions and grades of both runs, and the problems."""
        keys = [(run_id, self.benchmark) for each in self.curves for run_id in each.runs]
        return {"samples": keys, "grades": keys, "problems": [self.benchmark]}


TABLE_KINDS: Mapping[str, type[FigureOptions]] = {
    CELLS: CellsOptions,
    FACTS: FactsOptions,
    COUNTS: CountsOptions,
    SAMPLES: SamplesOptions,
}
