"""How many claims of a family would be decided by chance."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ByChance:
    """Claims that chance would decide, if every true difference lay exactly at its margin.

    Attributes:
        chances_C: Chance of each claim to be decided.
    """

    chances_C: tuple[float, ...]

    @property
    def expected(self) -> float:
        """How many, on average; independent or not."""
        return sum(self.chances_C)

    def at_least(self, count: int) -> float:
        """Chance that so many are decided or more, if they are independent of each other.

        The claims share runs, so that this is a guide and no level of a test.
        """
        return chance_of_at_least(self.chances_C, count)


def decided_by_chance(comparisons_C: Sequence[int], level: float = 0.95) -> ByChance:
    """Claims that chance would decide.

    A comparison whose difference lies at its margin is decided where its interval misses the margin: it holds with
    probability (1 - level) / 2, and fails with as much. A claim holds where all of its comparisons do, and fails where
    one does: with m of them it is decided with probability ``1 - (1 - a)^m + a^m``, a = (1 - level) / 2, if they are
    independent. Comparisons without an interval (counts of parameters) leave nothing to chance and are not counted.

    Args:
        comparisons_C: Comparisons with an interval of each claim that was judged; a claim without any counts for
            nothing.
        level: Of the intervals.

    Raises:
        ValueError: If a number of comparisons is negative.
    """
    if any(count < 0 for count in comparisons_C):
        raise ValueError("a claim has no negative number of comparisons")
    tail = (1 - level) / 2
    return ByChance(tuple(1 - (1 - tail) ** count + tail**count if count else 0.0 for count in comparisons_C))


def chance_of_at_least(chances: Sequence[float], count: int) -> float:
    """Probability of at least so many among independent events of unequal chances (Poisson binomial)."""
    distribution = [1.0]  # of the number of events so far
    for chance in chances:
        without = [share * (1 - chance) for share in distribution]
        with_it = [share * chance for share in distribution]
        distribution = [left + right for left, right in zip([*without, 0.0], [0.0, *with_it], strict=True)]
    return min(1.0, sum(distribution[max(count, 0) :]))
