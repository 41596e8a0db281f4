r"""How large an answer grows when computer algebra expands it: a bound found by reading it once.

Nothing is computed: numbers are known by their decimal logarithm, sums by how many terms they have when multiplied
out. ``9^{9^9}`` is thereby 369,693,099 digits and ``(x+y+z+1)^{60}`` 39,711 terms, in microseconds.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

TOKEN = re.compile(
    r"\\end\s*\{\w*matrix\}|\\(?P<command>[A-Za-z]+)|\\.|(?P<number>(?<=\^)\d+|\d{1,3}(?:,\d{3})+(?!\d)|\d*\.?\d+)|(?P<letter>[^\W\d_])"
    r"|(?P<power>\^|\*\*)|(?P<bracket>[()\[\]{}])|(?P<sign>[-+])|(?P<factorial>!)|(?P<separator>[,;:=<>&])",
    re.DOTALL,
)
# Commands that stand for no number of their own.
NEUTRAL = re.compile(
    r"left|right|[bB]igg?[lr]?|[dtc]?frac|text(?:bf|it)?|math(?:rm|bf|it)|mbox|operatorname|cdot|times|q?quad|limits|"
    r"displaystyle|circ|degree|begin|end|in|leq?|geq?|lt|gt|neq|to"
)
REPEATED = {"sum": "repetitions", "prod": "repetitions", "binom": "choices", "dbinom": "choices", "tbinom": "choices"}
CONSTANTS = {"e": math.log10(math.e), "pi": math.log10(math.pi)}
HUGE = 1e12  # logarithms and counts are cut here, so that no bound overflows


@dataclass(frozen=True, slots=True)
class Size:
    """A bound for one subexpression.

    Attributes:
        digits: Decimal logarithm of its numerator, denominator or largest coefficient.
        terms: Terms of the expanded sum.
        degree: Total degree in symbols, roots and other irrational constants; 0 for a rational number.
        symbols: Those symbols.
        numeric: Whether its value is a number.
    """

    digits: float = 0.0
    terms: float = 1.0
    degree: float = 0.0
    symbols: frozenset[str] = frozenset()
    numeric: bool = True

    @property
    def value(self) -> float:
        """A bound of the value, if it is a number."""
        return 10 ** min(self.digits, math.log10(HUGE))


MATRIX = Size(terms=4, degree=1, symbols=frozenset({"m11", "m12", "m21", "m22"}), numeric=False)  # the smallest square


@dataclass(frozen=True, slots=True)
class Cost:
    """The largest sizes that occur anywhere in an answer.

    Attributes:
        digits: Digits of a number.
        terms: Terms of an expanded sum.
        sum_exponent: Exponent over a sum of several terms.
        repetitions: Largest number in an answer that holds a sum or product sign, else 0.
        choices: The same for a binomial coefficient.
    """

    digits: float = 0.0
    terms: float = 0.0
    sum_exponent: float = 0.0
    repetitions: float = 0.0
    choices: float = 0.0

    def exceeds(self, other: "Cost") -> bool:
        """Whether any size is larger than in ``other``."""
        return (
            self.digits > other.digits
            or self.terms > other.terms
            or self.sum_exponent > other.sum_exponent
            or self.repetitions > other.repetitions
            or self.choices > other.choices
        )

    def joined(self, other: "Cost") -> "Cost":
        """The larger of both sizes, each for itself."""
        return Cost(
            max(self.digits, other.digits),
            max(self.terms, other.terms),
            max(self.sum_exponent, other.sum_exponent),
            max(self.repetitions, other.repetitions),
            max(self.choices, other.choices),
        )


# What is surely compared within a second or two: more than any honest answer needs.
AFFORDABLE = Cost(digits=20_000, terms=1_000, sum_exponent=300, repetitions=500, choices=10_000)
MAX_ANSWER_CHARS = 300  # ASSUME: the longest real gold of DeepMath, MATH and AIME that we know has 161
MAX_NESTING = 10  # brackets within brackets: 16 of them already cost seconds of parsing
LONGEST_ANSWER = 2_000  # however long its gold is


def is_hostile(answer: str, gold: str = "") -> bool:
    """Whether an answer could keep a parser busy: too long, too deep, or too large when it is expanded.

    Such answers are not compared at all; an honest one is never that large unless its gold is, too. The time limit of
    a grade guards against what passes here.
    """
    if is_too_long(answer, gold) or nesting(answer) > MAX_NESTING:
        return True
    cost = expansion_cost(answer)
    return cost.exceeds(AFFORDABLE) and cost.exceeds(AFFORDABLE.joined(expansion_cost(gold)))


def is_too_long(answer: str, gold: str = "") -> bool:
    """Whether an answer is longer than any honest one to that gold."""
    return len(answer) > max(MAX_ANSWER_CHARS, min(2 * len(gold), LONGEST_ANSWER))


def nesting(text: str) -> int:
    """Largest number of brackets of any kind that are open at once."""
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth = max(depth - 1, 0)
    return deepest


@dataclass(slots=True)
class _Frame:
    """Everything read so far inside one pair of brackets: finished addends, the factors of the last, and its powers."""

    addends: list[Size] = field(default_factory=list)
    product: Size | None = None
    tower: list[Size] = field(default_factory=list)
    awaits_exponent: bool = False


def add(sizes: Iterable[Size]) -> Size:
    """Size of a sum; rational numbers join into one term."""
    sizes = list(sizes) or [Size()]
    if len(sizes) == 1 and (sizes[0].symbols or sizes[0].terms == 1):
        return sizes[0]
    rational = [size for size in sizes if not size.symbols]
    return Size(
        min(max(size.digits for size in sizes) + math.log10(len(sizes)), HUGE),
        sum(size.terms for size in sizes if size.symbols) + bool(rational),
        max(size.degree for size in sizes),
        frozenset().union(*(size.symbols for size in sizes)),
        all(size.numeric for size in sizes),
    )


def multiply(first: Size, second: Size) -> Size:
    """Size of an expanded product."""
    degree, symbols = min(first.degree + second.degree, HUGE), first.symbols | second.symbols
    terms = min(first.terms * second.terms, choose(degree + len(symbols), len(symbols)))
    return Size(min(first.digits + second.digits, HUGE), terms, degree, symbols, first.numeric and second.numeric)


def raise_to(base: Size, exponent: Size) -> Size:
    """Size of an expanded power; a symbolic exponent stays as it is."""
    if not exponent.numeric:
        return Size(base.digits, base.terms, base.degree, base.symbols | exponent.symbols, False)
    degree, variables = min(base.degree * exponent.value, HUGE), len(base.symbols)
    terms = min(choose(exponent.value + base.terms - 1, base.terms - 1), choose(degree + variables, variables))
    return Size(min(base.digits * exponent.value, HUGE), terms, degree, base.symbols, base.numeric)


def factorial(size: Size) -> Size:
    """Size of a factorial, by Stirling's formula."""
    if not size.numeric:
        return size
    digits = size.value * max(math.log10(max(size.value, 1)) - math.log10(math.e), 0.3)
    return Size(min(digits, HUGE), size.terms, size.degree, size.symbols, size.numeric)


def choose(total: float, chosen: float) -> float:
    """Binomial coefficient of possibly huge arguments, cut at ``HUGE``."""
    chosen = min(chosen, total - chosen)
    if chosen <= 0:
        return 1.0
    if total >= HUGE:
        return HUGE
    logarithm = math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)
    return math.exp(min(logarithm, math.log(HUGE)))


@lru_cache(maxsize=4096)
def expansion_cost(text: str) -> Cost:
    """The largest sizes in a text, read as LaTeX or plain mathematics; total, and linear in the number of tokens."""
    return _Reader().read(text)


class _Reader:
    """One pass over the tokens with a stack of open brackets."""

    def __init__(self) -> None:
        self.stack = [_Frame()]
        self.cost = Cost()
        self.largest_number = 0.0
        self.repeated: set[str] = set()  # fields of the cost that the largest number counts for

    def read(self, text: str) -> Cost:
        for token in TOKEN.finditer(text):
            if (bracket := token["bracket"]) is not None:
                self._bracket(bracket)
            elif token["power"]:
                self.stack[-1].awaits_exponent = bool(self.stack[-1].tower)
            elif token["factorial"]:
                self._factorial()
            elif token["sign"] or token["separator"]:
                self._finish_addend(separate=bool(token["separator"]))
            elif (atom := self._atom(token)) is not None:
                self._factor(atom)
        while len(self.stack) > 1:
            self._bracket(")")
        self._finish_addend(separate=True)
        repeated = dict.fromkeys(self.repeated, self.largest_number)
        return replace(self.cost, **repeated) if repeated else self.cost

    def _atom(self, token: re.Match[str]) -> Size | None:
        """Size of a number, a symbol or a constant; ``None`` for what is none."""
        if number := token["number"]:
            digits = number.replace(",", "").replace(".", "").lstrip("0")
            value = math.log10(int(digits[:15])) + max(len(digits) - 15, 0) if digits else 0.0
            self.largest_number = max(self.largest_number, 10 ** min(value, math.log10(HUGE)))
            return Size(digits=value)
        name = token["letter"] or token["command"]
        if name is None:  # what is raised to a power after a matrix ends mixes all of its entries
            return MATRIX if token[0].startswith(r"\end") else None
        if name in REPEATED:
            self.repeated.add(REPEATED[name])
        if name in REPEATED or NEUTRAL.fullmatch(name):
            return None
        # The same letter is the same symbol; what a command makes of its argument is another one each time.
        symbol = name if token["letter"] or name in CONSTANTS else f"{name} {token.start()}"
        return Size(CONSTANTS.get(name, 0.0), 1, 1, frozenset({symbol}), name in CONSTANTS or name == "sqrt")

    def _bracket(self, bracket: str) -> None:
        if bracket in "([{":
            self.stack.append(_Frame())
        elif len(self.stack) > 1:
            self._finish_addend()
            self._factor(add(self.stack.pop().addends))

    def _factor(self, size: Size) -> None:
        frame = self.stack[-1]
        if not frame.awaits_exponent:
            self._finish_tower()
        frame.tower.append(size)
        frame.awaits_exponent = False

    def _factorial(self) -> None:
        tower = self.stack[-1].tower
        if tower:
            tower[-1] = factorial(tower[-1])
            self._note(tower[-1])

    def _finish_tower(self) -> None:
        """Evaluate base^exponent^exponent..., from the right, and multiply it onto the product."""
        frame = self.stack[-1]
        if not frame.tower:
            return
        size = frame.tower.pop()
        while frame.tower:
            base = frame.tower.pop()
            if base.terms > 1 and size.numeric:
                self.cost = self.cost.joined(Cost(sum_exponent=size.value))
            size = raise_to(base, size)
            self._note(size)
        frame.product = size if frame.product is None else multiply(frame.product, size)

    def _finish_addend(self, separate: bool = False) -> None:
        self._finish_tower()
        frame = self.stack[-1]
        if frame.product is not None:
            frame.addends.append(frame.product)
            frame.product = None
        if frame.addends:
            self._note(add(frame.addends))
        if separate:
            frame.addends.clear()

    def _note(self, size: Size) -> None:
        if size.digits > self.cost.digits or size.terms > self.cost.terms:
            self.cost = self.cost.joined(Cost(size.digits, size.terms))
