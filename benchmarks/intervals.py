"""Coverage of the interval over problems, by simulation: how often it holds the accuracy that the problems came from.

Problems are drawn from Beta distributions (correlations 0.2, 0.5 and 0.8 of the samples of one problem, and problems
that are all equally hard) and from a mixture (solved in 70 % of the samples, or never); for one sample they are all the
same. `make bench BENCH=intervals` prints, for every number of problems and samples, the lowest, mean and highest share
over all accuracies and distributions, apart for accuracies at which fewer than two problems are expected to be solved,
or missed: there whole numbers allow no interval to keep to 95 %.

For one sample the coverage is also summed exactly, at every whole percentage: how many of them lie between 92 and 98 %,
beside how many could, for any interval at all. An interval holds an accuracy for some consecutive numbers of solved
problems; where no consecutive numbers have a chance between 92 and 98 %, no interval has.

All of it takes 70 CPU seconds; `REPLICATES=500` makes the simulated part four times as short.
"""

import os
from itertools import product

import numpy as np
from harness import Row, measure, report

from rlvr.core.seeds import make_rng
from rlvr.stats.intervals import problem_mean

PROBLEMS, SAMPLES = (5, 10, 30, 60, 150, 500), (1, 4, 32)
ACCURACIES = (0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99)
KINDS = ("alike", "beta 0.2", "beta 0.5", "beta 0.8", "mixture")
REPLICATES, NOMINAL, BAND = int(os.environ.get("REPLICATES", "2000")), 0.95, (0.92, 0.98)
EXACT_PROBLEMS = (5, 6, 8, 10, 15, 20, 30, 60, 150, 256, 500)
ALWAYS_SOLVED = 0.7  # of the samples, by the better problems of the mixture


def draw_chances(kind: str, accuracy: float, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Chance of each problem to be solved by a sample, (replicates, problems), with the accuracy as its mean."""
    if kind == "alike":
        return np.full(shape, accuracy)
    if kind == "mixture":
        top = max(ALWAYS_SOLVED, accuracy)
        return np.where(rng.random(shape) < accuracy / top, top, 0.0)
    size = 1 / float(kind.split()[1]) - 1
    return rng.beta(accuracy * size, (1 - accuracy) * size, shape)


def coverage(kind: str, accuracy: float, problems: int, samples: int, replicates: int) -> float:
    """Share of intervals that hold the accuracy."""
    rng = make_rng(0, "coverage", kind, accuracy, problems, samples)
    chances = draw_chances(kind, accuracy, (replicates, problems), rng)
    values = np.sort(rng.binomial(samples, chances) / samples, axis=1)
    found, counts = np.unique(values, axis=0, return_counts=True)
    intervals = [problem_mean(values_P, samples) for values_P in found]
    held = np.array([low <= accuracy <= high for low, high in intervals])
    if min(high - low for low, high in intervals) <= 0:
        raise AssertionError("an interval of width 0")
    return float(counts[held].sum() / replicates)


def sweep(problems: int, samples: int, replicates: int = REPLICATES) -> list[tuple[bool, float]]:
    """For every accuracy and distribution, whether few problems are solved or missed, and the coverage."""
    kinds = KINDS if samples > 1 else KINDS[:1]
    return [
        (problems * min(accuracy, 1 - accuracy) < 2, coverage(kind, accuracy, problems, samples, replicates))
        for accuracy, kind in product(ACCURACIES, kinds)
    ]


def exact_coverage(problems: int) -> tuple[np.ndarray, np.ndarray]:
    """Coverage with one sample at accuracies of 1 to 99 %, and whether any interval could lie within the band."""
    from scipy.stats import binom

    accuracies = np.arange(1, 100) / 100
    ends = np.array([problem_mean(np.arange(problems) < solved) for solved in range(problems + 1)])
    chances = binom.pmf(np.arange(problems + 1), problems, accuracies[:, None])
    held = (ends[:, 0] <= accuracies[:, None]) & (accuracies[:, None] <= ends[:, 1])
    sums = np.concatenate([np.zeros((len(accuracies), 1)), chances.cumsum(axis=1)], axis=1)
    possible = [bool(within(one[None, :] - one[:, None]).any()) for one in sums]
    return (chances * held).sum(axis=1), np.array(possible)


def within(coverage: np.ndarray) -> np.ndarray:
    """Whether a coverage lies in the band."""
    return (coverage >= BAND[0]) & (coverage <= BAND[1])


def exact_rows(problems: int) -> list[Row]:
    """Lowest and highest exact coverage, and the share within the band beside what is possible."""
    found, possible = exact_coverage(problems)
    name, share = f"{problems} problems, one sample, exact", float(within(found).mean())
    ends = (("lowest", float(found.min())), ("highest", float(found.max())))
    return [
        *(Row(f"{name}: {side}", value, NOMINAL, "nominal", value / NOMINAL, "coverage") for side, value in ends),
        Row(f"{name}: 92 to 98 %", share, float(possible.mean()), "possible", share / possible.mean(), "share"),
    ]


def main() -> None:
    """Every number of problems and samples."""
    rows = [row for problems in EXACT_PROBLEMS for row in exact_rows(problems)]
    for problems, samples in product(PROBLEMS, SAMPLES):
        found = measure(sweep, problems, samples).value
        for few in (False, True):
            shares = [share for is_few, share in found if is_few is few]
            if not shares:
                continue
            name = f"{problems} problems, k = {samples}{', few solved or missed' if few else ''}"
            for side, value in (("lowest", min(shares)), ("mean", sum(shares) / len(shares)), ("highest", max(shares))):
                rows.append(Row(f"{name}: {side}", value, NOMINAL, "nominal", value / NOMINAL, "coverage"))
    report("intervals", rows)


if __name__ == "__main__":
    main()
