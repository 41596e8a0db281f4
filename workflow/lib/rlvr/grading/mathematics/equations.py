"""Equations and inequalities: the value that a label names, and sides that vanish together."""

from typing import Any

from rlvr.grading.mathematics.cursor import Tree
from rlvr.grading.mathematics.equality import proportional, same_trees
from rlvr.grading.mathematics.kinds import Cases, Equation, Expression, Reading, Relation, Sequence
from rlvr.grading.mathematics.regions import Region
from rlvr.grading.mathematics.sameness import same
from rlvr.grading.mathematics.transformations import renamed
from rlvr.grading.mathematics.trees import free_names


def same_as_equation(gold: Reading, answer: Reading) -> bool | None:
    """The decision where one of the two is an equation."""
    if isinstance(gold, Equation) and isinstance(answer, Equation):
        return _same_equations(gold, answer)
    if isinstance(gold, Equation):
        several = isinstance(answer, Sequence) and len(answer.items) > 1
        if several and not isinstance(gold.value, (Sequence, Cases)):
            return False
        value = _value_of(gold, labelled=True)
        return value is not None and same(value, answer)
    if isinstance(answer, Equation):
        value = _value_of(answer, labelled=False)
        return value is not None and same(gold, value)
    return None


def _value_of(equation: Equation, labelled: bool) -> Reading | None:
    """The value that an equation gives to a name; ``None`` where it only relates its sides."""
    sides = equation.sides
    if any(not same(sides[-1], side) for side in sides[1 if not equation.label else 0 : -1]):
        return None
    if equation.label:
        return sides[-1]
    trees = [side.tree for side in sides if isinstance(side, Expression)]
    if len(trees) != len(sides) or any(free_names(tree) for tree in trees[1:]):
        return None
    if not free_names(trees[0]):
        return sides[-1] if same(sides[0], sides[-1]) else None
    names = trees[0][1:] if trees[0][0] == "add" else ()
    named = bool(names) and len(sides) > 2 and all(part[0] == "name" for part in names)
    return sides[-1] if named and not labelled else None


def _same_equations(gold: Equation, answer: Equation) -> bool:
    if gold.label and answer.label and (gold.worded or answer.worded):
        return (gold.label == answer.label or not gold.worded) and same(gold.value, answer.value)
    if gold.label and gold.label == answer.label:
        value = _with_argument_of(gold, answer)
        return value is not None and same(gold.value, value) and all(same(answer.value, side) for side in answer.sides)
    if gold.label and answer.label and gold.argument:
        return False
    one, other = _difference(gold), _difference(answer)
    if one is None or other is None:
        return False
    mirrored = Equation("", "", answer.sides[::-1], answer.tokens)
    if not (gold.label or answer.label) and (_same_sides(gold, answer) or _same_sides(gold, mirrored)):
        return True
    return bool(free_names(one) or free_names(other)) and _same_zeros(one, other)


def _with_argument_of(gold: Equation, answer: Equation) -> Reading | None:
    """The value of an answer with the gold's name for the argument, where both values depend on theirs."""
    value = answer.value
    if gold.argument == answer.argument:
        return value
    if not (isinstance(gold.value, Expression) and isinstance(value, Expression)):
        return None
    taken = free_names(value.tree) - {answer.argument}
    if gold.argument not in free_names(gold.value.tree) or gold.argument in taken:
        return None
    return Expression(renamed(value.tree, answer.argument, gold.argument), value.tokens)


def _same_zeros(one: Tree, other: Tree) -> bool:
    """Whether two differences vanish together: up to a constant factor, or to what one of them is divided by."""
    if proportional(one, other):
        return True
    for divisor in (*divisors(one), *divisors(other)):
        if proportional(("mul", one, divisor), other) or proportional(one, ("mul", other, divisor)):
            return True
    return False


def divisors(tree: Any) -> list[Tree]:
    """Divisors somewhere in a tree that hold a name, the first few."""
    if not isinstance(tree, tuple) or not tree:
        return []
    found = [tree[2]] if tree[0] == "div" and free_names(tree[2]) else []
    return [*found, *(one for part in tree for one in divisors(part))][:3]


def _difference(equation: Equation) -> Tree | None:
    """Left side less right side, of an equation with two sides."""
    sides = [side.tree for side in equation.sides if isinstance(side, Expression)]
    if len(sides) != len(equation.sides):
        return None
    if equation.label and not equation.worded:
        if equation.argument or " " in equation.label.replace("_ ", ""):
            sides.insert(0, ("call", ("name", equation.label), (("name", equation.argument),)))
        else:
            sides.insert(
                0, ("index", *_index_parts(equation.label)) if "_" in equation.label else ("name", equation.label)
            )
    return ("add", sides[0], ("neg", sides[1])) if len(sides) == 2 else None


def _index_parts(label: str) -> tuple[str, tuple[str, ...]]:
    name, _, index = label.partition("_")
    return name, tuple(index.split(" "))


def _same_sides(gold: Equation, answer: Equation) -> bool:
    return len(gold.sides) == len(answer.sides) and all(
        same(one, other) for one, other in zip(gold.sides, answer.sides, strict=True)
    )


def relations(gold: Reading, answer: Reading) -> bool | None:
    """Inequalities that are no region of one name, side by side or as the sign of a difference."""
    if not (isinstance(gold, Relation) and isinstance(answer, Relation)):
        either = isinstance(gold, Relation) or isinstance(answer, Relation)
        return False if either and not (isinstance(gold, Region) or isinstance(answer, Region)) else None
    if len(gold.sides) != len(answer.sides):
        return False
    one, other = _upwards(gold), _upwards(answer)
    if one.signs != other.signs:
        return False
    if len(one.sides) > 2:
        return all(same_trees(left, right) for left, right in zip(one.sides, other.sides, strict=True))
    first, second = (("add", relation.sides[1], ("neg", relation.sides[0])) for relation in (one, other))
    return proportional(first, second, positive=one.signs != ("!=",))


def _upwards(relation: Relation) -> Relation:
    """The relation read so that its first sign is "less"."""
    if relation.signs[0] in (">", ">="):
        mirrored = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "!=": "!="}
        return Relation(relation.sides[::-1], tuple(mirrored[sign] for sign in relation.signs[::-1]))
    return relation
