"""Coverage of differences and largest values over seeds and problems, by simulation.

Runs on 256 problems of unequal difficulty; a seed shifts the ability of a run (standard deviation 0, 3 or 9 points).
`make bench BENCH=comparing` prints how often the interval of a difference of two configurations on the same problems
holds the truth, for 1, 3 and 5 seeds, and how often that of the largest of several does; beside it what intervals that
know neither seeds nor selection would reach.
"""

from itertools import product

import numpy as np
from harness import Row, report

from rlvr.core.seeds import make_rng
from rlvr.report.comparing import Answers, Drawn, Measured, draw, largest, minus
from rlvr.stats.intervals import problem_mean

PROBLEMS, REPLICATES, NOMINAL = 256, 1000, 0.95
SPREADS, SEEDS, SAMPLES = (0.0, 0.03, 0.09), (1, 3, 5), (1, 4)
LEFT, RIGHT = 0.2, 0.1
NAMES = tuple(map(str, range(PROBLEMS)))
FAMILIES = {"six equal ones": (0.1,) * 6, "two equal, one below": (0.2, 0.2, 0.0), "a ladder": (0.2, 0.17, 0.14, 0.11)}


def measure_runs(
    rng: np.random.Generator, ability: float, chances_P: np.ndarray, spread: float, seeds: int, samples: int
) -> Measured:
    """A configuration that was run with some seeds."""
    shifts = rng.normal(0, spread, (seeds, 1)) if seeds > 1 else 0.0  # a single run is judged for itself
    chances = np.clip(chances_P + ability + shifts, 0, 1) * np.ones((seeds, 1))
    values_SP = rng.binomial(samples, chances) / samples
    answers = Answers("b", NAMES, values_SP, samples)
    return Measured(str(rng.random()), tuple(range(seeds)), 100 * values_SP.mean(axis=1), (answers,), 100.0)


def unaware(measured: Measured) -> tuple[float, float]:
    """The interval over problems of the first seed, in points."""
    answers = measured.answers[0]
    low, high = problem_mean(answers.values_SP[0], answers.samples)
    return 100 * low, 100 * high


def holds(drawn: Drawn, truth: float) -> bool:
    """Whether the interval holds the truth."""
    return drawn.estimate.low <= truth <= drawn.estimate.high


def differences(seeds: int, spread: float, samples: int) -> tuple[float, float]:
    """Coverage of the paired difference, and of that of first seeds as if they were independent of each other."""
    rng, held, naive = make_rng(0, "differences", seeds, spread, samples), 0, 0
    for _ in range(REPLICATES):
        chances = rng.uniform(0.25, 0.65, PROBLEMS)
        left, right = (measure_runs(rng, each, chances, spread, seeds, samples) for each in (LEFT, RIGHT))
        held += holds(minus(draw(left), draw(right)), 100 * (LEFT - RIGHT))
        (low, high), (below, above) = unaware(left), unaware(right)
        gap = left.values_S[0] - right.values_S[0]
        down = np.hypot(left.values_S[0] - low, above - right.values_S[0])
        up = np.hypot(high - left.values_S[0], right.values_S[0] - below)
        naive += gap - down <= 100 * (LEFT - RIGHT) <= gap + up
    return held / REPLICATES, naive / REPLICATES


def maxima(abilities: tuple[float, ...]) -> tuple[float, float]:
    """Coverage of the largest of several single runs, and of the interval of the one that came out largest."""
    rng, held, naive = make_rng(0, "maxima", *abilities), 0, 0
    truth = 100 * (0.45 + max(abilities))
    for _ in range(REPLICATES):
        chances = rng.uniform(0.25, 0.65, PROBLEMS)
        drawn = [draw(measure_runs(rng, ability, chances, 0, 1, 1)) for ability in abilities]
        held += holds(largest(drawn), truth)
        naive += holds(max(drawn, key=lambda each: each.value), truth)
    return held / REPLICATES, naive / REPLICATES


def main() -> None:
    """Every number of seeds, spread and number of samples; every family."""
    rows = []
    for seeds, spread, samples in product(SEEDS, SPREADS, SAMPLES):
        if seeds > 1 or spread == 0:
            held, naive = differences(seeds, spread, samples)
            name = f"difference, {seeds} seeds, spread {100 * spread:.0f}, k = {samples}"
            rows.append(Row(name, held, naive, "first seeds, independent", held / NOMINAL, "coverage"))
    for name, abilities in FAMILIES.items():
        held, naive = maxima(abilities)
        rows.append(Row(f"largest of {name}", held, naive, "without selection", held / NOMINAL, "coverage"))
    report("comparing", rows)


if __name__ == "__main__":
    main()
