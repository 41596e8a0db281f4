"""Questions about trees of expressions."""

from fractions import Fraction
from typing import Any

from rlvr.grading.mathematics.cursor import Tree


def free_names(tree: Any) -> frozenset[str]:
    """Names in an expression, those of opaque parts and of sums included."""
    if not isinstance(tree, tuple) or not tree:
        return frozenset()
    if tree[0] in ("name", "index"):
        return frozenset({tree[1]})
    return frozenset().union(*(free_names(part) for part in tree))


def has(tree: Any, *heads: Any) -> bool:
    """Whether a tree holds a node of that kind, or a constant or function of that name."""
    if not isinstance(tree, tuple):
        return False
    if tree and (tree[0] in heads or (tree[0] in ("const", "call") and tree[1] in heads)):
        return True
    return any(has(part, *heads) for part in tree)


def rational(tree: Tree) -> Fraction | None:
    """The exact value of a fraction of integers, else ``None``."""
    if tree[0] == "num":
        return tree[1]
    if tree[0] == "neg":
        value = rational(tree[1])
        return None if value is None else -value
    if tree[0] == "div":
        top, bottom = rational(tree[1]), rational(tree[2])
        return top / bottom if top is not None and bottom else None
    return None
