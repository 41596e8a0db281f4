"""Columns that follow from a table: does a cell exceed another row's, which is largest, the mean of printed numbers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

import pandas as pd

from rlvr.plan.options import build
from rlvr.plan.outputs import Output
from rlvr.plan.printed import parse_printed
from rlvr.plan.table_kinds import CriteriaOptions, Criterion
from rlvr.report.render import DASH, PAPER, Table, TextColumn

YES, NO, REFERENCE = "yes", "no", "reference"
Values = Mapping[tuple[str, str], float]


def with_criteria(table: Table, cells: pd.DataFrame) -> Table:
    """A table of cells with its criteria to the right, each followed by the paper's marks where there are some.

    Args:
        table: The cells as texts.
        cells: ``tables.CELLS`` of the output.
    """
    output = table.output
    options = build(CriteriaOptions, output.plot, f"outputs.yaml, output '{output.key}'")
    values = {(str(line["row"]), str(line["column"])): float(line["value"]) for line in cells.to_dict("records")}
    columns = list(table.columns)
    for criterion in options.criteria:
        level = ("",) * (len(columns[0].header) - 1)
        words = [word_of(criterion, row.key, values, output) for row in output.rows]
        columns.append(TextColumn("label", (*level, criterion.header), words))
        printed = [output.reported.get(row.key, {}).get(criterion.key, "") for row in output.rows]
        if any(printed):
            columns.append(TextColumn("printed", (*level, PAPER), printed, is_words=True))
    return replace(table, columns=columns)


def word_of(criterion: Criterion, row: str, values: Values, output: Output) -> str:
    """The word of one row: yes or no for a comparison, a heading for the largest of columns, a dash if one was not run.

    The mean of printed numbers has as many digits as they have.
    """
    if criterion.mean_of_printed:
        return mean_text([output.reported.get(row, {}).get(key, "") for key in criterion.mean_of_printed])
    if criterion.largest_of:
        found = {key: values[row, key] for key in criterion.largest_of}
        if any(map(math.isnan, found.values())):  # the largest of those that happen to be there would be no largest
            return DASH
        best = max(found, key=lambda key: found[key])
        return next(column.header[-1] for column in output.columns if column.key == best)
    own, other = values[row, str(criterion.column)], values[str(criterion.above), str(criterion.column)]
    if row == criterion.above:
        return REFERENCE
    if math.isnan(own) or math.isnan(other):
        return DASH
    return YES if own > other else NO


def mean_text(texts: Sequence[str]) -> str:
    """The mean of printed numbers, with the most digits that one of them has; a dash where one is missing.

    >>> mean_text(["33.2", "22.9"]), mean_text(["33.2", ""])
    ('28.1', '\N{EN DASH}')
    """
    if not all(texts):
        return DASH
    numbers = [parse_printed(text) for text in texts]
    mean = fmean(each.value for each in numbers)
    return f"{mean:.{max(each.decimals for each in numbers)}f}"
