"""``rlvr watch``: the stages of a workflow at work, and runs while they train, with their learning curves."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rlvr.cli.console import AsJson, err, examples, need, out, print_json_lines
from rlvr.core.call_log import Follower
from rlvr.core.escaping import visible
from rlvr.core.live import FINISHED, TRAINING, progress_line
from rlvr.core.stages import Progress, follow, progress_of, stage_lines

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
    """Stages of the workflow with jobs done and time left; runs with steps, learning curves, speed and time left.

    A live table until all runs are finished and no call of Snakemake goes on. Needs no torch. With --json it looks
    once: one object per run, with every logged step, and a last one with the key "workflow", where there is a log.
    """
    need("tables", "pandas", "pandera")
    from rlvr.report.learning_curves import learning_curves

    calls = follow(results)
    if as_json:
        progress = look(calls)
        stages = [] if progress is None else [{"workflow": progress.record() | {"log": str(calls.path)}}]
        print_json_lines([*(curve.record() for curve in learning_curves(results)), *stages])
        return
    curves, progress = learning_curves(results), look(calls)
    if once or not err().is_terminal:
        out().print(page(curves, progress, calls))
        return
    with Live(page(curves, progress, calls), console=err(), auto_refresh=False) as live:
        while goes_on(curves, progress):
            time.sleep(every)
            curves, progress = learning_curves(results), look(calls)
            live.update(page(curves, progress, calls), refresh=True)


def look(calls: Follower) -> Progress | None:
    """How far the newest call of Snakemake is; ``None`` where no log tells."""
    call = calls.look()
    return None if call is None else progress_of(call)


def goes_on(curves: "list[LearningCurve]", progress: Progress | None) -> bool:
    """Whether there is more to come: runs that are not finished, or a call with jobs left that still writes its log."""
    called = progress is not None and progress.is_open and not progress.is_silent
    return called or any(curve.state.status != FINISHED for curve in curves)


def page(curves: "list[LearningCurve]", progress: Progress | None, calls: Follower) -> Group:
    """The stages of the call, the table of the runs that have begun, and one line about all runs."""
    missing = [f"No log of a call of Snakemake for {calls.results.name} in {calls.logs}: its stages are not known."]
    stages = missing if progress is None else stage_lines(progress)
    table = Table(*COLUMNS)
    for curve in curves:
        if curve.state.step:
            style = TRAINING_STYLE if curve.state.status == TRAINING else ""
            table.add_row(*(Text(visible(cell)) for cell in cells(curve)), style=style)
    runs = progress_line([curve.state for curve in curves])
    return Group(*(Text(visible(line)) for line in stages), table, Text(runs))


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
