"""Decisions on readings, kind by kind: nothing may be left over on either side."""

from collections.abc import Callable
from itertools import pairwise

from rlvr.grading.mathematics.cursor import Tree
from rlvr.grading.mathematics.equality import same_trees
from rlvr.grading.mathematics.equations import relations, same_as_equation
from rlvr.grading.mathematics.kinds import (
    Cases,
    Congruence,
    Equation,
    Expression,
    Group,
    Percent,
    Progression,
    Ratio,
    Reading,
    Relation,
)
from rlvr.grading.mathematics.regions import Region, same_regions
from rlvr.grading.mathematics.sameness import matched_once, same
from rlvr.grading.mathematics.sequences import sequences
from rlvr.grading.mathematics.sets import as_region
from rlvr.grading.mathematics.texts import bases, text
from rlvr.grading.mathematics.transformations import (
    same_antiderivative,
    same_vectors,
    same_with_renamed_constant,
    same_with_renamed_index,
)

SOLVED_FOR = frozenset({"", "x"})
HUNDRED: Tree = ("num", 100, "")


def _expressions(gold: Reading, answer: Reading) -> bool | None:
    if not (isinstance(gold, Expression) and isinstance(answer, Expression)):
        return None
    if same_trees(gold.tree, answer.tree):
        return True
    return (
        same_with_renamed_index(gold.tree, answer.tree)
        or same_with_renamed_constant(gold.tree, answer.tree)
        or same_vectors(gold.tree, answer.tree)
        or same_antiderivative(gold.tree, answer.tree)
    )


def _percents(gold: Reading, answer: Reading) -> bool | None:
    r"""``50\%`` is 50 where the sign is left out, and 0.5."""
    if not (isinstance(gold, Percent) or isinstance(answer, Percent)):
        return None
    if isinstance(gold, Percent) and isinstance(answer, Percent):
        return same(gold.value, answer.value)
    percent, other = (gold, answer) if isinstance(gold, Percent) else (answer, gold)
    assert isinstance(percent, Percent)
    if isinstance(other, Equation):
        return None
    if not isinstance(other, Expression) or not isinstance(percent.value, Expression):
        return False
    fraction = ("div", percent.value.tree, HUNDRED)
    return same_trees(percent.value.tree, other.tree) or same_trees(fraction, other.tree)


def _congruences(gold: Reading, answer: Reading) -> bool | None:
    if isinstance(gold, Congruence) and isinstance(answer, Congruence):
        if gold.name and answer.name and gold.name != answer.name:
            return False
        return same(gold.modulus, answer.modulus) and matched_once(_reduced(gold), _reduced(answer), same)
    if isinstance(gold, Congruence):
        known = gold.name in SOLVED_FOR and len(gold.residues) == 1
        return known and same(_reduced(gold)[0], answer) if not isinstance(answer, Equation) else None
    if isinstance(answer, Congruence):
        return len(answer.residues) == 1 and answer.name in SOLVED_FOR and same(gold, _reduced(answer)[0])
    return None


def _reduced(congruence: Congruence) -> list[Reading]:
    """Residues between 0 and the modulus where they are numbers."""
    modulus = _whole(congruence.modulus)
    found = []
    for residue in congruence.residues:
        value = _whole(residue)
        known = modulus and value is not None
        found.append(Expression(("num", value % modulus, ""), ()) if known else residue)  # type: ignore[operator]
    return found


def _whole(reading: Reading) -> int | None:
    tree = reading.tree if isinstance(reading, Expression) else ("none",)
    sign, tree = (-1, tree[1]) if tree[0] == "neg" else (1, tree)
    return sign * int(tree[1]) if tree[0] == "num" and tree[1] == int(tree[1]) else None


def _cases(gold: Reading, answer: Reading) -> bool | None:
    if not (isinstance(gold, Cases) and isinstance(answer, Cases)):
        return None if not (isinstance(gold, Cases) or isinstance(answer, Cases)) else False
    return matched_once(gold.rows, answer.rows, lambda one, other: same(one[0], other[0]) and same(one[1], other[1]))


def _groups(gold: Reading, answer: Reading) -> bool | None:
    return gold == answer if isinstance(gold, Group) or isinstance(answer, Group) else None


def _ratios(gold: Reading, answer: Reading) -> bool | None:
    if not (isinstance(gold, Ratio) or isinstance(answer, Ratio)):
        return None
    if not (isinstance(gold, Ratio) and isinstance(answer, Ratio)) or len(gold.parts) != len(answer.parts):
        return False
    return all(same(one, other) for one, other in zip(gold.parts, answer.parts, strict=True))


def _regions(gold: Reading, answer: Reading) -> bool | None:
    if not (isinstance(gold, Region) or isinstance(answer, Region)):
        return None
    if isinstance(gold, Region):
        region = as_region(answer, certain=True)
        if region is not None and same_regions(gold, region):
            return True
        return (
            isinstance(answer, (Region, Relation))
            and bool(gold.sides and answer.sides)
            and bool(relations(Relation(gold.sides, gold.signs), Relation(answer.sides, answer.signs)))
        )
    assert isinstance(answer, Region)
    if isinstance(gold, Relation):
        return bool(answer.sides) and bool(relations(gold, Relation(answer.sides, answer.signs)))
    region = as_region(gold, certain=answer.french)
    return region is not None and same_regions(region, answer)


def _progressions(gold: Reading, answer: Reading) -> bool | None:
    if not (isinstance(gold, Progression) or isinstance(answer, Progression)):
        return None
    if not (isinstance(gold, Progression) and isinstance(answer, Progression)):
        return False
    if {gold.brackets, answer.brackets} - {"", "{}"} and gold.brackets != answer.brackets:
        return False
    if len(gold.after) != len(answer.after) or not all(map(same, gold.after, answer.after)):
        return False
    shorter, longer = sorted((gold.before, answer.before), key=len)
    if len(shorter) < min(2, len(longer)) or not all(map(same, shorter, longer)):
        return False
    numbers = [_whole(entry) for entry in longer]
    if len(shorter) == len(longer):
        return True
    known = [number for number in numbers if number is not None]
    return len(known) == len(numbers) and len({second - first for first, second in pairwise(known)}) == 1


DECISIONS: tuple[Callable[[Reading, Reading], bool | None], ...] = (
    bases, text, _expressions, _percents, _congruences, same_as_equation, relations, _cases, _regions, _groups,
    _ratios, _progressions, sequences,
)  # fmt: skip
