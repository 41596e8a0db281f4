"""Kinds of figures, found by the folder: one module per kind.

Each module has ``Options`` (what stands under ``plot``, a frozen :class:`~rlvr.plan.figure_options.FigureOptions`; it
also says what the figure reads), ``table(drawing)`` (the numbers that it shows, written as CSV) and
``draw(drawing, table)`` (the picture). Their imports are light: matplotlib, seaborn and pandas come in functions.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from rlvr.plan.figure_options import FigureOptions
from rlvr.report.looks import Drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class FigureKind:
    """One kind of figure.

    Attributes:
        name: Word of ``outputs.yaml``.
        options: What stands under ``plot``.
        table: The numbers that it shows.
        draw: The picture of such a table.
    """

    name: str
    options: type[FigureOptions]
    table: "Callable[[Drawing], pd.DataFrame]"
    draw: "Callable[[Drawing, pd.DataFrame], Figure]"


def find_kinds() -> dict[str, FigureKind]:
    """Every kind of this folder by name.

    Raises:
        AttributeError: If a module lacks one of the three.
    """
    found = {}
    for entry in iter_modules([str(FOLDER)]):
        if entry.name.startswith("_"):
            continue
        module = import_module(f"{__name__}.{entry.name}")
        found[entry.name] = FigureKind(entry.name, module.Options, module.table, module.draw)
    return found


def kinds_table() -> str:
    """The kinds and their options as a Markdown list."""
    lines = []
    for kind in KINDS.values():
        module = import_module(f"{__name__}.{kind.name}")
        lines.append(f"* `{kind.name}`: {(module.__doc__ or '').splitlines()[0]}")
        for each in fields(kind.options):
            optional = "" if each.default is MISSING else " (optional)"
            lines.append(f"    * `{each.name}`{optional}: {each.metadata['meaning']}")
    return "\n".join(lines)


KINDS: Mapping[str, FigureKind] = find_kinds()
OPTIONS: Mapping[str, type[FigureOptions]] = {name: kind.options for name, kind in KINDS.items()}
