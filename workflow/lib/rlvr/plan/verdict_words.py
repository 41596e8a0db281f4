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
    """Whether a statement of a paper follows from what the paper prints."""

    FOLLOWS = "follows"
    WITHIN_ROUNDING = "follows within rounding"
    WITH_N = "follows with n instead of n - 1"
    WITHIN_CHANCE = "within chance"
    DOES_NOT_FOLLOW = "does not follow"
    CONTRADICTED = "contradicted"
    CANNOT_BE_CHECKED = "cannot be checked"
