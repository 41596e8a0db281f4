"""What models wrote, easy to read: chosen problems with the completions of bases and runs side by side.

Completions are foreign text: everything of them goes through :mod:`rlvr.core.escaping`, and the HTML page forbids
scripts, images and whatever else a browser could load.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.core.errors import InputError
from rlvr.core.escaping import html_text, markdown_block, markdown_inline, shortened
from rlvr.report.evidence import read_tables
from rlvr.report.files import write_text

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["run_id", "benchmark", "problem_id", "sample"]
STYLE = """
body { font-family: system-ui, sans-serif; margin: 1rem auto; max-width: 90rem; padding: 0 1rem; color: #1a1a1a; }
.problem { border-top: 2px solid #1a1a1a; margin-top: 2rem; }
.runs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1rem; }
.run { border: 1px solid #767676; border-radius: 4px; padding: .5rem .75rem; min-width: 0; }
h3 { font-size: 1rem; overflow-wrap: anywhere; margin: .25rem 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f2f2f2; padding: .5rem; margin: .25rem 0; }
pre { font-size: .85rem; }
.correct summary { border-left: .4rem solid #00693e; } .wrong summary { border-left: .4rem double #9c2a00; }
.unparsed summary, .timed_out summary { border-left: .4rem dotted #5c5c5c; }
summary { padding-left: .5rem; margin: .2rem 0; }
"""
SAFE = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Sample:
    """One completion: its number, verdict, the answer that was read (``None`` for none), its length and text."""

    number: int
    verdict: str
    extracted: str | None
    tokens: int
    finish_reason: str
    text: str


@dataclass(frozen=True)
class Shown:
    """One problem with the completions of each run, in the order of the page."""

    problem_id: str
    question: str
    answer: str
    runs: Mapping[str, Sequence[Sample]]


@dataclass(frozen=True)
class PageOptions:
    """What a page shows.

    Attributes:
        runs: Run ids in order, the untrained bases among them.
        problems: Ids of problems, or how many of the first by id.
        characters: Longest text that is shown whole.
    """

    runs: Sequence[str]
    problems: Sequence[str] | int
    characters: int


def show_samples_file(
    paths: Mapping[str, Sequence[str]], benchmark: str, options: PageOptions, md_path: str, html_path: str
) -> None:
    """Write the page of a benchmark as Markdown and as HTML.

    Args:
        paths: Files of ``samples``, ``grades`` (of suites that may hold other benchmarks, too) and ``problems``.
        benchmark: Whose problems are shown.
        options: Runs, problems and length of texts.
        md_path: Where the Markdown goes.
        html_path: Where the HTML goes.
    """
    from rlvr.tables import GRADES, PROBLEMS, SAMPLES

    schemas = {"samples": SAMPLES, "grades": GRADES, "problems": PROBLEMS}
    tables = {name: read_tables(paths[name], schema) for name, schema in schemas.items()}
    chosen = choose(tables["problems"], options.problems, benchmark)
    own = {name: tables[name][tables[name]["benchmark"] == benchmark] for name in ("samples", "grades")}
    page = assemble(own["samples"], own["grades"], chosen, options.runs)
    write_text(to_markdown(page, benchmark, options.characters), md_path)
    write_text(to_html(page, benchmark, options.characters), html_path)


def choose(problems: "pd.DataFrame", wanted: Sequence[str] | int, benchmark: str) -> "pd.DataFrame":
    """The wanted problems: the first by id, or those named.

    Raises:
        InputError: Names the id that the benchmark does not have.
    """
    ordered = problems.sort_values("problem_id")
    if isinstance(wanted, int):
        return ordered.head(wanted)
    known = set(ordered["problem_id"])
    if missing := [name for name in wanted if name not in known]:
        example = ", ".join(ordered["problem_id"].head(3))
        raise InputError("samples.problems", f"'{benchmark}' has no problem '{missing[0]}'.", f"Known: {example}, ...")
    return ordered.set_index("problem_id").loc[list(wanted)].reset_index()


def assemble(
    samples: "pd.DataFrame", grades: "pd.DataFrame", problems: "pd.DataFrame", runs: Sequence[str]
) -> list[Shown]:
    """Completions beside their verdicts, by problem and run; a run without samples of a problem has an empty list."""
    merged = samples[[*KEYS, "text"]].merge(grades, on=KEYS, how="inner", validate="one_to_one")
    groups = {key: part.sort_values("sample") for key, part in merged.groupby(["problem_id", "run_id"])}
    return [
        Shown(
            line["problem_id"],
            line["question"],
            line["answer"],
            {run_id: _samples(groups.get((line["problem_id"], run_id))) for run_id in runs},
        )
        for line in problems.to_dict("records")
    ]


def _samples(part: "pd.DataFrame | None") -> list[Sample]:
    if part is None:
        return []
    return [
        Sample(
            int(line["sample"]),
            str(line["verdict"]),
            line["extracted"] if isinstance(line["extracted"], str) else None,
            int(line["completion_tokens"]),
            str(line["finish_reason"]),
            str(line["text"]),
        )
        for line in part.to_dict("records")
    ]


def counts_text(samples: Sequence[Sample]) -> str:
    """How many of a run's completions are right, e.g. ``3 of 4 correct``."""
    right = sum(sample.verdict == "correct" for sample in samples)
    return f"{right} of {len(samples)} correct" if samples else "not sampled"


def facts_text(sample: Sample) -> str:
    """Verdict and length of a completion in words, and whether the token limit cut it."""
    cut = ", cut at the limit" if sample.finish_reason == "length" else ""
    return f"sample {sample.number}: {sample.verdict.replace('_', ' ')}, {sample.tokens} tokens{cut}"


def to_markdown(page: Sequence[Shown], benchmark: str, characters: int) -> str:
    """The page as Markdown; completions stand in fences that they cannot close."""
    parts = [f"# Samples of {markdown_inline(benchmark)}"]
    for shown in page:
        parts += [
            f"## Problem {markdown_inline(shown.problem_id)}",
            markdown_block(shortened(shown.question, characters)),
        ]
        parts.append(f"Correct answer: {markdown_inline(shortened(shown.answer, characters))}")
        for run_id, samples in shown.runs.items():
            parts.append(f"### {markdown_inline(run_id)}: {counts_text(samples)}")
            for sample in samples:
                read = "no answer read" if sample.extracted is None else _read(sample, characters)
                parts += [f"{facts_text(sample)}; {read}", markdown_block(shortened(sample.text, characters))]
    return "\n\n".join(parts) + "\n"


def _read(sample: Sample, characters: int) -> str:
    return f"answer read: {markdown_inline(shortened(str(sample.extracted), characters))}"


def to_html(page: Sequence[Shown], benchmark: str, characters: int) -> str:
    """The page as self-contained HTML: one card per run, side by side; the first completion of each is open."""
    title = f"Samples of {html_text(benchmark)}"
    body = "\n".join(_problem_html(shown, characters) for shown in page)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{SAFE}">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )


def _problem_html(shown: Shown, characters: int) -> str:
    cards = "\n".join(_run_html(run_id, samples, characters) for run_id, samples in shown.runs.items())
    return (
        f'<section class="problem">\n<h2>Problem {html_text(shown.problem_id)}</h2>\n'
        f"<pre>{html_text(shortened(shown.question, characters))}</pre>\n"
        f"<p>Correct answer: <code>{html_text(shortened(shown.answer, characters))}</code></p>\n"
        f'<div class="runs">\n{cards}\n</div>\n</section>'
    )


def _run_html(run_id: str, samples: Sequence[Sample], characters: int) -> str:
    parts = [_sample_html(sample, characters, is_open=not place) for place, sample in enumerate(samples)]
    heading = f"<h3>{html_text(run_id)}</h3>\n<p>{counts_text(samples)}</p>"
    return f'<article class="run">\n{heading}\n' + "\n".join(parts) + "\n</article>"


def _sample_html(sample: Sample, characters: int, is_open: bool) -> str:
    read = "no answer read"
    if sample.extracted is not None:
        read = f"answer read: <code>{html_text(shortened(sample.extracted, characters))}</code>"
    state = " open" if is_open else ""
    return (
        f'<details class="{html_text(sample.verdict)}"{state}>\n<summary>{facts_text(sample)}</summary>\n'
        f"<p>{read}</p>\n<pre>{html_text(shortened(sample.text, characters))}</pre>\n</details>"
    )


def page_inputs(named: Any) -> dict[str, list[str]]:
    """The files of a page among the named inputs of its rule."""
    return {
        name: [str(Path(path)) for path in ([named[name]] if isinstance(named[name], str) else named[name])]
        for name in ("samples", "grades", "problems")
    }
