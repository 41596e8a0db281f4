"""``rlvr grade``: verdicts on completions, with the reason of each."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Annotated

import typer

from rlvr.cli.console import AsJson, err, examples, need, print_json_lines, print_table, progress
from rlvr.core.errors import InputError

EXAMPLES = examples(
    "rlvr grade completions.jsonl",
    "rlvr grade rows.parquet --completion reply --gold answer --out graded.csv",
    'echo \'{"completion": "\\\\boxed{1/2}", "gold": "0.5"}\' | rlvr grade - --json',
    "rlvr grade programs.jsonl --verifier code --meta tests",
)
SHOWN = 20  # rows of the table
STANDARD = ("correct", "wrong", "unparsed", "timed_out")


def grade(
    file: Annotated[str, typer.Argument(help="JSON Lines, CSV or Parquet; - reads standard input (JSON Lines).")],
    completion: Annotated[str, typer.Option(help="Column of the completions; found by its usual names.")] = "",
    gold: Annotated[str, typer.Option(help="Column of the right answers; found by its usual names.")] = "",
    verifier: Annotated[str, typer.Option(help="Kind of all problems: math, code, enigmata/<task>.")] = "math",
    verifier_column: Annotated[str, typer.Option(help="Column with the kind of each problem.")] = "",
    meta: Annotated[str, typer.Option(help="Column with further facts of a problem (tests of programs).")] = "",
    form: Annotated[str, typer.Option("--format", help="jsonl, csv or parquet, where the ending does not say.")] = "",
    workers: Annotated[int, typer.Option(min=1, help="Processes for what needs computer algebra.")] = os.cpu_count()
    or 1,
    cache: Annotated[str, typer.Option(help="Folder of known grades, on a local disk.")] = "",
    target: Annotated[
        str, typer.Option("--out", help="Write all rows with their verdicts: .jsonl, .csv or .parquet.")
    ] = "",
    keep_going: Annotated[bool, typer.Option(help="Report golds that cannot be read instead of stopping.")] = False,
    show: Annotated[int, typer.Option(min=0, help="Rows of the table; 0 for all.")] = SHOWN,
    as_json: AsJson = False,
) -> None:
    """Judge completions against their right answers: verdict and reason for each line.

    A verdict is correct, wrong, unparsed (no answer, or none that can be read) or timed_out. It is the grader of
    training and evaluation; what counts as the same answer stands in docs/grading.md. Needs no torch.
    """
    need("grading", "pebble", "mpmath")
    from rlvr.grading.batches import Resources
    from rlvr.grading.table_files import Columns, Graded, format_of, grade_rows, read_rows, write_records

    if form not in ("", "jsonl", "csv", "parquet"):
        raise InputError("--format", f"is '{form}'.", "Choose jsonl, csv or parquet.")
    if "parquet" in (format_of(file, form), *([format_of(target)] if target else [])):
        need("grading", "pyarrow")
    where = "standard input" if file == "-" else file
    columns = Columns(completion, gold, verifier_column, meta, verifier)
    graded = grade_rows(read_rows(file, form), columns, Resources(workers, cache), where, keep_going)
    counts: Counter[str] = Counter()
    kept: list[Graded] = []

    def counted() -> Iterator[Graded]:
        with progress("grading") as ticker:
            for one in graded:
                counts[one.verdict] += 1
                ticker.tick()
                if target or (not as_json and (not show or len(kept) < show)):
                    kept.append(one)
                yield one

    if as_json:
        print_json_lines({"line": one.number, **one.record()} for one in counted())
    else:
        for _ in counted():
            pass
        shown = kept[:show] if show else kept
        print_table(
            ("line", "verdict", "answer", "reason"), ((g.number, g.verdict, g.extracted, g.reason) for g in shown)
        )
    if target:
        write_records([one.record() for one in kept], target)
    err().print(summary(counts))


def summary(counts: Counter[str]) -> str:
    """How many completions have which verdict, in one line."""
    total = sum(counts.values())
    parts = [f"{counts[word]} {word.replace('_', ' ')}" for word in dict.fromkeys((*STANDARD, *counts))]
    return f"{total} completions: {', '.join(parts)} ({100 * counts['correct'] / total:.1f} % correct)."
