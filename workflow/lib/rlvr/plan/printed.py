"""Numbers as a paper prints them, and ours written the same way."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal

from rlvr.core.errors import InputError

MINUS = "\N{MINUS SIGN}"
MULTIPLIERS = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
PRINTED = re.compile(r"^(?P<about>~?)(?P<number>[+-]?[0-9][0-9,]*(?:\.(?P<decimals>[0-9]+))?)(?P<suffix>[KMBT]?)\Z")


@dataclass(frozen=True)
class PrintedNumber:
    """A printed number.

    Attributes:
        text: As printed.
        value: As a number, the suffix multiplied out.
        decimals: Digits after the point.
        multiplier: What the suffix stands for; 1 without one.
        approximate: Whether the paper prefixes it with a tilde.
    """

    text: str
    value: float
    decimals: int
    multiplier: float
    approximate: bool

    @property
    def digits(self) -> str:
        """Sign and digits alone: without tilde, commas, plus and suffix."""
        return re.sub(r"[~+,KMBT]", "", self.text)

    @property
    def slack(self) -> float:
        """How far beyond its last digit an approximate number may be off, in its own multiplier; 0 for an exact one.

        "~900" stands for 850 to 950: the zeros before the point are not significant.
        """
        if not self.approximate:
            return 0.0
        zeros = 0 if "." in self.digits else len(self.digits) - len(self.digits.rstrip("0"))
        return 0.5 * 10.0**-self.decimals * (10.0**zeros - 1)

    def nearest(self, value: float) -> float:
        """The number nearest to ``value`` that would be printed so: neither rounding nor a tilde makes a difference."""
        # In decimals: 78.1 stands for 78.05 to 78.15, both ends included, which floats would miss by their last bit.
        digits, half = Decimal(self.digits), Decimal(5).scaleb(-self.decimals - 1)
        low = (float(digits - half) - self.slack) * self.multiplier
        high = (float(digits + half) + self.slack) * self.multiplier
        return min(max(value, low), high)

    def says(self, value: float) -> bool:
        """Whether ``value`` would be printed so."""
        return self.nearest(value) == value


def parse_printed(text: str, where: object = "printed number") -> PrintedNumber:
    """Read a printed number such as ``78.1``, ``+5.9``, ``~1580``, ``43.6M`` or ``~8B``.

    Raises:
        InputError: Names ``where`` and the text.
    """
    match = PRINTED.match(text)
    if match is None:
        raise InputError(where, f"'{text}' is not a number.", "Expected e.g. 78.1, +5.9, ~900, 43.6M; empty for none.")
    multiplier = MULTIPLIERS[match["suffix"]]
    value = float(match["number"].replace(",", "")) * multiplier
    return PrintedNumber(text, value, len(match["decimals"] or ""), multiplier, bool(match["about"]))


def format_value(value: float, decimals: int, unit: str) -> str:
    """A reproduced number as text: fixed decimals; three significant digits and a suffix for a parameter count.

    Hours that fixed decimals would show as zero have two significant digits.
    """
    text = format_count(value) if unit == "parameters" else f"{value:.{decimals}f}"
    if unit == "h" and 0 < value < 0.5 * 10.0**-decimals:
        text = f"{value:.2g}"
    if float(value) < 0:
        text = text.replace("-", MINUS)
    return text


def format_count(count: float) -> str:
    """A count with three significant digits and a suffix.

    >>> format_count(43_646_976), format_count(5_376), format_count(640)
    ('43.6M', '5.38K', '640')
    """
    for suffix in ("T", "B", "M", "K"):
        scaled = count / MULTIPLIERS[suffix]
        if scaled >= 1:
            digits = max(0, 2 - math.floor(math.log10(scaled)))
            return f"{scaled:.{digits}f}{suffix}"
    return f"{count:.0f}"
