"""Equal expressions that do not have equal values: renamed indices and constants, unit vectors, antiderivatives."""

from typing import Any

from rlvr.grading.mathematics.cursor import Tree
from rlvr.grading.mathematics.equality import same_trees
from rlvr.grading.mathematics.points import Point, UndefinedError, context
from rlvr.grading.mathematics.trees import free_names, has
from rlvr.grading.mathematics.values import evaluate

INDEX_NAMES = frozenset("jklmn")


def same_with_renamed_index(gold: Tree, answer: Tree) -> bool:
    r"""The integer of a periodic solution may have any name: ``\pi k`` is ``n \pi``."""
    names, others = free_names(gold), free_names(answer)
    if len(names) != 1 or len(others) != 1 or names == others or not names | others <= INDEX_NAMES:
        return False
    if not all(has(tree, "pi", "deg") for tree in (gold, answer)) or any(
        has(tree, "pow", "call") for tree in (gold, answer)
    ):
        return False
    return same_trees(gold, renamed(answer, *others, *names))


def same_with_renamed_constant(gold: Tree, answer: Tree) -> bool:
    """A constant of integration may be written small."""
    if gold[0] != "add" or answer[0] != "add" or ("name", "C") not in gold or ("name", "c") not in answer:
        return False
    one, other = (tuple(part for part in tree if part not in (("name", "C"), ("name", "c"))) for tree in (gold, answer))
    if {"C", "c"} & (free_names(one) | free_names(other)) or len(one) != len(gold) - 1 or len(other) != len(answer) - 1:
        return False
    return same_trees((*one, ("num", 0, "")), (*other, ("num", 0, "")))


def same_antiderivative(gold: Tree, answer: Tree) -> bool:
    """An indefinite integral is answered by a function with that derivative."""
    for integral, function in ((gold, answer), (answer, gold)):
        if integral[0] == "int" and integral[2] is None and integral[3] is None and not has(function, "int"):
            return _is_antiderivative(integral, function)
    return False


def _is_antiderivative(integral: Tree, function: Tree) -> bool:

    ctx, agreed = context(), 0
    for place in range(6):
        values = []
        for tree, differentiated in ((integral[4], False), (function, True)):

            def at(x: Any, tree: Tree = tree, place: int = place) -> Any:
                return evaluate(tree, Point(f"{place}", bound={integral[1]: x}))

            start = ctx.mpf(place * 7 + 3) / 11
            try:
                values.append(ctx.diff(at, start) if differentiated else at(start))
            except (UndefinedError, ValueError, ZeroDivisionError):
                break
        if len(values) == 2:
            if abs(values[0] - values[1]) > ctx.mpf(10) ** -20 * max(abs(values[0]), abs(values[1])):
                return False
            agreed += 1
    return agreed >= 3


def renamed(tree: Any, old: str, new: str) -> Any:
    """The tree with another name for one of its names."""
    if tree == ("name", old):
        return ("name", new)
    return tuple(renamed(part, old, new) for part in tree) if isinstance(tree, tuple) else tree


def same_vectors(gold: Tree, answer: Tree) -> bool:
    """Unit vectors, written i, j and k by one and bold or with hats by the other."""
    if not any(name.startswith("unit") for name in free_names(gold) | free_names(answer)):
        return False
    first, second = (_with_unit_vectors(tree) for tree in (gold, answer))
    for vector, other in ((gold, answer), (answer, gold)):
        entries = vector_entries(vector)
        parts = components(other, len(entries)) if entries else None
        if entries and parts:
            return all(same_trees(one, part) for one, part in zip(entries, parts, strict=True))
    return (first, second) != (gold, answer) and same_trees(first, second)


def _with_unit_vectors(tree: Any) -> Any:
    if tree in (("const", "i"), ("name", "j"), ("name", "k")):
        return ("name", f"unit {tree[1]}")
    return tuple(_with_unit_vectors(part) for part in tree) if isinstance(tree, tuple) else tree


def components(tree: Tree, size: int) -> list[Tree] | None:
    """Coefficients of the unit vectors in a sum, ``None`` if there are none."""
    names = [f"unit {letter}" for letter in "ijk"]
    if not any(name in free_names(tree) for name in names) or ("unit k" in free_names(tree) and size < 3):
        return None

    def replaced(part: Any, chosen: str) -> Any:
        if isinstance(part, tuple) and part[:1] == ("name",) and part[1] in names:
            return ("num", int(part[1] == chosen), "")
        return tuple(replaced(one, chosen) for one in part) if isinstance(part, tuple) else part

    none = replaced(tree, "")
    return [replaced(tree, name) for name in names[:size]] if same_trees(none, ("num", 0, "")) else None


def vector_entries(tree: Tree) -> list[Tree] | None:
    """Entries of a matrix with one column or one row, or of its transpose."""
    if tree[0] == "pow" and tree[2] == ("name", "T"):
        return vector_entries(tree[1])
    if tree[0] == "vector":
        return list(tree[1:])
    if tree[0] != "matrix":
        return None
    rows = tree[1]
    if len(rows) == 1:
        return list(rows[0])
    return [row[0] for row in rows] if all(len(row) == 1 for row in rows) else None
