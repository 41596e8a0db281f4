"""Completions of two runs to one problem, side by side; the problem is chosen by a rule, not by hand."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rlvr.core.escaping import shortened, visible
from rlvr.plan.options import build
from rlvr.plan.outputs import Output
from rlvr.plan.table_kinds import SamplesOptions
from rlvr.report.cells import ReportScope
from rlvr.report.evidence import InputPaths, read_tables
from rlvr.report.render import DASH, Table, TextColumn, scope_notes

CORRECT = "correct"
HALF = 0.5
COLUMNS = ["output", "problem_id", "run", "run_id", "sample", "correct", "samples", "verdict", "extracted", "text"]


def tabulate_samples(
    output: Output, scope: ReportScope, inputs: InputPaths, provenance: list[str]
) -> tuple[pd.DataFrame, Table]:
    """The chosen completion of both runs: how often each solves the problem, the answer that was read, the text."""
    from rlvr.tables import GRADES, PROBLEMS, SAMPLES

    options = build(SamplesOptions, output.plot, f"outputs.yaml, output '{output.key}'")
    grades, samples, problems = (
        read_tables(inputs.get(kind, ()), schema)
        for kind, schema in (("grades", GRADES), ("samples", SAMPLES), ("problems", PROBLEMS))
    )
    names = {run_id: curve.name for curve in options.curves for run_id in curve.runs}
    chosen = choose_problem(grades[grades["benchmark"] == options.benchmark], list(names))
    frame = pd.DataFrame(columns=COLUMNS)
    if chosen is not None:
        traces = [trace(grades, samples, run_id, options.benchmark, chosen) for run_id in names]
        frame = pd.DataFrame(
            [{"output": output.key, "run": names[found["run_id"]], **found} for found in traces], columns=COLUMNS
        )
    problem = problems[problems["problem_id"] == chosen]
    statement = " ".join(scope_notes(scope))
    columns, notes = _columns(frame, options), _notes(problem, options)
    keys = ["solved", "answer", "completion"]
    return frame, Table(output, keys, columns, [[] for _ in keys], notes, statement, provenance)


def choose_problem(grades: pd.DataFrame, runs: list[str]) -> str | None:
    """The first problem, by its id, that one of two runs solves in more than half of its samples, the other not.

    Args:
        grades: ``tables.GRADES`` of one benchmark.
        runs: Two run ids.

    Returns:
        ``None`` if there is no such problem, or one of the runs has no grades.
    """
    solved = grades.assign(solved=grades["verdict"].eq(CORRECT))
    shares = solved.pivot_table(index="problem_id", columns="run_id", values="solved", aggfunc="mean")
    if not set(runs) <= set(shares.columns):
        return None
    known = shares[runs].dropna().astype(float) > HALF
    differing = known.index[known[runs[0]] != known[runs[1]]]
    return str(min(differing)) if len(differing) else None


def trace(
    grades: pd.DataFrame, samples: pd.DataFrame, run_id: str, benchmark: str, problem_id: str
) -> Mapping[str, Any]:
    """What a run did with a problem, and the first of its completions whose verdict is that of the majority."""
    keys = ["run_id", "benchmark", "problem_id", "sample"]
    own = grades[
        (grades["run_id"] == run_id) & (grades["benchmark"] == benchmark) & (grades["problem_id"] == problem_id)
    ]
    own = own.sort_values("sample")
    right = own["verdict"].eq(CORRECT)
    typical = own[right == (right.mean() > HALF)].head(1)
    (line,) = typical.merge(samples[[*keys, "text"]], on=keys, how="left").to_dict("records")
    counted = {"correct": int(right.sum()), "samples": len(own)}
    return {name: line[name] for name in ("problem_id", "run_id", "sample", "verdict", "extracted", "text")} | counted


def _columns(frame: pd.DataFrame, options: SamplesOptions) -> list[TextColumn]:
    found = [TextColumn("label", ("",), ["Solved", "Answer read", "Completion"])]
    for curve in options.curves:
        lines = frame[frame["run"] == curve.name].to_dict("records")
        texts = _texts(lines[0], options.characters) if lines else [DASH] * 3
        found.append(TextColumn("words", (curve.name,), texts))
    return found


def _texts(line: Mapping[Any, Any], characters: int) -> list[str]:
    extracted = line["extracted"]
    read = DASH if extracted is None or pd.isna(extracted) else visible(shortened(str(extracted), characters))
    solved = f"{line['correct']} of {line['samples']} samples"
    return [solved, f"{read} ({line['verdict'].replace('_', ' ')})", visible(shortened(line["text"], characters))]


def _notes(problem: pd.DataFrame, options: SamplesOptions) -> list[str]:
    if problem.empty:
        return ["No problem was found that one of the two runs solves and the other does not, or a run is not there."]
    (line,) = problem.to_dict("records")
    question = visible(shortened(line["question"], options.characters)).replace("\n", " ")
    return [
        f"Problem {line['problem_id']}: {question}",
        f"Correct answer: {visible(line['answer'])}.",
        "Shown is the first completion whose verdict is that of the run's majority.",
    ]
