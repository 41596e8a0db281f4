"""What the operands of a claim are worth: drawn numbers with what a reader needs to tell them apart."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rlvr.plan.claim_grammar import Call, Leaf, LeafKind, Number, Operand, Place
from rlvr.plan.printed import MINUS
from rlvr.report.comparing import Drawn, average, constant, largest, minus, ratio, smallest

RATIO_DECIMALS = 3


@dataclass(frozen=True)
class Quantity:
    """A number that a claim reads or makes.

    Attributes:
        drawn: The number with draws of it; NaN for "not run".
        unit: Its unit; ``number`` for one that the claim itself gives.
        decimals: Digits after the point.
        label: What it is, for a reader.
        runs: Ids of the runs that it comes from.
    """

    drawn: Drawn
    unit: str = "1"
    decimals: int = 1
    label: str = ""
    runs: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """The number itself."""
        return self.drawn.value

    @property
    def is_missing(self) -> bool:
        """Whether something that it needs was not run."""
        return math.isnan(self.drawn.value)


@dataclass(frozen=True)
class Curve:
    """Values along an index.

    Attributes:
        index_I: Steps, or indices of singular values, increasing, shape (I,).
        values_I: Values there, shape (I,).
        label: What it is, for a reader.
        decimals: Digits after the point.
        runs: Ids of the runs behind it; none for a base before training.
    """

    index_I: np.ndarray
    values_I: np.ndarray
    label: str = ""
    decimals: int = 3
    runs: tuple[str, ...] = ()

    @property
    def peak_place(self) -> int:
        """Position of the first largest value."""
        return int(np.argmax(self.values_I))


@dataclass(frozen=True)
class ClaimNumbers:
    """Numbers and curves that claims may read, by place.

    Attributes:
        cells: By (output, row, column), over all seeds of the configurations that they show.
        shown: By (output, row, column), of the very runs that they show.
        bases: Scores of untrained bases, in percent, by (model, benchmark).
        counts: Problems by (data set, count).
        curves: By (figure, series).
        seeds: Seed of each run.
    """

    cells: Mapping[Place, Quantity] = field(default_factory=dict)
    shown: Mapping[Place, Quantity] = field(default_factory=dict)
    bases: Mapping[Place, Quantity] = field(default_factory=dict)
    counts: Mapping[Place, Quantity] = field(default_factory=dict)
    curves: Mapping[Place, Curve] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)

    def quantity(self, leaf: Leaf) -> Quantity:
        """The number at a place; a missing one where there is none."""
        numbers = {LeafKind.CELL: self.cells, LeafKind.BASE: self.bases, LeafKind.COUNT: self.counts}[leaf.kind]
        return numbers.get(leaf.place, missing(leaf.text))


def missing(label: str) -> Quantity:
    """What was not run."""
    return Quantity(constant(math.nan), label=label)


def worth(operand: Operand, numbers: ClaimNumbers) -> Quantity:
    """What an operand is worth; missing as soon as one thing that it needs was not run."""
    if isinstance(operand, Number):
        return Quantity(constant(operand.value), unit="number", decimals=decimals_of(operand.value))
    if isinstance(operand, Leaf):
        return numbers.quantity(operand)
    if operand.name in CURVE_FUNCTIONS:
        return _of_curves(operand, numbers)
    return _of_numbers(operand.name, [worth(inner, numbers) for inner in operand.operands])


def decimals_of(value: float) -> int:
    """Digits behind the point that a number needs, at most four."""
    return next((digits for digits in range(4) if round(value, digits) == value), 4)


def _of_numbers(name: str, found: Sequence[Quantity]) -> Quantity:
    absent = [quantity.label for quantity in found if quantity.is_missing]
    if absent:
        return missing(", ".join(dict.fromkeys(absent)))
    label = LABELS.get(name, _listed)(name, found)
    drawn = NUMBER_FUNCTIONS[name]([quantity.drawn for quantity in found])
    runs = tuple(dict.fromkeys(run_id for quantity in found for run_id in quantity.runs))
    if name == "ratio":
        return Quantity(drawn, "1", RATIO_DECIMALS, label, runs)
    return Quantity(drawn, found[0].unit, max(quantity.decimals for quantity in found), label, runs)


def _of_curves(call: Call, numbers: ClaimNumbers) -> Quantity:
    """A function of curves. Nothing is drawn: how the curve of another seed runs is not known."""
    places = [operand.place for operand in call.operands if isinstance(operand, Leaf)]
    curves = [numbers.curves[place] for place in places if place in numbers.curves]
    names = [numbers.curves[place].label if place in numbers.curves else "/".join(place) for place in places]
    label = f"{CURVE_LABELS[call.name]} of {' and '.join(names)}"
    if len(curves) < len(places):
        return missing(label)
    runs = tuple(dict.fromkeys(run_id for curve in curves for run_id in curve.runs))
    seeds = [len({numbers.seeds[run_id] for run_id in curve.runs}) for curve in curves if curve.runs]
    drawn = replace(constant(CURVE_FUNCTIONS[call.name](*curves)), seeds=min(seeds, default=None))
    return Quantity(drawn, "1", 0 if call.name == "peak_at" else curves[0].decimals, label, runs)


def gaps(one: Curve, other: Curve) -> np.ndarray:
    """Values of the first curve less those of the second over the indices that both have, shape (I,).

    The first common index is left out where both are exactly 1 there: singular values over the largest of their matrix
    begin with 1 by construction, which says nothing of either.

    Raises:
        ValueError: If they have no index in common.
    """
    common, first, second = np.intersect1d(one.index_I, other.index_I, return_indices=True)
    if not len(common):
        raise ValueError(f"the curves '{one.label}' and '{other.label}' have no index in common")
    left, right = one.values_I[first], other.values_I[second]
    skipped = int(len(common) > 1 and left[0] == right[0] == 1.0)
    return left[skipped:] - right[skipped:]


def _listed(name: str, found: Sequence[Quantity]) -> str:
    return f"{name} of ({', '.join(quantity.label for quantity in found)})"


def _extreme(name: str, found: Sequence[Quantity]) -> str:
    """Which of how many has the extreme value."""
    chosen = (max if name == "largest" else min)(found, key=lambda quantity: quantity.value)
    return f"{name} of {len(found)}, {chosen.label}"


def _infix(sign: str) -> Callable[[str, Sequence[Quantity]], str]:
    return lambda name, found: f"({sign.join(quantity.label for quantity in found)})"


CURVE_LABELS = {
    "area": "mean value",
    "peak": "peak",
    "peak_at": "place of the peak",
    "lowest_after_peak": "lowest value after the peak",
    "smallest_gap": "smallest gap",
    "largest_gap": "largest gap",
}
LABELS: Mapping[str, Callable[[str, Sequence[Quantity]], str]] = {
    "largest": _extreme,
    "smallest": _extreme,
    "minus": _infix(f" {MINUS} "),
    "ratio": _infix(" / "),
}
NUMBER_FUNCTIONS: Mapping[str, Callable[[Sequence[Drawn]], Drawn]] = {
    "largest": largest,
    "smallest": smallest,
    "mean": average,
    "minus": lambda found: minus(*found),
    "ratio": lambda found: ratio(*found),
}
CURVE_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "area": lambda curve: float(curve.values_I.mean()),
    "peak": lambda curve: float(curve.values_I.max()),
    "peak_at": lambda curve: float(curve.index_I[curve.peak_place]),
    "lowest_after_peak": lambda curve: float(curve.values_I[curve.peak_place :].min()),
    "smallest_gap": lambda one, other: float(gaps(one, other).min()),
    "largest_gap": lambda one, other: float(np.abs(gaps(one, other)).max()),
}
