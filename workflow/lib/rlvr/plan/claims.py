"""Claims of a paper as predicates over reproduced cells: what ``claims.yaml`` declares.

Light enough for the Snakefile, which asks :func:`required_outputs` what the claims need.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.schemas import check_against, load_yaml
from rlvr.plan.outputs import Output

Place = tuple[str, ...]  # output, row, column


@dataclass(frozen=True)
class Comparison:
    """``left op right``, with a margin in the cells' unit.

    Attributes:
        left: A cell ``output/row/column``, a number, or ``{largest: [...]}`` / ``{smallest: [...]}`` of such.
        op: ``exceeds`` (left - right > margin) or ``within`` (the distance of left and right <= margin).
        right: Like ``left``.
        margin: Not negative.
    """

    left: Any
    op: str
    right: Any
    margin: float = 0.0


@dataclass(frozen=True)
class Claim:
    """A statement of a paper in our words, where it stands, and comparisons that must all hold."""

    key: str
    sentence: str
    where: str
    comparisons: tuple[Comparison, ...]


def load_claims(path: str | Path, schema: str | Path | None = None) -> list[Claim]:
    """The claims of a study.

    Raises:
        InputError: Names the claim and what is wrong with it.
    """
    content = load_yaml(path)
    if schema is not None:
        check_against(content, schema, path)
    claims = [
        Claim(key, fields["sentence"], fields["where"], tuple(Comparison(**part) for part in fields["all"]))
        for key, fields in content["claims"].items()
    ]
    for claim in claims:
        for place in claim_places(claim):
            if len(place) != 3:
                problem = f"claim '{claim.key}' names the cell '{'/'.join(place)}'."
                raise InputError(path, problem, "Expected output/row/column.")
    return claims


def required_outputs(claims: Iterable[Claim]) -> list[str]:
    """Outputs whose cells the claims read, sorted."""
    return sorted({place[0] for claim in claims for place in claim_places(claim)})


def check_claims(claims: Iterable[Claim], outputs: Mapping[str, Output], path: str | Path) -> None:
    """Check that every cell that a claim names is declared.

    Raises:
        InputError: Names the claim and the cell.
    """
    known = {(key, row.key, column.key) for key, output in outputs.items() for row, column in output.cells()}
    for claim in claims:
        for place in claim_places(claim):
            if place not in known:
                problem = f"claim '{claim.key}' names the cell '{'/'.join(place)}', which no output has."
                raise InputError(path, problem, "Expected output/row/column of outputs.yaml.")


def claim_places(claim: Claim) -> list[Place]:
    """Every cell that a claim reads."""
    return [place for part in claim.comparisons for side in (part.left, part.right) for place in as_places(side)]


def as_places(operand: Any) -> list[Place]:
    """Every cell that an operand reads."""
    if isinstance(operand, str):
        return [as_place(operand)]
    if isinstance(operand, Mapping):
        return [place for operands in operand.values() for entry in operands for place in as_places(entry)]
    return []


def as_place(text: str) -> Place:
    """The cell that ``output/row/column`` names."""
    return tuple(text.split("/"))
