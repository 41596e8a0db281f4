"""Whether a printed number and a reproduced one say the same."""

from typing import Literal

from rlvr.stats.derivations import Printed


def verdict(value: float, low: float, high: float, printed: str) -> Literal["agrees", "differs"]:
    """Compare a reproduced number with a printed one in the same unit.

    They agree where some number that would be printed so lies inside the reproduced interval: neither the paper's
    rounding nor our sampling error alone makes a difference.

    Args:
        value: The reproduced number; counts as part of its interval even where a skewed interval leaves it outside.
        low: Lower end of its interval; ``value`` itself where there is none.
        high: Upper end.
        printed: The digits as printed, trailing zeros included, e.g. ``84.0``.

    Raises:
        ValueError: If the interval is upside down or ``printed`` is not a number.
    """
    if not low <= high:
        raise ValueError(f"an interval from {low} to {high}")
    reported = Printed.read(printed)
    overlaps = min(low, value) <= float(reported.high) and float(reported.low) <= max(high, value)
    return "agrees" if overlaps else "differs"
