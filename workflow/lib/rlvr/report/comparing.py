"""Differences, ratios and largest values of cells, with intervals over seeds and problems.

A claim compares cells. Each is drawn many times (:mod:`rlvr.stats.resampling`); draws of cells that were measured on
the same problems or with the same seeds are paired, so that any expression has its interval: ``minus``, ``ratio``,
``largest``, ``smallest``, ``average`` take and give :class:`Drawn`, and ``Drawn.estimate`` is what a report prints.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rlvr.report.evidence import Estimate
from rlvr.stats.intervals import problem_mean
from rlvr.stats.resampling import (
    DRAWS,
    central,
    deviation_draws,
    problem_multipliers,
    problem_scores,
    residual_variance,
    seed_deviations,
    selected_draws,
    two_piece,
)

LEAST_DENOMINATOR = 1e-12
UNBOUNDED_B = np.where(np.arange(DRAWS) % 2, math.inf, -math.inf)  # draws of a number that nothing can be said of


@dataclass(frozen=True)
class Answers:
    """Shares of right samples of the problems of one benchmark, by seed.

    Attributes:
        benchmark: Its name.
        problems: Identity of each problem, in the order of the values.
        values_SP: Shares, shape (S, P).
        samples: Independent samples behind each share: k of Avg@k, 1 of Pass@k and maj@k.
    """

    benchmark: str
    problems: tuple[str, ...]
    values_SP: np.ndarray
    samples: int

    @property
    def stream(self) -> str:
        """Names the problems: equal for all runs on the same ones."""
        return "\x1f".join((self.benchmark, *self.problems))


@dataclass(frozen=True)
class Measured:
    """A quantity of one configuration, run with one or several seeds.

    Attributes:
        name: Names the configuration and quantity.
        seeds: Seeds, ascending.
        values_S: Value of each seed, in the unit of the cell.
        answers: For a score the problems behind it, one entry per benchmark of a macro average; otherwise empty.
        factor: Value = factor x mean of the answers' shares.
        errors_S: Standard error of each value that is an estimate itself (a spectrum); 0 where exact.
    """

    name: str
    seeds: tuple[int, ...]
    values_S: np.ndarray
    answers: tuple[Answers, ...] = ()
    factor: float = 1.0
    errors_S: np.ndarray | None = None

    @property
    def noise(self) -> float:
        """Variance of the value of a seed that its draws over problems, or its standard error, have already."""
        if not self.answers:
            return 0.0 if self.errors_S is None else float(np.square(self.errors_S).mean())
        parts = (residual_variance(each.values_SP) / each.values_SP.shape[1] for each in self.answers)
        return sum(parts) * (self.factor / len(self.answers)) ** 2


@dataclass(frozen=True)
class Drawn:
    """A number with draws of it.

    Attributes:
        value: The number; NaN for "not run".
        draws_B: Draws, shape (DRAWS,); all equal for a constant.
        seeds: Fewest seeds of a side that it was made from; ``None`` where no seed has a part in it.
    """

    value: float
    draws_B: np.ndarray
    seeds: int | None = None

    @property
    def estimate(self) -> Estimate:
        """Value and 95 % interval, without an interval where nothing varies."""
        if math.isnan(self.value) or self.draws_B.min() == self.draws_B.max():
            return Estimate(self.value)
        return Estimate(self.value, *central(self.draws_B))


def constant(value: float) -> Drawn:
    """A number that is not uncertain."""
    return Drawn(float(value), np.full(DRAWS, float(value)))


NOT_RUN = constant(math.nan)


def draw(measured: Measured) -> Drawn:
    """Draw the mean over the seeds of a configuration.

    With a single seed the draws are those of that run's ability, and say nothing about another seed.
    """
    value = float(np.mean(measured.values_S))
    draws_B = np.full(DRAWS, value)
    for each in measured.answers:
        draws_B = draws_B + measured.factor / len(measured.answers) * _over_problems(each, measured.name)
    if measured.errors_S is not None and not measured.answers:
        error = float(np.linalg.norm(measured.errors_S)) / len(measured.seeds)
        draws_B = draws_B + error * problem_scores(np.zeros(1), np.empty((DRAWS, 1)), measured.name)
    if len(measured.seeds) > 1:
        stream = " ".join(map(str, measured.seeds))
        draws_B = draws_B + seed_deviations(measured.values_S, stream, measured.noise)
    return Drawn(value, draws_B, len(measured.seeds))


def _over_problems(answers: Answers, name: str) -> np.ndarray:
    """Deviations of the mean share, as a choice of other problems would make them."""
    seeds, problems = answers.values_SP.shape
    values_P = answers.values_SP.mean(axis=0)
    scores_B = problem_scores(values_P, problem_multipliers(answers.stream, problems), f"{name} {answers.benchmark}")
    return two_piece(float(values_P.mean()), problem_mean(values_P, seeds * answers.samples), scores_B)


def draw_deviation(measured: Measured) -> Drawn:
    """Draw the standard deviation (n - 1) over the seeds of a configuration; not run where it has a single one."""
    if len(measured.seeds) < 2:
        return NOT_RUN
    value = float(np.std(measured.values_S, ddof=1))
    return Drawn(value, deviation_draws(measured.values_S, measured.name), len(measured.seeds))


def scaled(drawn: Drawn, factor: float) -> Drawn:
    """A number times a positive constant, draw by draw."""
    return replace(drawn, value=factor * drawn.value, draws_B=factor * drawn.draws_B)


def minus(left: Drawn, right: Drawn) -> Drawn:
    """``left - right``, paired by the problems and seeds that both have."""
    with np.errstate(invalid="ignore"):  # infinity less infinity is dealt with in _combined
        return _combined(left.value - right.value, left.draws_B - right.draws_B, (left, right))


def ratio(left: Drawn, right: Drawn) -> Drawn:
    """``left / right``.

    A draw whose denominator is not clearly positive is infinite, with the sign of its numerator. The whole is unbounded
    where more than one draw in forty is so, or the denominator itself: a number that keeps its seeds and decides
    nothing, not one that was not run.
    """
    usable = right.draws_B > LEAST_DENOMINATOR
    draws_B = np.divide(left.draws_B, right.draws_B, out=np.copysign(math.inf, left.draws_B), where=usable)
    value = left.value / right.value if right.value > LEAST_DENOMINATOR else math.copysign(math.inf, left.value)
    if math.isinf(value) or np.mean(~usable) > 0.025:
        draws_B = UNBOUNDED_B
    return _combined(value, draws_B, (left, right))


def average(parts: Sequence[Drawn]) -> Drawn:
    """The mean of several."""
    with np.errstate(invalid="ignore"):
        value, draws_B = np.mean([each.value for each in parts]), np.mean([each.draws_B for each in parts], axis=0)
    return _combined(float(value), draws_B, parts)


def largest(parts: Sequence[Drawn]) -> Drawn:
    """The largest of several, with its selection in the interval."""
    return _selected(parts, largest_of=True)


def smallest(parts: Sequence[Drawn]) -> Drawn:
    """The smallest of several, with its selection in the interval."""
    return _selected(parts, largest_of=False)


def _selected(parts: Sequence[Drawn], largest_of: bool) -> Drawn:
    if len(parts) == 1:
        return parts[0]
    values = np.array([each.value for each in parts])
    draws_B = selected_draws(values, np.array([each.draws_B for each in parts]), largest_of)
    return _combined(float(values.max() if largest_of else values.min()), draws_B, parts)


def _combined(value: float, draws_B: np.ndarray, parts: Sequence[Drawn]) -> Drawn:
    """What is made of several; not run where one of them was not, unbounded where infinities cancel."""
    if any(math.isnan(each.value) for each in parts):
        return NOT_RUN
    if math.isnan(value) or np.isnan(draws_B).any():
        value, draws_B = math.inf, UNBOUNDED_B
    seeds = [each.seeds for each in parts if each.seeds is not None]
    return Drawn(value, draws_B, min(seeds) if seeds else None)
