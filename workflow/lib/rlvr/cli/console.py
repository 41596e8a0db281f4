"""Shared by the commands: what they print where, progress, packages that have to be there.

Results go to standard output, everything else (progress, summaries, errors) to standard error, so that a pipe carries
results alone.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from rlvr.core.errors import InputError
from rlvr.core.escaping import visible

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output: JSON on standard output.")]
PIPED_WIDTH = 160  # characters of a table that goes into a pipe


def examples(*lines: str) -> str:
    """The text below a command's help: one example per paragraph, as typer prints it."""
    return "\n\n".join(("Examples:", *(line.replace("[", "\\[") for line in lines)))


def need(extra: str, *packages: str) -> None:
    """Check that packages are installed, before anything is read.

    Args:
        extra: The extra of pyproject.toml that has them.
        packages: Names by which they are imported.

    Raises:
        InputError: Names the first that is missing and how to install it.
    """
    for name in packages:
        if find_spec(name) is None:
            remedy = f"Install it with: pip install 'rlvr[{extra}]' (in a checkout: pip install '.[{extra}]')."
            raise InputError(f"package '{name}'", "is needed here and not installed.", remedy)


def out() -> Console:
    """Standard output; a pipe gets a fixed width and no colours."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def err() -> Console:
    """Standard error, for whatever is no result."""
    return Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Print one JSON value, indented."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_json_lines(records: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object per line."""
    for record in records:
        typer.echo(json.dumps(record, ensure_ascii=False, default=str))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> None:
    """Print a table; what cells quote of foreign texts moves no cursor and is no markup."""
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(_shown(cell))) for cell in row))
    out().print(table)


def _shown(cell: Any) -> str:
    if cell is None:
        return ""
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator["Ticker"]:
    """A progress line on standard error; nothing is printed where that is no terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = err()
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        yield Ticker(bar, bar.add_task(description, total=total), description)


class Ticker:
    """Counts what is done on a progress line."""

    def __init__(self, bar: Progress, task: Any, description: str) -> None:
        self.bar, self.task, self.description = bar, task, description

    def tick(self, what: str = "") -> None:
        """One more is done; ``what`` names it."""
        shown = f"{self.description} {visible(what)}".replace("[", "\\[")
        self.bar.update(self.task, advance=1, description=shown)
