"""Kinds of readings: what an answer may turn out to be."""

from dataclasses import dataclass

from rlvr.grading.mathematics.cursor import Tree
from rlvr.grading.mathematics.latex import Tokens
from rlvr.grading.mathematics.regions import Region


@dataclass(frozen=True, slots=True)
class Text:
    """Tokens that can only be compared as text."""

    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Expression:
    """A number, term or matrix."""

    tree: Tree
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Percent:
    """A value with a percent sign."""

    value: "Reading"


@dataclass(frozen=True, slots=True)
class Based:
    """Digits in a base."""

    digits: str
    base: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """Entries in brackets, or in none.

    Attributes:
        brackets: Opening and closing bracket: ``()``, ``[]``, ``{}`` or nothing.
        items: Readings of the entries.
        joined: ``,`` or ``;``, ``and`` or ``or``.
    """

    brackets: str
    items: tuple["Reading", ...]
    joined: str = ","


@dataclass(frozen=True, slots=True)
class Equation:
    """A value with its label, or two sides.

    Attributes:
        label: Canonical name on the other side of the equals sign, ``""`` where no side is one.
        argument: The single argument of a label ``f(x)``.
        sides: What is equated, the label's side left out.
        tokens: All of it.
        worded: Whether the label is made of words.
    """

    label: str
    argument: str
    sides: tuple["Reading", ...]
    tokens: Tokens
    worded: bool = False

    @property
    def value(self) -> "Reading":
        """The last side."""
        return self.sides[-1]


@dataclass(frozen=True, slots=True)
class Relation:
    """An inequality in several names, or one that is not solved."""

    sides: tuple[Tree, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Congruence:
    """Residues and their modulus, with the name that has them (or none)."""

    name: str
    residues: tuple["Reading", ...]
    modulus: "Reading"


@dataclass(frozen=True, slots=True)
class Cases:
    """Values with their conditions."""

    rows: tuple[tuple["Reading", "Reading"], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Factors of a direct product, in canonical order."""

    factors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Parts with colons between them: a ratio or a time of day."""

    parts: tuple["Reading", ...]


@dataclass(frozen=True, slots=True)
class Progression:
    """Entries with an ellipsis among them."""

    brackets: str
    before: tuple["Reading", ...]
    after: tuple["Reading", ...]


Reading = (
    Text
    | Expression
    | Percent
    | Based
    | Sequence
    | Equation
    | Relation
    | Congruence
    | Cases
    | Group
    | Ratio
    | Region
    | Progression
)
