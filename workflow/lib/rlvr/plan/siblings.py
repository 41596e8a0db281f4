"""Which runs differ in their seed only, which are of one family, and how far a paper says that its seeds lie apart."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from rlvr.plan.kept_steps import STEP
from rlvr.plan.outputs import Column, Output, Row
from rlvr.plan.printed import parse_printed
from rlvr.plan.selection import Facts, by_setting

FAMILY = ("model", "dataset", "method")
Spread = tuple[float, int]  # variance and its degrees of freedom


def siblings(rows: Mapping[str, Facts]) -> dict[str, tuple[str, ...]]:
    """The runs that differ from a run in nothing but the seed, itself among them, by seed.

    Args:
        rows: Facts of the runs of the selected tier, by run id.
    """
    groups = by_setting(rows, list(rows))
    ordered = [tuple(sorted(group, key=lambda run_id: rows[run_id]["seed"])) for group in groups]
    return {run_id: group for group in ordered for run_id in group}


def families(rows: Mapping[str, Facts]) -> dict[str, str]:
    """Family of every run: base model, data set and method; their seeds are pooled where a run has too few.

    Runs are in one family at one step only.
    """
    steps = {run_id: [facts[STEP]] if facts.get(STEP) is not None else [] for run_id, facts in rows.items()}
    return {
        run_id: " ".join(map(str, [*(facts[name] for name in FAMILY), *steps[run_id]]))
        for run_id, facts in rows.items()
    }


def relatives(rows: Mapping[str, Facts]) -> dict[str, tuple[str, ...]]:
    """The siblings of every run, and the other runs of its family that have siblings of their own."""
    same, family = siblings(rows), families(rows)
    seeded: dict[str, list[str]] = {}
    for run_id, group in same.items():
        if len(group) > 1:
            seeded.setdefault(family[run_id], []).append(run_id)
    return {run_id: tuple(dict.fromkeys((*same[run_id], *seeded.get(family[run_id], ())))) for run_id in rows}


def printed_spreads(outputs: Iterable[Output], rows: Mapping[str, Facts]) -> dict[str, Spread]:
    """Variance over seeds that a paper's printed standard deviations give a run's score, in squared points.

    ASSUME: where the paper prints none for a run, it is that of its family, otherwise of its model and data set,
    otherwise of all that the paper prints; printed deviations have n - 1 in the denominator.

    Args:
        outputs: Tables of the study.
        rows: Facts of all rows of its grid, by run id.

    Returns:
        By run id; empty for a paper that prints none.
    """
    printed = {runs: deviation for output in outputs for runs, deviation in _printed_deviations(output)}
    found = {}
    for run_id, facts in rows.items():
        for names in (FAMILY, FAMILY[:2], ()):
            chosen = [
                (deviation, len(runs) - 1)
                for runs, deviation in printed.items()
                if runs[0] in rows and all(rows[runs[0]][name] == facts[name] for name in names)
            ]
            if chosen:
                freedom = sum(weight for _, weight in chosen)
                found[run_id] = (sum(weight * deviation**2 for deviation, weight in chosen) / freedom, freedom)
                break
    return found


def _printed_deviations(output: Output) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every printed standard deviation of a score over seeds, with the runs that it is over."""
    for row, column in output.cells():
        if column.reduce == "std" and column.over == "seeds" and column.is_score:
            text, runs = output.printed(row, column), _only_side(row, column)
            if text and len(runs) > 1 and not math.isnan(value := parse_printed(text).value):
                yield runs, value / column.deviation_factor(len(runs))


def _only_side(row: Row, column: Column) -> tuple[str, ...]:
    (side,) = row.runs.get(column.key, ((),))
    return tuple(side)


def seeds_of(rows: Mapping[str, Facts], names: Collection[str]) -> dict[str, int]:
    """Seed of each of these runs."""
    return {name: int(rows[name]["seed"]) for name in names if name in rows}


def among(groups: Mapping[str, Sequence[str]], names: Collection[str]) -> dict[str, list[str]]:
    """Groups of these runs, without runs that are not among them; runs of one group share its list."""
    here = frozenset(names)
    left: dict[int, list[str]] = {}  # by identity: siblings share their tuple, to hash it is to look at all of them
    found = {}
    for name in names:
        if name in groups:
            group = groups[name]
            if id(group) not in left:
                left[id(group)] = [each for each in group if each in here]
            found[name] = left[id(group)]
    return found
