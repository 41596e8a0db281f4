"""Trees of expressions, and the place in the tokens that their reader has come to."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rlvr.grading.mathematics.latex import Token, Tokens, UnreadableError

Tree = tuple[Any, ...]
CLOSING = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "<": ">", "floor": "floor", "ceil": "ceil"}
STARTS = frozenset(
    {
        "number",
        "name",
        "constant",
        "function",
        "frac",
        "sqrt",
        "binom",
        "open",
        "bar",
        "big",
        "limit",
        "begin",
        "bigother",
    }
)
MAX_DEPTH = 60
VECTOR_LIKE = ("name", "index")


@dataclass
class Cursor:
    """The tokens of one expression and what has been read of them.

    Attributes:
        tokens: All of them.
        products: Names that are known to be numbers, so that a bracket behind one is a factor.
        place: Of the next token.
        depth: Of the grammar's recursion.
        bars: Whether a bar would close an absolute value, or divides the arguments of a function.
    """

    tokens: Tokens
    products: frozenset[str] = frozenset()
    place: int = 0
    depth: int = 0
    bars: int = 0

    @property
    def kind(self) -> str | None:
        """Kind of the next token."""
        return self.tokens[self.place].kind if self.place < len(self.tokens) else None

    @property
    def text(self) -> str:
        """Text of the next token."""
        return self.tokens[self.place].text if self.place < len(self.tokens) else ""

    def take(self) -> Token:
        """The next token, which is then read."""
        if self.place >= len(self.tokens):
            raise UnreadableError
        self.place += 1
        return self.tokens[self.place - 1]

    def at(self, kind: str, text: str | None = None) -> bool:
        """Whether the next token is that one."""
        return self.kind == kind and (text is None or self.text == text)

    def expect(self, kind: str, text: str | None = None) -> Token:
        """The next token, which must be that one."""
        if not self.at(kind, text):
            raise UnreadableError
        return self.take()

    def closing(self) -> int:
        """Place of the bracket that closes the next one."""
        depth = 0
        for place in range(self.place, len(self.tokens)):
            token = self.tokens[place]
            depth += (token.kind == "open") - (token.kind == "close")
            if depth == 0:
                return place
        raise UnreadableError

    def sum(self) -> Tree:
        """A sum of products."""
        raise NotImplementedError

    def product(self) -> Tree:
        """A product of factors."""
        raise NotImplementedError

    def factor(self) -> Tree:
        """A base with what stands behind it."""
        raise NotImplementedError

    def argument(self, script: bool = False) -> Tree:
        """Tokens that a command is applied to."""
        raise NotImplementedError


def number(value: int) -> Tree:
    """The tree of an integer."""
    return ("num", Fraction(value), "")


def is_whole(tree: Tree) -> bool:
    """Whether a tree is a positive integer as it was written."""
    return tree[0] == "num" and tree[1].denominator == 1 and not tree[2]


def times(first: Tree, second: Tree) -> Tree:
    """A product; factors keep their order."""
    left = first[1:] if first[0] == "mul" else (first,)
    return ("mul", *left, second)


def cross(first: Tree, second: Tree) -> Tree:
    """A product by a cross, which between names is one that does not commute."""
    if (first[0] in VECTOR_LIKE and second[0] in VECTOR_LIKE) or first == ("name", "\\nabla"):
        return ("call", "cross", (first, second))
    return times(first, second)
