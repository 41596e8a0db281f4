"""Every claim with its verdict, the numbers behind it, and whom it speaks of: one row per claim."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from rlvr.plan.claim_grammar import LeafKind, Operand, Place, comparisons_of, leaves_of
from rlvr.plan.claims import Claim
from rlvr.plan.verdict_words import ClaimVerdict, verdict_text
from rlvr.report.claim_numbers import ClaimNumbers, Quantity, worth
from rlvr.report.claim_texts import margin_text, numbers_text, value_text
from rlvr.report.judging import Judged, judge_comparison, judge_statement
from rlvr.report.scope import ReportScope
from rlvr.stats.familywise import decided_by_chance

CLAIM_COLUMNS = (
    "claim", "paper", "where", "sentence", "verdict", "leans", "printed_verdict", "numbers", "margin",
    "contradicted_by", "scale", "tier", "models", "seeds", "comparisons", "sides",
)  # fmt: skip
OF_DOCUMENTS = ("comparisons", "sides")  # columns of lists, which a CSV does not show
NOT_PRINTED = "not printed"
NOT_RUN, ONE_SEED = ClaimVerdict.NOT_RUN.value, ClaimVerdict.ONE_SEED.value


@dataclass(frozen=True)
class ClaimScope:
    """What is said of every claim of a study.

    Attributes:
        paper: Name of the paper.
        tier: Name of the tier.
        results: The scale, and which runs there are.
        models: Base model of every run of the tier, with what stands in for it.
        headers: Heading of every column, by output and column.
    """

    paper: str
    tier: str
    results: ReportScope
    models: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def judge_claims(
    claims: Iterable[Claim], numbers: ClaimNumbers, printed: ClaimNumbers, scope: ClaimScope
) -> pd.DataFrame:
    """One row per claim (:data:`CLAIM_COLUMNS`).

    ``leans`` is the verdict that the numbers would give if a single seed were enough, ``printed_verdict`` that of the
    numbers that the paper itself prints in these places; neither says a word of stand-ins. ``comparisons`` lists the
    numbers of each comparison, which ``numbers`` joins; ``sides`` what is compared, each once, as it came out and as it
    is printed.
    """
    rows = [_row(claim, numbers, printed, scope) for claim in claims]
    return pd.DataFrame(rows, columns=list(CLAIM_COLUMNS))


def _row(claim: Claim, numbers: ClaimNumbers, printed: ClaimNumbers, scope: ClaimScope) -> dict[str, Any]:
    cells = numbers.shown if claim.about_seeds else numbers.cells
    shown = replace(numbers, cells=labelled(claim, cells, scope.headers, numbers.seeds))
    parts = [judge_comparison(part, shown, printed) for part in comparisons_of(claim.statement)]
    verdict = judge_statement(claim.statement, {part.part: part.verdict for part in parts})
    leans = judge_statement(claim.statement, {part.part: part.leans for part in parts})
    runs = sorted({run_id for part in parts for side in (part.left, part.right) for run_id in side.runs})
    texts = [numbers_text(part) for part in parts]
    return {
        "claim": claim.key,
        "paper": claim.paper or scope.paper,
        "where": claim.where,
        "sentence": claim.sentence,
        "verdict": verdict_text(verdict, scope.results.comparable),
        "leans": leans.value,
        "printed_verdict": printed_verdict(claim, printed),
        "numbers": "; ".join(dict.fromkeys(texts)),
        "margin": "; ".join(dict.fromkeys(filter(None, map(margin_text, parts)))),
        "contradicted_by": claim.contradicted_by,
        "scale": scope.results.scale,
        "tier": scope.tier,
        "models": _listed(scope.models, runs),
        "seeds": _listed(scope.results.seeds, runs),
        "comparisons": [_comparison(part, text) for part, text in zip(parts, texts, strict=True)],
        "sides": sides_of(parts, printed),
    }


def _listed(facts: Mapping[str, Any], runs: Iterable[str]) -> str:
    """What is known of these runs, each once, in order."""
    return ", ".join(map(str, sorted({facts[run_id] for run_id in runs if run_id in facts})))


def _comparison(part: Judged, text: str) -> dict[str, Any]:
    return {"verdict": part.verdict.value, "numbers": text, "over_seeds": is_over_seeds(part)}


def sides_of(parts: Iterable[Judged], printed: ClaimNumbers) -> list[dict[str, str]]:
    """What comparisons compare, each side once in their order: ``label``, ``ours`` and ``printed`` as texts.

    A number that the claim brings along is no side; ``printed`` is empty where the paper prints nothing in this place.
    """
    found: dict[Operand, dict[str, str]] = {}
    for part in parts:
        for operand, side in ((part.part.left, part.left), (part.part.right, part.right)):
            if side.unit != "number":
                theirs = worth(operand, printed)
                text = "" if theirs.is_missing else value_text(theirs.value, theirs)
                found[operand] = {"label": side.label, "ours": value_text(side.value, side), "printed": text}
    return list(found.values())


def is_over_seeds(part: Judged) -> bool:
    """Whether a comparison was decided, or left open, by an interval over seeds.

    Bare numbers have no chance in them; the interval of a single seed, and that of a statement about the very seeds
    that were run, are over problems only.
    """
    drawn = part.gap.drawn
    is_run = part.verdict is not ClaimVerdict.NOT_RUN
    return is_run and (drawn.seeds or 0) > 1 and bool(drawn.draws_B.min() < drawn.draws_B.max())


def printed_verdict(claim: Claim, printed: ClaimNumbers) -> str:
    """Verdict on a claim by the printed numbers alone; ``not printed`` where one of them is not there."""
    parts = {part: judge_comparison(part, printed, printed).verdict for part in comparisons_of(claim.statement)}
    verdict = judge_statement(claim.statement, parts)
    return NOT_PRINTED if verdict is ClaimVerdict.NOT_RUN else verdict.value


def labelled(
    claim: Claim,
    cells: Mapping[Place, Quantity],
    headers: Mapping[str, Mapping[str, str]],
    seeds: Mapping[str, int],
) -> dict[Place, Quantity]:
    """The cells of a claim, with the heading of the column in their labels where the claim reads several columns.

    A cell that stands for all seeds of its configuration is not called by the one seed that its column shows.
    """
    places = [leaf.place for leaf in leaves_of(claim.statement) if leaf.kind is LeafKind.CELL]
    found = {place: cells[place] for place in places if place in cells}
    if len({(output, column) for output, _, column in places}) <= 1:
        return found
    named = {place: headers.get(place[0], {}).get(place[2], place[2]) for place in found}
    return {
        place: replace(cell, label=f"{cell.label}, {_over_seeds(named[place], cell, seeds)}")
        for place, cell in found.items()
    }


def _over_seeds(heading: str, cell: Quantity, seeds: Mapping[str, int]) -> str:
    """A heading such as ``Seed 42 (%)`` of a number over several seeds: ``Mean over seeds (%)``."""
    behind = {seeds[run_id] for run_id in cell.runs if run_id in seeds}
    single = [f"Seed {seed}" for seed in behind if f"Seed {seed}" in heading] if len(behind) > 1 else []
    return heading.replace(single[0], "Mean over seeds") if single else heading


def family_of(table: pd.DataFrame, scope: ClaimScope) -> dict[str, Any]:
    """How many claims there are with each verdict, and how many of them chance would decide.

    A claim whose true differences lie exactly on their margins is decided by chance now and then
    (:func:`rlvr.stats.familywise.decided_by_chance`). Claims that were not run, or whose comparisons are all without an
    interval over seeds, are not among them.
    """
    words = [str(verdict).rpartition(": ")[2] for verdict in table["verdict"]]
    drawn = [sum(part["over_seeds"] for part in parts) for parts in table["comparisons"]]
    rows = [(count, word) for count, word in zip(drawn, words, strict=True) if count]
    judged = [count for count, word in rows if word not in (NOT_RUN, ONE_SEED)]
    decided = sum(ClaimVerdict(word).is_decision for _, word in rows)
    chance = decided_by_chance(judged)
    sentence = (
        f"{len(table)} claims; {len(judged)} of them are judged by intervals over seeds, and {decided} of these are "
        f"decided. If every true difference lay exactly on its margin, chance alone would decide about "
        f"{chance.expected:.1f}, one way or the other."
    )
    return {
        "claims": len(table),
        "comparisons": sum(drawn),
        "judged": len(judged),
        "decided": decided,
        "by_chance": f"{chance.expected:.1f}",
        "sentence": sentence,
        "verdicts": table["verdict"].value_counts().sort_index().to_dict(),
        "contradicted": int((table["contradicted_by"] != "").sum()),
        "scale": scope.results.scale,
        "tier": scope.tier,
    }
