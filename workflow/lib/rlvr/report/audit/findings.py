"""What came out for a statement."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from rlvr.core.errors import InputError
from rlvr.plan.verdict_words import AuditVerdict
from rlvr.report.audit.operands import Operand, number_of, read_number, read_operands
from rlvr.report.audit.printed_cells import Cell
from rlvr.report.audit.statements import Statement
from rlvr.stats.derivations import Derivation, Printed


@dataclass(frozen=True)
class Finding:
    """A verdict with what it rests on.

    Attributes:
        verdict: The word.
        derived: What the operands make; none where nothing is computed.
        low: Smallest value that their rounding leaves possible.
        high: Largest value.
        by: Places that contradict the statement.
        remark: What decided, in words: the failing link, the probability, what is not printed.
    """

    verdict: AuditVerdict
    derived: Fraction | float | None = None
    low: Fraction | float | None = None
    high: Fraction | float | None = None
    by: tuple[str, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class Question:
    """A statement with what its kind needs to read its operands.

    Attributes:
        statement: The row.
        find: Gives the cells of a reference.
        places: Topics by place, of the statement's document.
    """

    statement: Statement
    find: Callable[[str], list[Cell]]
    places: Mapping[str, frozenset[str]]

    @property
    def printed_text(self) -> str:
        """What is printed, a reference replaced by its cell."""
        text = self.statement.printed.strip()
        return number_of(self.find(text[1:-1])[0]) if text.startswith("[") and text.endswith("]") else text

    @property
    def shown(self) -> str:
        """What is printed, for readers; sizes to choose from are ours and not printed."""
        text = self.printed_text
        return "" if self.statement.kind == "multiple-of" and not text.replace(",", "").isdigit() else text.strip("'")

    def printed(self) -> Printed:
        """What is printed as a number; its last digit is a rounded one.

        Raises:
            ValueError: If it is not a number.
        """
        return Printed.read(self.printed_text)

    def printed_as_is(self) -> Printed:
        """What is printed as a number; a whole one is exact.

        Raises:
            ValueError: If it is not a number.
        """
        return read_number(self.printed_text)

    def operands(self) -> list[Operand]:
        """The operands in order."""
        found = read_operands(self.statement.operands, self.find, self.statement.origin)
        if not found:
            raise self.mistake("has no operands")
        return found

    def numbers(self, count: int | None = None) -> list[Printed]:
        """The operands as numbers.

        Raises:
            InputError: If one is not a number, or there are more or fewer than ``count``.
        """
        values = [operand.number for operand in self.operands() if operand.number is not None]
        if len(values) != len(self.operands()) or (count is not None and len(values) != count):
            raise self.mistake(f"expected {count or 'only'} numbers")
        return values

    def mistake(self, problem: str) -> InputError:
        """An error that names the row."""
        remedy = f"See the kind '{self.statement.kind}' in docs/audit.md."
        return InputError(self.statement.origin, f"{problem} (id '{self.statement.id}').", remedy)


def judge_derivation(derivation: Derivation, otherwise: AuditVerdict = AuditVerdict.DOES_NOT_FOLLOW) -> AuditVerdict:
    """Whether a printed number follows from its parts.

    Returns:
        ``follows`` (the derived number rounds to the printed one), ``follows within rounding`` (some unrounded parts
        agree with everything that is printed), or ``otherwise``.
    """
    if derivation.matches:
        return AuditVerdict.FOLLOWS
    return AuditVerdict.WITHIN_ROUNDING if derivation.possible else otherwise


def finding_of(derivation: Derivation, remark: str = "") -> Finding:
    """A derivation as a finding."""
    bounds = (derivation.derived, derivation.low, derivation.high)
    return Finding(judge_derivation(derivation), *bounds, remark=remark)


def contradiction(question: Question, operands: list[Operand], remark: str, derived: Printed | None = None) -> Finding:
    """A comparison that fails: contradicted by the places of its operands, if they are elsewhere."""
    by = tuple(dict.fromkeys(each.place for each in operands if each.place and each.place != question.statement.where))
    verdict = AuditVerdict.CONTRADICTED if by else AuditVerdict.DOES_NOT_FOLLOW
    if derived is None:
        return Finding(verdict, by=by, remark=remark)
    return Finding(verdict, derived.value, derived.low, derived.high, by, remark)
