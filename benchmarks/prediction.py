"""How often a perfect reproduction is said to differ from the printed number, by simulation.

Their run and ours are draws of one experiment: the same ability, shifted by a seed (standard deviation 0, 3 or 9
points), on 256 problems of each side's own choice. `make bench BENCH=prediction` prints the share of cells that differ
by where the spread over seeds comes from, beside the share when the printed number is taken for a constant.
"""

from itertools import product

import numpy as np
from harness import Row, report

from rlvr.core.seeds import make_rng
from rlvr.stats.intervals import problem_mean, sample_correlation
from rlvr.stats.prediction import Sampling, Spread, normal_score, pool_spread, share_variance
from rlvr.stats.quantiles import Z95

PROBLEMS, REPLICATES, LIMIT = 256, 4000, 0.07
SPREADS, SAMPLES = (0.0, 0.03, 0.09), (1, 4)
BASES = {"five own seeds": 5, "three own seeds": 3, "three seeds of four relatives": 1, "printed deviations": 1}
RELATIVES, PRINTED_FREEDOM = 4, 10


def draw_run(rng: np.random.Generator, chances_P: np.ndarray, spread: float, samples: int) -> np.ndarray:
    """Shares of right samples of one run."""
    return rng.binomial(samples, np.clip(chances_P + rng.normal(0, spread), 0, 1)) / samples


def spread_of(rng: np.random.Generator, basis: str, ours_SP: np.ndarray, spread: float, samples: int) -> Spread | None:
    """What is known of the spread over seeds."""
    if len(ours_SP) > 1:
        return pool_spread([ours_SP.mean(axis=1)], basis)
    if basis == "printed deviations":
        runs = [draw_run(rng, rng.beta(1.4, 0.6, PROBLEMS), spread, samples).mean() for _ in range(200)]
        return Spread(
            float(np.var(runs, ddof=1)) * rng.chisquare(PRINTED_FREEDOM) / PRINTED_FREEDOM, PRINTED_FREEDOM, ""
        )
    problems = rng.beta(1.4, 0.6, PROBLEMS)
    groups = [[draw_run(rng, problems, spread, samples).mean() for _ in range(3)] for _ in range(RELATIVES)]
    return pool_spread(groups, basis)


def differing(basis: str, spread: float, samples: int) -> tuple[float, float]:
    """Share of cells that differ, and share with the printed number as a constant."""
    rng, found, constant = make_rng(0, "prediction", basis, spread, samples), 0, 0
    for _ in range(REPLICATES if basis != "printed deviations" else REPLICATES // 8):
        problems, others = rng.beta(1.4, 0.6, (2, PROBLEMS))
        ours_SP = np.array([draw_run(rng, problems, spread, samples) for _ in range(BASES[basis])])
        printed = round(float(draw_run(rng, others, spread, samples).mean()), 3)
        value = float(ours_SP[0].mean())
        correlation = sample_correlation(ours_SP.mean(axis=0), ours_SP.shape[0] * samples)
        sampling = Sampling(PROBLEMS, samples, correlation)
        share = (value + printed) / 2
        known = spread_of(rng, basis, ours_SP, spread, samples)
        variance, freedom = share_variance([(share, sampling, sampling)], known)
        found += abs(normal_score(value - printed, variance, freedom)) > Z95
        low, high = problem_mean(ours_SP[0], samples)
        constant += not low <= printed <= high
    count = REPLICATES if basis != "printed deviations" else REPLICATES // 8
    return found / count, constant / count


def main() -> None:
    """Every source of the spread, every spread and number of samples."""
    rows = []
    for basis, spread, samples in product(BASES, SPREADS, SAMPLES):
        share, constant = differing(basis, spread, samples)
        name = f"{basis}, spread {100 * spread:.0f}, k = {samples}"
        rows.append(Row(name, share, constant, "printed number as a constant", share / LIMIT, "differ"))
    report("prediction", rows)


if __name__ == "__main__":
    main()
