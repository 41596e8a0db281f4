"""``rlvr watch``: runs while they train, with their learning curves."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rlvr.cli.console import AsJson, err, examples, need, out, print_json_lines
from rlvr.core.escaping import visible
from rlvr.core.live import FINISHED, TRAINING, progress_line

if TYPE_CHECKING:
    from rlvr.report.learning_curves import LearningCurve

EXAMPLES = examples(
    "rlvr watch results/tiny",
    "rlvr watch results/pocket --every 30",
    "rlvr watch results/pocket --once --json",
)
COLUMNS = ("run", "step", "reward", "accuracy", "format", "tokens/s", "left")
TRAINING_STYLE = "bold"


def watch(
    results: Annotated[Path, typer.Argument(help="Folder of results of a scale.", metavar="results/SCALE")],
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Runs of a folder of results: steps, learning curves, speed and time left; a live table until all are finished.

    Needs no torch. With --json one object per run, with every logged step; it looks once.
    """
    need("tables", "pandas", "pandera")
    from rlvr.report.learning_curves import learning_curves

    if as_json:
        print_json_lines(curve.record() for curve in learning_curves(results))
        return
    if once or not err().is_terminal:
        out().print(page(learning_curves(results)))
        return
    with Live(page(learning_curves(results)), console=err(), auto_refresh=False) as live:
        while any(curve.state.status != FINISHED for curve in learning_curves(results)):
            time.sleep(every)
            live.update(page(learning_curves(results)), refresh=True)


def page(curves: "list[LearningCurve]") -> Group:
    """The table of the runs that have begun, and one line about all."""
    table = Table(*COLUMNS)
    for curve in curves:
        if curve.state.step:
            style = TRAINING_STYLE if curve.state.status == TRAINING else ""
            table.add_row(*(Text(visible(cell)) for cell in cells(curve)), style=style)
    return Group(table, Text(progress_line([curve.state for curve in curves])))


def cells(curve: "LearningCurve") -> list[str]:
    """The texts of a row, one for each of ``COLUMNS``: curves with the mean of the last steps behind them."""
    from rlvr.report.learning_curves import sparkline

    state = curve.state
    limits = {"reward": (None, None), "accuracy": (0.0, 1.0), "format": (None, None)}
    drawn = [
        f"{sparkline(curve.values[name], low=low, high=high)} {curve.latest(name):.3f}" if curve.values[name] else ""
        for name, (low, high) in limits.items()
    ]
    speed = "" if state.tokens_per_second is None else f"{state.tokens_per_second:.0f}"
    return [state.run_id, f"{state.step}/{state.steps or '?'}", *drawn, speed, curve.left]
