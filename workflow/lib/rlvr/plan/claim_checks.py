"""Whether everything that a claim names is there: cells, curves, untrained bases, data sets, printed numbers."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.plan.claim_grammar import COUNTS, FORMS, Comparison, Leaf, LeafKind, Place, comparisons_of, leaves_of
from rlvr.plan.claims import Claim
from rlvr.plan.outputs import Output


@dataclass(frozen=True)
class ClaimNames:
    """What a claim may name beside the cells of its study's outputs.

    Attributes:
        models: Base models.
        benchmarks: Benchmarks of the study.
        datasets: Data sets.
    """

    models: Collection[str] = field(default_factory=tuple)
    benchmarks: Collection[str] = field(default_factory=tuple)
    datasets: Collection[str] = field(default_factory=tuple)


def check_claims(claims: Iterable[Claim], outputs: Mapping[str, Output], names: ClaimNames, path: str | Path) -> None:
    """Check that every place that a claim names is declared, and printed where half of a printed distance is asked.

    Raises:
        InputError: Names the claim and the place.
    """
    known: Mapping[LeafKind, Collection[Place]] = {
        LeafKind.CELL: {
            (key, row.key, column.key) for key, output in outputs.items() for row, column in output.cells()
        },
        LeafKind.CURVE: {(key, series) for key, output in outputs.items() for series in curves_of(output)},
        LeafKind.BASE: {(model, benchmark) for model in names.models for benchmark in names.benchmarks},
        LeafKind.COUNT: {(dataset, count) for dataset in names.datasets for count in COUNTS},
    }
    printed = printed_places(outputs)
    for claim in claims:
        for leaf in leaves_of(claim.statement):
            if leaf.place not in known[leaf.kind]:
                raise _unknown(claim, leaf, known[leaf.kind], path)
        for part in comparisons_of(claim.statement):
            if part.margin is None:
                _check_printed(claim, part, printed, path)


def curves_of(output: Output) -> list[str]:
    """The curves of a figure that a claim may name: series of a curve over steps, models of a decay, lines."""
    plot: Mapping[str, Any] = output.plot
    if output.kind == "curve":
        return [str(curve["series"]) for curve in plot["curves"]]
    return list(plot["models"]) if output.kind == "decay" else list(output.lines)


def printed_places(outputs: Mapping[str, Output]) -> set[Place]:
    """Cells beside which the paper prints a number."""
    return {
        (key, row.key, column.key)
        for key, output in outputs.items()
        for row, column in output.cells()
        if output.printed(row, column) is not None
    }


def _unknown(claim: Claim, leaf: Leaf, known: Collection[Place], path: str | Path) -> InputError:
    neighbours = sorted(place for place in known if place[0] == leaf.place[0])
    told = ", ".join("/".join(place[1:]) for place in neighbours) or "nothing"
    problem = f"claim '{claim.key}' names the {leaf.kind.value} '{leaf.text}', which is not there."
    return InputError(path, problem, f"Expected {FORMS[leaf.kind]}; '{leaf.place[0]}' has: {told}.")


def _check_printed(claim: Claim, part: Comparison, printed: Collection[Place], path: str | Path) -> None:
    for operand in part.operands():
        if isinstance(operand, Leaf) and operand.place not in printed:
            problem = f"claim '{claim.key}' asks half of the printed distance, but '{operand.text}' is not printed."
            raise InputError(path, problem, "Write margin: {half_of: ...} or {assume: ..., because: ...}.")
