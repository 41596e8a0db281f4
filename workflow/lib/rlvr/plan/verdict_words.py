"""The words that results are judged with."""

from enum import StrEnum

STAND_IN = "stand-in"


class CellVerdict(StrEnum):
    """Verdict on a printed number in the light of the reproduced one.

    ``SPREAD_UNKNOWN``: they lie further apart than the choice of problems explains, and nothing tells how far two seeds
    lie apart.
    """

    AGREES = "agrees"
    DIFFERS = "differs"
    SPREAD_UNKNOWN = "spread unknown"
    STAND_IN = STAND_IN
    NOT_REPORTED = "not reported"
    NOT_RUN = "not run"


class ClaimVerdict(StrEnum):
    """Verdict on a statement of a paper in the light of reproduced numbers.

    ``ONE_SEED``: the numbers would decide, but one side of a comparison was run with a single seed, and another seed of
    the same settings may say the opposite. The numbers say which way they lean.
    """

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"
    ONE_SEED = "one seed only"
    NOT_RUN = "not run"

    @property
    def is_decision(self) -> bool:
        """Whether the statement is decided, one way or the other."""
        return self in (ClaimVerdict.HOLDS, ClaimVerdict.FAILS)


class AuditVerdict(StrEnum):
    """Whether a statement of a paper follows from what the paper prints."""

    FOLLOWS = "follows"
    WITHIN_ROUNDING = "follows within rounding"
    WITH_N = "follows with n instead of n - 1"
    WITHIN_CHANCE = "within chance"
    DOES_NOT_FOLLOW = "does not follow"
    CONTRADICTED = "contradicted"
    CANNOT_BE_CHECKED = "cannot be checked"


class FactVerdict(StrEnum):
    """Whether a fact of the protocol is here as the paper prints it."""

    AGREES = "agrees"
    HERE = "deviates at this scale"
    DEVIATES = "deviates"
    NOT_PRINTED = "not printed"
    NOT_RECORDED = "not recorded"


def cap_by_seeds(verdict: ClaimVerdict, seeds: int | None) -> ClaimVerdict:
    """A decision on one seed becomes "one seed only".

    Args:
        verdict: What the intervals say.
        seeds: Fewest seeds of a side of the comparison; ``None`` where no side depends on a seed (printed numbers,
            counts of parameters).
    """
    return ClaimVerdict.ONE_SEED if verdict.is_decision and seeds is not None and seeds < 2 else verdict


def verdict_text(verdict: ClaimVerdict, comparable: bool) -> str:
    """A claim's verdict as it is printed: ``stand-in: fails`` at a scale whose numbers stand in for the paper's.

    Args:
        verdict: The verdict.
        comparable: Whether the scale's numbers may be judged by the paper's.
    """
    plain = comparable or verdict == ClaimVerdict.NOT_RUN
    return verdict.value if plain else f"{STAND_IN}: {verdict.value}"
