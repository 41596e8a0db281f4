"""Tables of facts: what a paper prints beside what is configured here and what the runs recorded."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rlvr.core.io import read_json
from rlvr.plan.facts import Fact
from rlvr.plan.outputs import Output
from rlvr.plan.printed import parse_printed
from rlvr.plan.verdict_words import FactVerdict
from rlvr.report.evidence import InputPaths
from rlvr.report.parameter_tables import judge_count

GROUPED = 1000  # whole numbers from here on are written in groups of three digits
COUNT_DIFFERS = "differs"
TAGS = {FactVerdict.AGREES: "SOURCE", FactVerdict.HERE: "SOURCE", FactVerdict.DEVIATES: "DEVIATION"}


@dataclass(frozen=True)
class FactLine:
    """One judged fact; texts are ready to print."""

    key: str
    labels: tuple[str, ...]
    printed: str
    configured: str
    recorded: str
    verdict: FactVerdict
    tag: str
    why: str


def judge_facts(output: Output, inputs: InputPaths, comparable: bool) -> list[FactLine]:
    """Every fact of a table, judged.

    Args:
        output: Declaration of kind ``facts``.
        inputs: ``run.json`` of its runs that exist, and the counts at real size.
        comparable: Whether the scale is the paper's; at another one a recorded value may deviate for that reason alone.
    """
    manifests = {manifest["run_id"]: manifest for manifest in map(read_json, inputs.get("manifests", ()))}
    counts = {count_name(row): row for path in inputs.get("counts", ()) for row in read_json(path) if "printed" in row}
    facts = [Fact(**_tuples(entry)) for entry in output.plot["facts"]]
    return [judge_fact(fact, manifests, counts, comparable) for fact in facts]


def count_name(row: Mapping[str, Any]) -> str:
    """The name by which a fact refers to a printed count."""
    return f"{row['output']} | {row['label']} | {row['model']}"


def judge_fact(
    fact: Fact, manifests: Mapping[str, Mapping[str, Any]], counts: Mapping[str, Mapping[str, Any]], comparable: bool
) -> FactLine:
    """One fact with its verdict and tag.

    Raises:
        KeyError: If a printed count that it names was not counted.
    """
    if fact.counted:
        return _counted(fact, [counts[name] for name in fact.counted])
    recorded = _recorded(fact, manifests)
    verdict = fact_verdict(fact, recorded, comparable)
    return FactLine(
        fact.key,
        fact.labels,
        fact.printed,
        "" if fact.configured is None else plain(fact.configured),
        ", ".join(dict.fromkeys(map(plain, recorded))),
        verdict,
        fact.tag or TAGS.get(verdict, "ASSUME" if not fact.printed else ""),
        fact.why,
    )


def fact_verdict(fact: Fact, recorded: Sequence[Any], comparable: bool) -> FactVerdict:
    """``agrees`` if what is configured and what was recorded both are as printed; ``deviates`` otherwise.

    Where the configuration is as printed and only the runs of a smaller scale are not, it ``deviates at this scale``.
    A fact without a printed text is ``not printed``; one that nothing of ours speaks to is ``not recorded``,
    unless it is tagged as a deviation.
    """
    if not fact.printed:
        return FactVerdict.NOT_PRINTED
    ours = [] if fact.configured is None else [fact.configured]
    if not ours and not recorded:
        return FactVerdict.DEVIATES if fact.tag == TAGS[FactVerdict.DEVIATES] else FactVerdict.NOT_RECORDED
    if not all(same_as_printed(value, fact) for value in ours):
        return FactVerdict.DEVIATES
    if all(same_as_printed(value, fact) for value in recorded):
        return FactVerdict.AGREES
    return FactVerdict.HERE if ours and not comparable else FactVerdict.DEVIATES


def same_as_printed(value: Any, fact: Fact) -> bool:
    """Whether a value of ours is what the printed text says; a printed number may be rounded."""
    if fact.means is not None:
        return _same(value, fact.means)
    return parse_printed(fact.printed).says(float(value))


def plain(value: Any) -> str:
    """A configured or recorded value as a reader writes it.

    >>> plain(1e-05), plain(151936), plain([16, 8]), plain(False), plain(0.1)
    ('1e-5', '151,936', '[16, 8]', 'no', '0.1')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(plain, value)) + "]"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= GROUPED else str(value)
    if isinstance(value, float):
        mantissa, _, exponent = f"{value:g}".partition("e")
        return f"{mantissa}e{int(exponent)}" if exponent else mantissa
    return str(value)


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, list | tuple) and isinstance(wanted, list | tuple):
        return len(value) == len(wanted) and all(map(_same, value, wanted))
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return math.isclose(value, wanted, rel_tol=1e-9)
    return str(value).casefold() == str(wanted).casefold()


def _recorded(fact: Fact, manifests: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """What the fact's runs recorded, one value per run that has it."""
    found = []
    for manifest in (manifests[run_id] for run_id in fact.runs if fact.recorded and run_id in manifests):
        value: Any = manifest
        for part in fact.recorded.split("/"):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            found.append(value)
    return found


def _counted(fact: Fact, rows: Sequence[Mapping[str, Any]]) -> FactLine:
    verdicts = [
        judge_count(row["printed"], row["unit"], row["trainable_parameters"], row["base_parameters"]) for row in rows
    ]
    verdict = FactVerdict.DEVIATES if COUNT_DIFFERS in verdicts else FactVerdict.AGREES
    return FactLine(
        fact.key,
        fact.labels,
        " to ".join(row["printed"] for row in rows),
        " to ".join(plain(row["trainable_parameters"]) for row in rows),
        "",
        verdict,
        fact.tag or "SOURCE",
        fact.why,
    )


def _tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if name in ("labels", "runs", "counted") else value for name, value in entry.items()}
