"""What options name is looked up: columns, rows and printed columns of the output, and what its evidence is of."""

from collections.abc import Collection, Iterator, Mapping

from rlvr.core.errors import InputError
from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.outputs import Output
from rlvr.plan.statistics import EVIDENCE

OF_BENCHMARKS = ("problems",)  # evidence whose wildcard is a data set, of which only the held-out problems count


def check_named(options: FigureOptions, output: Output, where: object) -> None:
    """Check what options name of their own output, and that they fit each other.

    Raises:
        InputError: Names the row, the column or the printed column that the output does not have.
    """
    if mistake := options.mistake():
        raise InputError(where, mistake, "Its options are listed in docs/outputs.md.")
    printed = dict.fromkeys(column for texts in output.reported.values() for column in texts)
    for what, named, known in (
        ("column", options.columns(), [column.key for column in output.columns]),
        ("row", options.rows(), [row.key for row in output.rows]),
        ("printed column", options.printed(), list(printed)),
    ):
        for key in named:
            if key not in known:
                problem = f"names the {what} '{key}', which it does not have."
                raise InputError(where, problem, f"Known: {', '.join(known) or 'none'}.")


def check_evidence(output: Output, known: Mapping[str, Collection[str]], where: object) -> None:
    """Check the names of the files that an output reads beside its cells.

    Args:
        output: Its options are resolved, so that runs and pairs are those of the grid.
        known: Names by what they name: model, base, dataset, benchmark, study.
        where: What a message shall name.

    Raises:
        InputError: Names what is not known.
    """
    for what, name in _named_by_evidence(output):
        if what in known and name not in known[what]:
            listed = ", ".join(sorted(map(str, known[what]))) or "none"
            shown = {"dataset": "data set", "base": "model"}.get(what, what)
            raise InputError(where, f"{shown} '{name}' is not known.", f"Known: {listed}.")


def _named_by_evidence(output: Output) -> Iterator[tuple[str, str]]:
    for kind, keys in output.reads.items():
        wildcards = ("benchmark",) if kind in OF_BENCHMARKS else EVIDENCE[kind].wildcards
        for key in keys:
            yield from zip(wildcards, (key,) if isinstance(key, str) else key, strict=True)
