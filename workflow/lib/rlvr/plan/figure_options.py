"""Base class of the options by which every kind of figure declares itself."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rlvr.core.errors import InputError
from rlvr.plan.options import option

MOST_STEPS = 100_000  # of a training; more is a slip of the pen


@dataclass(frozen=True)
class FigureOptions:
    """Options of a figure, what stands under ``plot``; a kind adds fields made by :func:`rlvr.plan.options.option`.

    Attributes:
        cells: Whether the figure shows cells, and so has labels, columns and rows as a table has.
        overview: Whether it looks at every run, so that it gives no run a reason to be there.
    """

    cells: ClassVar[bool] = False
    overview: ClassVar[bool] = False

    def evidence(self) -> Mapping[str, Sequence[Any]]:
        """Keys of the files that it reads beside its cells, by kind of evidence.

        A key is a name (run id, model, data set), or a tuple of names where the kind of evidence has several wildcards.
        """
        return {}

    def series(self) -> Sequence[str]:
        """Keys of ``labels.csv`` that it draws."""
        return ()

    def columns(self) -> Collection[str]:
        """Keys of the columns of cells that it draws; each must be declared."""
        return ()

    def rows(self) -> Collection[str]:
        """Keys of the rows of cells that it names; each must be declared."""
        return ()

    def printed(self) -> Collection[str]:
        """Columns of printed numbers that it names; each must have one."""
        return ()

    def mistake(self) -> str:
        """What is wrong with options that do not fit each other, as a sentence; empty if nothing is."""
        return ""

    def lines(self) -> Sequence[str]:
        """Lines of its CSV (columns series, index, mean, runs) that a claim may read as curves."""
        return ()


@dataclass(frozen=True)
class Series:
    """Runs that are drawn alike; in ``outputs.yaml`` they are given as a condition, ``where``."""

    series: str = option("key of labels.csv")
    runs: tuple[str, ...] = option("run ids; written as `where`, a condition on the grid")


@dataclass(frozen=True)
class RunsOptions(FigureOptions):
    """Options of a figure that draws runs, in series.

    Attributes:
        reads: The kind of evidence that it reads of each run.
    """

    reads: ClassVar[str]

    curves: tuple[Series, ...] = option("runs of each series")

    def evidence(self) -> Mapping[str, Sequence[str]]:
        """Run ids of all series, under the kind of evidence."""
        return {self.reads: list(self.series_of())}

    def series(self) -> Sequence[str]:
        """One look per series."""
        return [curve.series for curve in self.curves]

    def series_of(self) -> dict[str, str]:
        """The series of each run."""
        return {run_id: curve.series for curve in self.curves for run_id in curve.runs}


def single_runs(curves: Sequence[Series]) -> dict[str, str]:
    """The series of each run, for figures that show one run per series.

    Raises:
        InputError: If a series has several runs.
    """
    for curve in curves:
        if len(curve.runs) > 1:
            problem = f"series '{curve.series}' selects {len(curve.runs)} runs: {', '.join(curve.runs)}."
            raise InputError("outputs.yaml", problem, "Narrow 'where' to one run.")
    return {curve.runs[0]: curve.series for curve in curves}
