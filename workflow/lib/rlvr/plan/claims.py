"""Claims of a paper as predicates over reproduced numbers: what ``claims.yaml`` declares.

Light enough for the Snakefile, which asks :func:`required_outputs` and its neighbours what the claims need.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.schemas import check_against, load_yaml
from rlvr.plan.claim_grammar import Leaf, LeafKind, Place, Statement, comparisons_of, leaves_of, read_statement
from rlvr.plan.outputs import Output


@dataclass(frozen=True)
class Claim:
    """A statement of a paper in our words, where it stands, and the predicate that must hold.

    Attributes:
        key: Name of the claim; one in two readings has the reading's word at its end.
        sentence: In our own words.
        where: Where the paper makes it.
        statement: The predicate.
        paper: Which paper, or which version of it; empty for the study's own.
        contradicted_by: Where the paper contradicts itself, and with what; empty where it does not.
        about_seeds: Whether it speaks of the very seeds that its cells show, and not of what any seed would give.
    """

    key: str
    sentence: str
    where: str
    statement: Statement
    paper: str = ""
    contradicted_by: str = ""
    about_seeds: bool = False


def load_claims(path: str | Path, schema: str | Path | None = None) -> list[Claim]:
    """The claims of a study.

    Raises:
        InputError: Names the claim and what is wrong with it.
    """
    content = load_yaml(path)
    if schema is not None:
        check_against(content, schema, path)
    readings = content.get("readings", {})
    written = (
        read for key, fields in content["claims"].items() for read in _in_each_reading(key, fields, readings, path)
    )
    claims = [_claim(key, fields, path) for key, fields in written]
    for claim in claims:
        _check_sides(claim, path)
    keys = [claim.key for claim in claims]
    if repeated := next((key for key in keys if keys.count(key) > 1), ""):
        raise InputError(path, f"claim '{repeated}' appears twice, once as a reading.", "Rename one of them.")
    return claims


def _in_each_reading(
    key: str, fields: Mapping[str, Any], readings: Mapping[str, Mapping[str, str]], path: str | Path
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A claim as it is, or once per reading of the setting that the paper leaves open.

    In the places of the claim, ``<alpha>`` stands for the word of the reading of ``alpha``; the sentence begins with
    the reading's text.
    """
    name = fields.get("reading")
    if name is None:
        yield key, fields
        return
    if name not in readings:
        known = ", ".join(readings) or "none"
        raise InputError(path, f"claim '{key}' has the reading '{name}'.", f"Known: {known}.")
    for word, text in readings[name].items():
        filled = _filled(fields, f"<{name}>", word)
        yield f"{key}-{word}", {**filled, "sentence": f"{text}, {fields['sentence']}"}


def _filled(content: Any, placeholder: str, word: str) -> Any:
    """Every text of a nested value with a placeholder replaced."""
    if isinstance(content, str):
        return content.replace(placeholder, word)
    if isinstance(content, Mapping):
        return {key: _filled(entry, placeholder, word) for key, entry in content.items()}
    return [_filled(entry, placeholder, word) for entry in content] if isinstance(content, list) else content


def _claim(key: str, fields: Mapping[str, Any], path: str | Path) -> Claim:
    predicate = {name: fields[name] for name in ("all", "any", "at_least", "of") if name in fields}
    try:
        statement = read_statement(predicate, fields["where"])
    except InputError as error:
        raise InputError(path, f"claim '{key}' {error.problem}", error.remedy) from None
    contradiction = fields.get("contradicted_by")
    contradicted_by = "" if contradiction is None else f"{contradiction['where']}: {contradiction['because']}"
    about = fields.get("about_seeds", False)
    return Claim(key, fields["sentence"], fields["where"], statement, fields.get("paper", ""), contradicted_by, about)


def _check_sides(claim: Claim, path: str | Path) -> None:
    """A curve is no number: it can only stand inside a function of curves."""
    for part in comparisons_of(claim.statement):
        for side in (part.left, part.right):
            if isinstance(side, Leaf) and side.kind is LeafKind.CURVE:
                problem = f"claim '{claim.key}' compares the curve '{side.text}' as if it were a number."
                raise InputError(path, problem, "Expected output/row/column, or a function of the curve.")


def places_of(claims: Iterable[Claim], kind: str) -> list[Place]:
    """Every place of one kind (a word of :class:`LeafKind`) that claims read, sorted."""
    return sorted({leaf.place for claim in claims for leaf in leaves_of(claim.statement) if leaf.kind == kind})


def required_outputs(claims: Iterable[Claim]) -> list[str]:
    """Outputs whose cells claims read, sorted."""
    return sorted({place[0] for place in places_of(claims, LeafKind.CELL)})


def claimed_outputs(claims: Collection[Claim], outputs: Mapping[str, Output]) -> list[Output]:
    """The outputs whose cells claims read, each cut down to the rows and columns that they name."""
    places = places_of(claims, LeafKind.CELL)
    return [
        replace(
            outputs[name],
            rows=tuple(row for row in outputs[name].rows if row.key in {place[1] for place in named}),
            columns=tuple(column for column in outputs[name].columns if column.key in {place[2] for place in named}),
            plot={},
            reads={},
        )
        for name in required_outputs(claims)
        for named in ([place for place in places if place[0] == name],)
    ]


def required_figures(claims: Iterable[Claim]) -> list[str]:
    """Figures whose curves claims read, sorted."""
    return sorted({place[0] for place in places_of(claims, LeafKind.CURVE)})


def required_datasets(claims: Iterable[Claim]) -> list[str]:
    """Data sets whose counts claims read, sorted."""
    return sorted({place[0] for place in places_of(claims, LeafKind.COUNT)})
