"""Which rows of a table differ by more than chance: every two of them compared over the same seeds and problems."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import pandas as pd

from rlvr.plan.options import build
from rlvr.plan.outputs import Output
from rlvr.plan.table_kinds import SeparationOptions
from rlvr.report.cells import ReportScope
from rlvr.report.comparing import Drawn, minus
from rlvr.report.evidence import Evidence
from rlvr.report.measurements import draw_cell
from rlvr.report.render import DASH, Table, TextColumn

AHEAD, BEHIND, OPEN, SAME = "+", "\N{MINUS SIGN}", "\N{MIDDLE DOT}", ""
BY_CHANCE = 0.05  # of the pairs whose members are equal


def with_separation(table: Table, evidence: Evidence, scope: ReportScope) -> Table:
    """A table of cells with one column for each row: whether its row is ahead of, behind or level with that one.

    Args:
        table: The cells as texts.
        evidence: Results of its runs.
        scope: Scale and runs of the tier.
    """
    output = table.output
    options = build(SeparationOptions, output.plot, f"outputs.yaml, output '{output.key}'")
    (column,) = (column for column in output.columns if column.key == options.column)
    drawn = [draw_cell(row, column, evidence, scope) for row in output.rows]
    marks = pair_marks(drawn)
    level = ("",) * (len(table.columns[0].header) - 1)
    numbers = [str(place) for place in range(1, len(drawn) + 1)]
    named = replace(table.columns[0], texts=numbered(output, numbers))
    found = [TextColumn("label", (*level, number), list(marks[place])) for place, number in enumerate(numbers)]
    columns = [named, *table.columns[1:], *found]
    return replace(table, columns=columns, notes=[*table.notes, separation_note(marks)])


def numbered(output: Output, numbers: Sequence[str]) -> list[str]:
    """First label of every row with its number, by which columns name it."""
    return [f"{number} {row.labels[0]}" for number, row in zip(numbers, output.rows, strict=True)]


def pair_marks(drawn: Sequence[Drawn]) -> pd.DataFrame:
    """How every row lies beside every other, (rows, rows).

    A pair is told apart where the central 95 % of the draws of its difference do not hold zero. A row that was not run,
    or that rests on a single seed, is told apart from none: it has a dash.
    """
    places = range(len(drawn))
    marks = pd.DataFrame(DASH, index=places, columns=places)
    for one in places:
        marks.loc[one, one] = SAME
    for one, other in combinations(places, 2):
        gap = minus(drawn[one], drawn[other])
        if pd.isna(gap.value) or (gap.seeds or 0) < 2:
            continue
        low, high = gap.estimate.low, gap.estimate.high
        mark = AHEAD if low > 0 else BEHIND if high < 0 else OPEN
        marks.loc[one, other] = mark
        marks.loc[other, one] = {AHEAD: BEHIND, BEHIND: AHEAD}.get(mark, mark)
    return marks


def separation_note(marks: pd.DataFrame) -> str:
    """How many pairs are told apart, and how many chance would tell apart."""
    above = [str(marks.loc[one, other]) for one, other in combinations(marks.index, 2)]
    compared = [mark for mark in above if mark != DASH]
    apart = sum(mark in (AHEAD, BEHIND) for mark in compared)
    return (
        f"{AHEAD}: the row is ahead of the method with the column's number, {BEHIND}: behind it, {OPEN}: not told "
        "apart (95 % interval of the difference over seeds and problems, paired). "
        f"Of {len(compared)} pairs {apart} are told apart; were all methods equal, {BY_CHANCE * len(compared):.1f} "
        "would be."
    )
