"""The words that results are judged with."""

from enum import StrEnum


class CellVerdict(StrEnum):
    """CellVerdict on a printed number in the light of the reproduced one."""

    AGREES = "agrees"
    DIFFERS = "differs"
    STAND_IN = "stand-in"
    NOT_REPORTED = "not reported"
    NOT_RUN = "not run"


class ClaimVerdict(StrEnum):
    """CellVerdict on a statement of a paper in the light of reproduced numbers."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"
    NOT_RUN = "not run"


class AuditVerdict(StrEnum):
    """Whether a printed number follows from the printed numbers beside it."""

    FOLLOWS = "follows"
    WITHIN_ROUNDING = "within rounding"
    DOES_NOT_FOLLOW = "does not follow"


class FactVerdict(StrEnum):
    """Whether a fact of the protocol is here as the paper prints it."""

    AGREES = "agrees"
    HERE = "deviates at this scale"
    DEVIATES = "deviates"
    NOT_PRINTED = "not printed"
    NOT_RECORDED = "not recorded"
