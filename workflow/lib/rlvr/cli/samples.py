"""``rlvr samples``: what runs wrote to the same problems, side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from rlvr.cli.console import AsJson, examples, need, out, print_json_lines
from rlvr.core.errors import InputError
from rlvr.core.escaping import shortened, visible

if TYPE_CHECKING:
    from rlvr.report.sample_pages import Sample, Shown

EXAMPLES = examples(
    "rlvr samples results/tiny/train/qwen3-8b_deepmath-hard_lora-r8_bs64_s42",
    "rlvr samples results/tiny/evaluate/*8b_base --problems 10 --out page.html",
    "rlvr samples results/tiny/evaluate/qwen3-8b_base --problem aime-2025/1 --json",
)
STYLES = {"correct": "green", "wrong": "red", "unparsed": "dim", "timed_out": "dim"}


def samples(
    runs: Annotated[
        list[str], typer.Argument(help="Folders of evaluated or trained runs, or of a suite.", metavar="RUN...")
    ],
    benchmark: Annotated[str, typer.Option(help="Which benchmark; the first that all runs have by default.")] = "",
    problems: Annotated[int, typer.Option(min=1, help="How many of the first problems by id.")] = 3,
    problem: Annotated[list[str] | None, typer.Option(help="Ids of problems, instead of the first ones.")] = None,
    each: Annotated[int, typer.Option(min=1, help="Completions of each run and problem in the terminal.")] = 1,
    characters: Annotated[int, typer.Option(min=40, help="Of a longer text its beginning and end are shown.")] = 800,
    target: Annotated[Path | None, typer.Option("--out", help="Write the page: .html or .md.")] = None,
    as_json: AsJson = False,
) -> None:
    """Completions of runs to the same problems, with verdicts and the answers that were read. Needs no torch."""
    need("tables", "pandas", "pandera")
    from rlvr.report.files import write_text
    from rlvr.report.run_samples import as_records, compare_runs, find_evaluated
    from rlvr.report.sample_pages import to_html, to_markdown

    if target is not None and target.suffix not in (".html", ".md"):
        raise InputError(f"--out {target}", f"ends in '{target.suffix}'.", "Choose .html or .md.")
    name, page = compare_runs([find_evaluated(run) for run in runs], benchmark, problem or problems)
    if target is not None:
        make = to_html if target.suffix == ".html" else to_markdown
        write_text(make(page, name, characters), str(target))
    if as_json:
        print_json_lines(as_records(page, name))
        return
    for shown in page:
        print_problem(shown, name, each, characters)


def print_problem(shown: "Shown", benchmark: str, each: int, characters: int) -> None:
    """Print one problem: a column per run."""
    console = out()
    console.rule(Text(visible(f"{benchmark}, {shown.problem_id}")), align="left")
    console.print(Text(visible(shortened(shown.question, characters))))
    console.print(Text(visible(f"Correct answer: {shortened(shown.answer, characters)}"), style="bold"))
    table = Table(expand=True)
    for run_id in shown.runs:
        table.add_column(Text(visible(run_id)), overflow="fold", ratio=1)
    table.add_row(*(_cell(samples, each, characters) for samples in shown.runs.values()))
    console.print(table)


def _cell(found: "Sequence[Sample]", each: int, characters: int) -> Text:
    from rlvr.report.sample_pages import counts_text, facts_text

    cell = Text(counts_text(found))
    for one in found[:each]:
        read = "no answer read" if one.extracted is None else f"answer read: {shortened(one.extracted, characters)}"
        cell.append(visible(f"\n\n{facts_text(one)}; {read}\n"), style=STYLES.get(one.verdict, ""))
        cell.append(visible(shortened(one.text, characters)))
    return cell
