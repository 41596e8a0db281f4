"""What results there are, what they may be compared with, and which runs a cell is made from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from rlvr.plan.outputs import SEED_MEANS, Column, Row

FEWEST_SEEDS = 2  # of a mean or a standard deviation


@dataclass(frozen=True)
class ReportScope:
    """Which results exist and what they may be compared with.

    Attributes:
        scale: Name of the scale.
        comparable: Whether a reproduced number may be judged by the printed one.
        runs: Run ids of the selected tier, and names of the pairs of checkpoints that were measured.
        remark: A further fact that a reader of this scale's numbers must know, e.g. that its ranks are the paper's
            divided by 8.
        study: Name of the study.
        stand_ins: What stands in for a model at this scale, by the model.
        seeds: Seed of every run.
        siblings: The runs that differ from a run in their seed only, itself among them.
        families: Family of every run: its seeds are pooled where a run has too few of its own.
        printed_spreads: Variance over seeds that the paper's printed standard deviations give a run's score, in squared
            points, and its degrees of freedom.
        samples: k of every benchmark in the paper's protocol.
        failed: Logs of runs that were started and are not finished, by run id; they are not among ``runs``.
    """

    scale: str
    comparable: bool
    runs: Collection[str]
    remark: str = ""
    study: str = ""
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)
    siblings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)
    printed_spreads: Mapping[str, Sequence[float]] = field(default_factory=dict)
    samples: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


def usable_sides(row: Row, column: Column, available: Collection[str]) -> list[list[str]]:
    """Runs that a cell is made from, in groups as the row has them; empty for "not run".

    A largest value is taken over what was run (a difference needs both of its parts); a mean or a standard deviation
    over fewer seeds than the grid has would be another quantity, so it needs all of them, and two at least; of means
    over seeds, those settings that have them take part.
    """
    if column.parts:
        parts = [usable_sides(row, part, available) for part in column.parts]
        return [side for sides in parts for side in sides] if all(parts) else []
    wanted = row.runs[column.key]
    found = [[run_id for run_id in side if run_id in available] for side in wanted]
    if column.over == SEED_MEANS:
        pairs = zip(found, wanted, strict=True)
        return [group for group, whole in pairs if len(group) == len(whole) >= FEWEST_SEEDS]
    if not all(found):
        return []
    if column.reduce in ("mean", "std"):
        complete = all(len(left) == len(right) >= FEWEST_SEEDS for left, right in zip(found, wanted, strict=True))
        return found if complete else []
    return found
