r"""Whether two elementary expressions are equal, decided by their values in two finite fields: microseconds each.

Elementary are integers, letters, :math:`\pi` and square roots of small integers under ``+ - * /``, integer powers and
brackets. Equal expressions have equal values in every field; different ones of the sizes met here agree in both by
chance with a probability below 1e-30 (Schwartz 1980). :math:`\pi` may count as a letter because it is transcendental;
square roots have consistent values because every small prime is a square modulo both ``PRIMES``.

Whatever could be read in two ways (``1/2x``, ``x2``, ``f(x)``, ``2\frac{1}{2}``, ``x^10``) is not elementary.
"""

import hashlib
import re
from functools import lru_cache

PRIMES = (2_032_369_287_217_171_031, 1_153_527_093_071_023_919)  # 7 modulo 8; every small prime is a square
SMALL_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)
MAX_CHARS = 200
MAX_DEPTH = 10
MAX_EXPONENT = 10_000
MAX_ROOT = 10**6
TOKEN = re.compile(
    r"\s+|\\[,;!: ]|\\(?:left|right)(?=[()])|(?P<number>\d+)|(?P<name>\\pi(?![A-Za-z])|[a-cf-hj-zA-DF-HJ-Z])"
    r"|(?P<fraction>\\[dt]?frac(?![A-Za-z]))|(?P<root>\\sqrt(?![A-Za-z]))"
    r"|(?P<sign>[-+])|(?P<times>\*(?!\*)|\\cdot(?![A-Za-z])|\\times(?![A-Za-z]))|(?P<over>/)|(?P<power>\^)"
    r"|(?P<open>[({])|(?P<close>[)}])|(?P<other>.)",
    re.DOTALL,
)
Value = tuple[int, ...]


class _NotElementaryError(Exception):
    """The text is something else, or could be read in two ways."""


def same_expression(first: str, second: str) -> bool | None:
    """Whether two elementary expressions are equal; ``None`` where one is not elementary.

    Other letters, and products of bare letters (possibly words), are left to the full comparison, which knows more
    about symbols.
    """
    one, other = evaluate(first), evaluate(second)
    if one is None or other is None:
        return None
    (value, letters), (other_value, other_letters) = one, other
    if value == other_value:
        return True
    return False if letters == other_letters else None


@lru_cache(maxsize=4096)
def evaluate(text: str) -> tuple[Value, frozenset[str]] | None:
    """Values of an elementary expression modulo ``PRIMES``, and its letters; ``None`` for anything else."""
    if len(text) > MAX_CHARS:
        return None
    try:
        reader = _Reader(text)
        value = reader.sum()
        reader.expect_end()
    except _NotElementaryError:
        return None
    only_letters = all(kind in ("name", "times", "open", "close") for kind, _ in reader.tokens)
    if only_letters or sum(name.isupper() for name in reader.names) > 1:
        return None  # perhaps words, or matrices
    return value, frozenset(reader.names)


@lru_cache(maxsize=64)
def _letter(name: str) -> Value:
    """The pseudo-random value of a letter."""
    digest = hashlib.sha256(name.encode()).digest()
    return tuple(int.from_bytes(digest[:16], "big") % prime for prime in PRIMES)


def _inverse(value: Value) -> Value:
    if 0 in value:
        raise _NotElementaryError
    return tuple(pow(entry, -1, prime) for entry, prime in zip(value, PRIMES, strict=True))


def _product(first: Value, second: Value) -> Value:
    return tuple(one * other % prime for one, other, prime in zip(first, second, PRIMES, strict=True))


@lru_cache(maxsize=len(SMALL_PRIMES))
def _prime_root(factor: int) -> Value:
    return tuple(pow(factor, (prime + 1) // 4, prime) for prime in PRIMES)


def _square_root(number: int) -> Value:
    """The root of a positive integer with small prime factors; both ``PRIMES`` are 7 modulo 8."""
    if not 0 < number <= MAX_ROOT:
        raise _NotElementaryError
    value: Value = (1,) * len(PRIMES)
    for factor in SMALL_PRIMES:
        while number % factor == 0:
            number //= factor
            value = _product(value, _prime_root(factor))
    if number != 1:
        raise _NotElementaryError
    return value


class _Reader:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        matches = (token for token in TOKEN.finditer(text) if token.lastgroup)
        self.tokens = [(str(token.lastgroup), token[0]) for token in matches]
        self.place = 0
        self.depth = 0
        self.names: set[str] = set()

    @property
    def kind(self) -> str:
        return self.tokens[self.place][0] if self.place < len(self.tokens) else "end"

    def take(self, kind: str) -> str:
        if self.kind != kind:
            raise _NotElementaryError
        self.place += 1
        return self.tokens[self.place - 1][1]

    def expect_end(self) -> None:
        if self.kind != "end":
            raise _NotElementaryError

    def sum(self) -> Value:
        negative = self.kind == "sign" and self.take("sign") == "-"
        value = self.signed(negative)
        while self.kind == "sign":
            addend = self.signed(self.take("sign") == "-")
            value = tuple((one + other) % prime for one, other, prime in zip(value, addend, PRIMES, strict=True))
        return value

    def signed(self, negative: bool) -> Value:
        value = self.product()
        return tuple(-entry % prime for entry, prime in zip(value, PRIMES, strict=True)) if negative else value

    def product(self) -> Value:
        before = self.kind
        value, divided = self.power(), False
        while self.kind not in ("end", "sign", "close"):
            if self.kind == "over":
                self.take("over")
                value, divided = _product(value, _inverse(self.power())), True
                continue
            if self.kind == "times":
                self.take("times")
            elif divided or not self.may_touch(before):
                raise _NotElementaryError
            before = self.kind
            value = _product(value, self.power())
        return value

    def may_touch(self, before: str) -> bool:
        """Whether the next factor may follow without a sign: not a number, no argument, no mixed fraction."""
        if self.kind in ("number", "power", "other"):
            return False
        return not (before == "name" and self.kind == "open") and not (before == "number" and self.kind == "fraction")

    def power(self) -> Value:
        start = self.place
        base = self.base()
        if self.kind != "power":
            return base
        self.take("power")
        exponent = self.exponent()
        if exponent < 0 and self.tokens[start][0] == "name":
            raise _NotElementaryError  # perhaps an element of a group
        if exponent < 0:
            base, exponent = _inverse(base), -exponent
        if exponent > MAX_EXPONENT or (exponent == 0 and 0 in base):
            raise _NotElementaryError
        return tuple(pow(entry, exponent, prime) for entry, prime in zip(base, PRIMES, strict=True))

    def exponent(self) -> int:
        """An integer: one digit, or anything in braces that is one."""
        if self.kind == "number":
            digits = self.take("number")
            if len(digits) > 1:
                raise _NotElementaryError
            return int(digits)
        if self.take("open") != "{":
            raise _NotElementaryError
        sign = -1 if self.kind == "sign" and self.take("sign") == "-" else 1
        number = int(self.take("number"))
        self.take("close")
        return sign * number

    def base(self) -> Value:
        if self.kind == "number":
            number = int(self.take("number"))
            return tuple(number % prime for prime in PRIMES)
        if self.kind == "name":
            self.names.add(self.tokens[self.place][1])
            return _letter(self.take("name"))
        if self.kind == "root":
            return self.root()
        if self.kind == "fraction":
            self.take("fraction")
            return self.fraction()
        return self.bracket()

    def root(self) -> Value:
        self.take("root")
        braced = self.kind == "open" and self.take("open") == "{"
        digits = self.take("number")
        if braced:
            self.take("close")
        elif len(digits) > 1:
            raise _NotElementaryError
        return _square_root(int(digits))

    def fraction(self) -> Value:
        r"""Numerator and denominator behind ``\frac``: two groups, or two digits in one number."""
        if self.kind == "number":
            digits = self.take("number")
            if len(digits) != 2:
                raise _NotElementaryError
            top, bottom = (tuple(int(digit) % prime for prime in PRIMES) for digit in digits)
            return _product(top, _inverse(bottom))
        top = self.bracket("{")
        return _product(top, _inverse(self.bracket("{")))

    def bracket(self, allowed: str = "({") -> Value:
        opening = self.take("open")
        self.depth += 1
        if opening not in allowed or self.depth > MAX_DEPTH:
            raise _NotElementaryError
        value = self.sum()
        if self.take("close") != {"(": ")", "{": "}"}[opening]:
            raise _NotElementaryError
        self.depth -= 1
        return value
