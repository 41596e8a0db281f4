"""Learning curves of the runs of a folder of results, of finished ones and of those that train, as rows of text."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.core.errors import InputError
from rlvr.core.live import LIVE_METRICS, RunState, duration, read_states

if TYPE_CHECKING:
    import pandas as pd

SHADES = "▁▂▃▄▅▆▇█"
WIDTH = 24  # characters of a curve
SHOWN = ("reward", "accuracy", "format")
LAST = 3  # steps whose mean stands for the present


@dataclass(frozen=True)
class LearningCurve:
    """How far a run is and what it has learnt.

    Attributes:
        state: How far it is.
        values: Per metric of ``SHOWN`` the values of all steps that logged it; empty where none did.
    """

    state: RunState
    values: dict[str, list[float]]

    @property
    def left(self) -> str:
        """Time that is left at the pace of the run; empty for one that does not train."""
        if self.state.step_seconds is None or self.state.steps is None:
            return ""
        return duration(self.state.step_seconds * (self.state.steps - self.state.step))

    def latest(self, metric: str) -> float | None:
        """Mean of a metric over the last steps; ``None`` where no step logged it."""
        last = self.values[metric][-LAST:]
        return sum(last) / len(last) if last else None

    def record(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self.state) | {"time_left": self.left} | self.values


def learning_curves(results: str | Path, run_ids: Iterable[str] | None = None) -> list[LearningCurve]:
    """The runs of a folder of results, in the order of their ids.

    Args:
        results: ``results/<scale>``.
        run_ids: Which; by default every run that has a spec.

    Raises:
        InputError: If the folder holds no spec, or a table cannot be read.
    """
    states = read_states(results, run_ids)
    if not states:
        raise InputError(results, "holds no specs of runs.", "Name a folder results/<scale> in which runs train.")
    return [LearningCurve(state, read_values(Path(results) / "train" / state.run_id)) for state in states]


def read_values(run: Path) -> dict[str, list[float]]:
    """Per metric the values of the steps that a run has logged: of a finished one all, of another those so far."""
    from rlvr.core.io import read_table
    from rlvr.tables import METRICS

    for name in ("metrics.parquet", LIVE_METRICS):
        if (run / name).is_file():
            return values_of(read_table(run / name, METRICS).sort_values("step"))
    return {metric: [] for metric in SHOWN}


def values_of(metrics: "pd.DataFrame") -> dict[str, list[float]]:
    """The columns that are shown, as lists; steps that did not log a metric, as those of supervision, are left out."""
    return {metric: [float(value) for value in metrics[metric].dropna()] for metric in SHOWN}


def sparkline(values: Sequence[float], width: int = WIDTH, low: float | None = None, high: float | None = None) -> str:
    """A curve in one line of text: means over equal parts of its steps, from the lowest shade to the highest.

    Args:
        values: In order; fewer than ``width`` of them make a shorter line.
        width: Most characters.
        low: What the lowest shade stands for; the smallest mean by default.
        high: What the highest shade stands for; the largest mean by default.

    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7])
    '▁▂▃▄▅▆▇█'
    """
    if not values:
        return ""
    count = min(width, len(values))
    cuts = [round(index * len(values) / count) for index in range(count + 1)]
    means = [sum(values[start:stop]) / (stop - start) for start, stop in pairwise(cuts)]
    low, high = min(means) if low is None else low, max(means) if high is None else high
    if high <= low:
        return SHADES[0] * count
    places = [(mean - low) / (high - low) * (len(SHADES) - 1) for mean in means]
    return "".join(SHADES[min(max(round(place), 0), len(SHADES) - 1)] for place in places)
