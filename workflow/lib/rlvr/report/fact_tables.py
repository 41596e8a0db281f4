"""Tables of facts as texts."""

from dataclasses import asdict

import pandas as pd

from rlvr.plan.outputs import Output
from rlvr.plan.verdict_words import FactVerdict
from rlvr.report.cells import LABEL_SEPARATOR, ReportScope
from rlvr.report.evidence import InputPaths
from rlvr.report.facts import FactLine, judge_facts
from rlvr.report.render import PAPER, Table, TextColumn, scope_notes

EXPLAINED = {
    FactVerdict.HERE: "deviates at this scale: configured as printed, and another value in the runs of this scale",
    FactVerdict.DEVIATES: "deviates: another value is configured, or recorded by the runs of the paper's scale",
    FactVerdict.NOT_PRINTED: "not printed: the paper does not say",
    FactVerdict.NOT_RECORDED: "not recorded: neither a file of this repository nor a run's manifest speaks to it",
}


def tabulate_facts(
    output: Output, scope: ReportScope, inputs: InputPaths, provenance: list[str]
) -> tuple[pd.DataFrame, Table]:
    """A table of facts: one line per fact, with verdict and tag, and its texts."""
    lines = judge_facts(output, inputs, scope.comparable)
    frame = pd.DataFrame([{**asdict(line), "labels": LABEL_SEPARATOR.join(line.labels)} for line in lines])
    frame.insert(0, "output", output.key)
    labels = [
        TextColumn(
            "label", (name,), _once([line.labels[place] for line in lines], grouped=place < len(output.labels) - 1)
        )
        for place, name in enumerate(output.labels)
    ]
    columns = [
        *labels,
        TextColumn("printed", (PAPER,), [line.printed for line in lines], is_words=True),
        *_ours(lines),
        TextColumn("label", ("Verdict",), [str(line.verdict) for line in lines]),
        TextColumn("label", ("Tag",), [line.tag for line in lines]),
    ]
    verdicts = [[str(line.verdict)] for line in lines]
    statement = " ".join(scope_notes(scope))
    return frame, Table(
        output, [line.key for line in lines], columns, verdicts, fact_notes(lines), statement, provenance
    )


def _once(texts: list[str], grouped: bool) -> list[str]:
    """A label that heads several lines is written in the first of them only."""
    return ["" if grouped and place and text == texts[place - 1] else text for place, text in enumerate(texts)]


def _ours(lines: list[FactLine]) -> list[TextColumn]:
    """Configured and recorded values; a column that would be empty is left out."""
    columns = [
        TextColumn("label", ("Configured",), [line.configured for line in lines]),
        TextColumn("label", ("Recorded by the runs",), [line.recorded for line in lines]),
    ]
    return [column for column in columns if any(column.texts)]


def fact_notes(lines: list[FactLine]) -> list[str]:
    """What the verdicts mean, and why a fact is another one here; only those that occur."""
    occurring = {line.verdict for line in lines}
    found = [f"{text}." for verdict, text in EXPLAINED.items() if verdict in occurring]
    reasons = [f"{line.labels[-1]}: {line.why.rstrip('.')}." for line in lines if line.why]
    return [text[0].upper() + text[1:] for text in found] + list(dict.fromkeys(reasons))
