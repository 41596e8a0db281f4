"""Kinds of tables: of cells, with words or pairs beside them; of facts, printed counts, completions, predictors."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.options import option
from rlvr.plan.predictors import PredictorOptions

CELLS, FACTS, COUNTS, SAMPLES, CRITERIA, SEPARATION = "table", "facts", "counts", "samples", "criteria", "separation"
PREDICTORS = "predictors"


@dataclass(frozen=True)
class CellsOptions(FigureOptions):
    """A table of cells has no options: it is its labels, columns and rows."""

    cells: ClassVar[bool] = True


@dataclass(frozen=True)
class FactsOptions(FigureOptions):
    """A table of facts has none either: its lines stand in ``facts.yaml``."""

    overview: ClassVar[bool] = True


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


@dataclass(frozen=True)
class Criterion:
    """One column of words that follow from the cells of a table by a stated rule."""

    key: str = option("name in files, snake_case; the column of printed marks", pattern="^[a-z][a-z0-9_]*$")
    header: str = option("heading of its column")
    column: str | None = option("column of cells whose value is compared", default=None)
    above: str | None = option("key of the row whose value it must exceed", default=None)
    largest_of: tuple[str, ...] | None = option("columns of which it names the largest", default=None)
    mean_of_printed: tuple[str, ...] | None = option("printed columns of which it shows the mean", default=None)

    @property
    def forms(self) -> int:
        """How many of the three rules it states: `column` with `above`, `largest_of`, `mean_of_printed`."""
        return sum(map(bool, (self.column or self.above, self.largest_of, self.mean_of_printed)))


@dataclass(frozen=True)
class CriteriaOptions(FigureOptions):
    """Options of a table of cells and of words that follow from them."""

    cells: ClassVar[bool] = True
    criteria: tuple[Criterion, ...] = option("columns of words, right of the cells")

    def columns(self) -> Collection[str]:
        """Every column of cells that a criterion looks at."""
        compared = [each.column for each in self.criteria if each.column]
        return [*compared, *(key for each in self.criteria for key in each.largest_of or ())]

    def rows(self) -> Collection[str]:
        """Every row that others are compared with."""
        return [each.above for each in self.criteria if each.above]

    def printed(self) -> Collection[str]:
        """Every printed column that goes into a mean."""
        return [key for each in self.criteria for key in each.mean_of_printed or ()]

    def mistake(self) -> str:
        """A criterion without its rule, with half of one or with two, or a key that another one has."""
        keys = [each.key for each in self.criteria]
        for each in self.criteria:
            if each.forms != 1 or bool(each.column) != bool(each.above):
                return f"criterion '{each.key}' needs 'column' and 'above', 'largest_of' or 'mean_of_printed'."
            if keys.count(each.key) > 1:
                return f"criterion '{each.key}' appears twice."
        return ""


@dataclass(frozen=True)
class SeparationOptions(FigureOptions):
    """Options of a table of cells and of which of its rows differ by more than chance, every two of them."""

    cells: ClassVar[bool] = True
    column: str = option("column of cells whose rows are compared")

    def columns(self) -> Collection[str]:
        """The column that is compared."""
        return [self.column]


TABLE_KINDS: Mapping[str, type[FigureOptions]] = {
    CELLS: CellsOptions,
    FACTS: FactsOptions,
    COUNTS: CountsOptions,
    SAMPLES: SamplesOptions,
    CRITERIA: CriteriaOptions,
    SEPARATION: SeparationOptions,
    PREDICTORS: PredictorOptions,
}
