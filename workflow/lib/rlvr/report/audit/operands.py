"""The small language of operands: printed numbers, cells of printed tables, arithmetic, quotations, gaps.

Grammar, from the outside::

    operands = operand (";" operand)*
    operand  = (expression | "'" words "'" | "?" what is not printed) ["@" place]
    expression = terms of + - * / ^ and parentheses over numbers and [table row column]
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from rlvr.core.errors import InputError
from rlvr.report.audit.printed_cells import Cell
from rlvr.stats.derivations import NUMBER, Printed

TOKEN = re.compile(
    r"\s*(?:(?P<number>~?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?[KMBT]?%?!?)|\[(?P<cell>[^\]]+)\]|(?P<sign>[-+*/^()]))"
)
SAID = re.compile(rf"\w+ = ({NUMBER.pattern})")
ONE_CELL = re.compile(r"\[([^\]]+)\]")
Find = Callable[[str], list[Cell]]


@dataclass(frozen=True)
class Operand:
    """One operand of a statement.

    Attributes:
        text: As shown to readers: cells replaced by what is printed in them.
        number: Its value with the room of its rounding; none for words and gaps.
        words: A quotation, or our words for what a place says.
        place: Where it is printed, if that is elsewhere than the statement.
        missing: What the paper would have to print and does not.
    """

    text: str
    number: Printed | None = None
    words: str = ""
    place: str = ""
    missing: str = ""


def read_number(text: str) -> Printed:
    """A number of the paper: exact if it is whole without suffix, percent sign or tilde, otherwise rounded."""
    bare = text.strip().replace(",", "").removeprefix("+")
    if re.fullmatch(r"-?\d+(e[+-]?\d+)?", bare):
        digits, _, power = bare.partition("e")
        return Printed.exact(int(digits) * Fraction(10) ** int(power or 0))
    return Printed.read(text)


def number_of(cell: Cell) -> str:
    """What counts as the number of a cell: of words the one that begins (``8 per prompt``) or ends them (``r = 8``)."""
    if said := SAID.fullmatch(cell.text):
        return said[1]
    match = NUMBER.match(cell.text)
    rest = cell.text[match.end() :] if match else ""
    return match[0] if match and rest[:1].isspace() else cell.text


def read_operands(text: str, find: Find, where: str) -> list[Operand]:
    """Operands separated by semicolons; a reference with ``*`` stands for all of its cells.

    Args:
        text: As in the CSV.
        find: Gives the cells of a reference.
        where: File and line, for messages.

    Raises:
        InputError: For what is no operand.
    """
    parts = [part for part in re.split(r";(?=(?:[^']*'[^']*')*[^']*$)", text) if part.strip()]
    return [operand for part in parts for operand in _read_part(part.strip(), find, where)]


def _read_part(part: str, find: Find, where: str) -> list[Operand]:
    body, _, place = (piece.strip() for piece in part.partition(" @ "))
    if body.startswith("?"):
        return [Operand(body, missing=body[1:].strip(), place=place)]
    if body.startswith("'") and body.endswith("'") and len(body) > 1:
        return [Operand(body[1:-1], words=body[1:-1].strip(), place=place)]
    if match := ONE_CELL.fullmatch(body):
        return [Operand(cell.text, read_number(number_of(cell)), place=place or cell.place) for cell in find(match[1])]
    reading = _Reading(body, find, where)
    number = reading.whole()
    return [Operand(reading.shown, number, place=place or ", ".join(dict.fromkeys(reading.places)))]


class _Reading:
    """One expression, read by recursive descent and computed on the way."""

    def __init__(self, text: str, find: Find, where: str) -> None:
        self.text, self.find, self.where = text, find, where
        self.position = 0
        self.places: list[str] = []
        self.shown = ONE_CELL.sub(lambda match: find(match[1])[0].text, text).replace("!", "")  # ours, not the paper's

    def whole(self) -> Printed:
        try:
            value = self.terms()
        except ValueError as error:
            raise self.mistake(str(error)) if not isinstance(error, InputError) else error from error
        if self.text[self.position :].strip():
            raise self.mistake(f"'{self.text[self.position :].strip()}' is left over")
        return value

    def mistake(self, problem: str) -> InputError:
        remedy = "Expected numbers, [table row column], + - * / ^ ( ), 'words' or ?gap; see docs/audit.md."
        return InputError(self.where, f"operand '{self.text}': {problem}.", remedy)

    def peek(self, signs: str) -> str:
        match = TOKEN.match(self.text, self.position)
        if match and match["sign"] and match["sign"] in signs:
            self.position = match.end()
            return match["sign"]
        return ""

    def terms(self) -> Printed:
        value = self.factors()
        while sign := self.peek("+-"):
            value = value + self.factors() if sign == "+" else value - self.factors()
        return value

    def factors(self) -> Printed:
        value = self.power()
        while sign := self.peek("*/"):
            value = value * self.power() if sign == "*" else value / self.power()
        return value

    def power(self) -> Printed:
        value = self.atom()
        if self.peek("^"):
            exponent = self.atom()
            if exponent.low != exponent.high or exponent.value.denominator != 1:
                raise self.mistake("an exponent is a whole number")
            value = value ** int(exponent.value)
        return value

    def atom(self) -> Printed:
        if self.peek("-"):
            return -self.power()
        if self.peek("("):
            value = self.terms()
            if not self.peek(")"):
                raise self.mistake("a parenthesis is not closed")
            return value
        match = TOKEN.match(self.text, self.position)
        if match is None or match["sign"]:
            raise self.mistake(f"no number at '{self.text[self.position :]}'")
        self.position = match.end()
        if match["number"]:
            return read_number(match["number"])
        cells = self.find(match["cell"])
        if len(cells) != 1:
            raise self.mistake(f"[{match['cell']}] names {len(cells)} cells")
        self.places.append(cells[0].place)
        return read_number(number_of(cells[0]))
