"""Answers compared as text: the same words in the same order, and between them the same mathematics."""

from typing import Any

from rlvr.grading.mathematics.equations import same_as_equation
from rlvr.grading.mathematics.kinds import Based, Equation, Expression, Group, Reading, Text
from rlvr.grading.mathematics.latex import Token, Tokens
from rlvr.grading.mathematics.reader import read
from rlvr.grading.mathematics.regions import Region, same_regions
from rlvr.grading.mathematics.sameness import same
from rlvr.grading.mathematics.sets import whole_line
from rlvr.grading.mathematics.words import SYNONYMS


def text(gold: Reading, answer: Reading) -> bool | None:
    """The decision where one of the two is text."""
    if isinstance(gold, Text) or isinstance(answer, Text):
        if isinstance(gold, Equation) or isinstance(answer, Equation):
            return bool(same_as_equation(gold, answer)) or same_text(tokens_of(gold), tokens_of(answer))
        return same_text(tokens_of(gold), tokens_of(answer))
    return None


WEDGE = Token("infix", "wedge")  # of propositions, too


def tokens_of(reading: Reading) -> Tokens:
    """The tokens of a reading that has kept them."""
    if reading == Group(("bb R",)) or (isinstance(reading, Region) and same_regions(reading, whole_line())):
        return (Token("name", "bb R"),)
    return reading.tokens if isinstance(reading, (Text, Expression, Equation)) else ()


def phrase(tokens: Tokens) -> str:
    """Words of a text in one line, ``""`` if it holds anything else."""
    if tokens == (Token("constant", "inf"),) or tokens == (Token("op", "+"), Token("constant", "inf")):
        return "infinity"
    if tokens == (Token("op", "-"), Token("constant", "inf")):
        return "negative infinity"
    if tokens == (Token("name", "bb R"),):
        return "all real numbers"
    kinds = {token.kind for token in tokens}
    if not kinds <= {"word", "emptyset", "name", "constant", "sep"} or not kinds & {"word", "emptyset"}:
        return ""
    words = [
        "infinity" if token == Token("constant", "inf") else token.text.casefold()
        for token in tokens
        if token.kind != "sep"
    ]
    return " ".join(word for word in words if word not in ("the", "a", "an"))


def same_text(gold: Tokens, answer: Tokens) -> bool:
    """Whether two texts say the same: the same words in the same order, and between them the same mathematics."""
    if not gold or not answer:
        return False
    gold, answer = (tuple(WEDGE if token.text == "\\land" else token for token in one) for one in (gold, answer))
    if gold == answer:
        return True
    one, other = phrase(gold), phrase(answer)
    if one and other and (one == other or any(one in group and other in group for group in SYNONYMS)):
        return True
    first, second = _runs(gold), _runs(answer)
    if len(first) != len(second) or not any(kind == "words" for kind, _ in first):
        return len(first) == len(second) == 1 and _bare(gold) == _bare(answer)
    return all(
        kind == other_kind and (left == right if kind == "words" else _same_run(left, right))
        for (kind, left), (other_kind, right) in zip(first, second, strict=True)
    )


def _bare(tokens: Tokens) -> list[str]:
    """Signs without grouping braces; letters are letters, whether as a word or as names."""
    return [
        sign
        for token in tokens
        if token.text not in ("{", "}")
        for sign in (
            token.text if token.kind in ("word", "name") and token.text.isalpha() else (f"{token.kind} {token.text}",)
        )
    ]


def _runs(tokens: Tokens) -> list[tuple[str, Any]]:
    """Runs of words (in lower case, articles left out) and of anything else."""
    runs: list[tuple[str, Any]] = []
    for token in tokens:
        kind = "words" if token.kind in ("word", "and", "or", "quantifier") else "other"
        if (
            kind == "other"
            and token.text in (",", ".", ";", "{", "}")
            and token.kind in ("sep", "other", "open", "close")
        ):
            continue
        item = token.text.casefold() if kind == "words" else token
        if item in ("the", "a", "an", "is", "are"):
            continue
        if runs and runs[-1][0] == kind:
            runs[-1][1].append(item)
        else:
            runs.append((kind, [item]))
    return runs


def _same_run(gold: list[Token], answer: list[Token]) -> bool:
    if gold == answer:
        return True
    one, other = read(tuple(gold), depth=1), read(tuple(answer), depth=1)
    return not isinstance(one, Text) and not isinstance(other, Text) and same(one, other)


def bases(gold: Reading, answer: Reading) -> bool | None:
    """The base may be left out, not changed."""
    if isinstance(gold, Based) and isinstance(answer, Based):
        return (gold.digits, gold.base) == (answer.digits, answer.base)
    if not (isinstance(gold, Based) or isinstance(answer, Based)):
        return None
    based, other = (gold, answer) if isinstance(gold, Based) else (answer, gold)
    assert isinstance(based, Based)
    if isinstance(other, Equation):
        return None
    digits = "".join(token.text for token in tokens_of(other) if token.text not in ("{", "}", "(", ")"))
    return digits.upper() == based.digits
