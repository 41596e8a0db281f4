"""What must be true of our own results whatever the paper says; one broken invariant stops the PDF.

An invariant looks at one kind of table, all files of a study together, and says of every row whether it breaks it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from rlvr.plan.settings import IN_PLACE

FILE = "file"  # column that says where a row comes from
TOLERANCE = 1e-6  # of sums and of estimated spectra
PERTURBATIONS = ("weyl_ratio", "mirsky_ratio", "wedin_ratio")  # shares of a bound, see rlvr.spectra.perturbation
Broken = Callable[[pd.DataFrame, "Protocol"], "pd.Series[bool]"]


@dataclass(frozen=True)
class Protocol:
    """What results are held against.

    Attributes:
        samples: Samples of each problem, by benchmark.
        problems: Held-out problems, by benchmark.
        steps: Optimizer steps, by run.
        max_unparsed_share: A benchmark on which no run has a smaller share of answers that cannot be read is broken.
        max_timed_out_share: Largest share of answers of a run that the grader may give up on.
    """

    samples: Mapping[str, int] = field(default_factory=dict)
    problems: Mapping[str, int] = field(default_factory=dict)
    steps: Mapping[str, int] = field(default_factory=dict)
    max_unparsed_share: float = 1.0
    max_timed_out_share: float = 1.0


class Breach(NamedTuple):
    """A row that breaks an invariant: its name and meaning, the file, and what tells the row."""

    invariant: str
    meaning: str
    file: str
    row: str


@dataclass(frozen=True)
class Invariant:
    """Something that holds for every row of a kind of table.

    Attributes:
        name: How a message calls it.
        kind: Kind of table: scores, cells, manifests, metrics, spectra or diagnostics.
        meaning: One line.
        broken: Which rows break it.
        shown: Columns that tell a row and why it breaks.
    """

    name: str
    kind: str
    meaning: str
    broken: Broken
    shown: tuple[str, ...]


def find_breaches(tables: Mapping[str, pd.DataFrame], protocol: Protocol) -> list[Breach]:
    """Every row that breaks an invariant.

    Args:
        tables: By kind, with the column ``file``; a kind without rows may be missing.
        protocol: What they are held against.
    """
    found = []
    for invariant in INVARIANTS:
        table = tables.get(invariant.kind)
        if table is None or not len(table):
            continue
        rows = table[invariant.broken(table, protocol).to_numpy(dtype=bool)]
        found += [
            Breach(invariant.name, invariant.meaning, str(row[FILE]), describe(row, invariant.shown))
            for _, row in rows.iterrows()
        ]
    return found


def describe(row: "pd.Series[Any]", columns: Sequence[str]) -> str:
    """A row in words: ``run_id lora-r8, value 1.2``."""
    return ", ".join(f"{name} {row[name]}" for name in columns)


def is_out_of_order(table: pd.DataFrame, names: Sequence[str]) -> "pd.Series[bool]":
    """Whether numbers that should ascend do not, or one of them is missing."""
    values = table[list(names)].to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        ascends = (np.diff(values, axis=1) >= -TOLERANCE).all(axis=1)
    return pd.Series(~(np.isfinite(values).all(axis=1) & ascends), index=table.index)


def is_not_finite(values: "pd.Series[float]") -> "pd.Series[bool]":
    """Whether a value is missing or infinite."""
    numbers = values.astype(float)
    return numbers.isna() | (numbers.abs() == np.inf)


def is_no_share(table: pd.DataFrame, _: Protocol) -> "pd.Series[bool]":
    """Whether a score or an end of its interval is no share, or lies outside the interval."""
    return is_out_of_order(table.assign(zero=0.0, one=1.0), ["zero", "low", "value", "high", "one"])


def verdicts_do_not_add_up(table: pd.DataFrame, _: Protocol) -> "pd.Series[bool]":
    """Whether right, wrong, unreadable and given up answers are more or fewer than all."""
    total = table[["value", "wrong_share", "unparsed_share", "timed_out_share"]].astype(float).sum(axis=1)
    return (table["statistic"] == "avg_at_k") & ((total - 1).abs() > TOLERANCE)


def has_other_samples(table: pd.DataFrame, protocol: Protocol) -> "pd.Series[bool]":
    """Whether k is not the protocol's."""
    return table["k"] != table["benchmark"].map(dict(protocol.samples))


def has_other_problems(table: pd.DataFrame, protocol: Protocol) -> "pd.Series[bool]":
    """Whether the number of problems is not that of the held-out split."""
    return table["n_problems"] != table["benchmark"].map(dict(protocol.problems))


def no_run_can_be_read(table: pd.DataFrame, protocol: Protocol) -> "pd.Series[bool]":
    """Whether even the most readable run of a benchmark has too many answers that cannot be read.

    A single run may collapse into noise, and that is a finding; if all do, the grader or the prompt is at fault.
    """
    least = table.groupby("benchmark")["unparsed_share"].transform("min")
    return (least > protocol.max_unparsed_share) & (table["unparsed_share"] == least)


def is_given_up_too_often(table: pd.DataFrame, protocol: Protocol) -> "pd.Series[bool]":
    """Whether the grader ran out of time on too many answers."""
    return table["timed_out_share"] > protocol.max_timed_out_share


def has_runs_and_no_number(table: pd.DataFrame, _: Protocol) -> "pd.Series[bool]":
    """Whether a cell names runs and shows nothing."""
    return (table["runs"] != "") & is_not_finite(table["value"])


def is_outside_its_interval(table: pd.DataFrame, _: Protocol) -> "pd.Series[bool]":
    """Whether a cell has an interval that does not hold its number."""
    has_interval = table["low"].notna() | table["high"].notna()
    return has_interval & is_out_of_order(table, ["low", "value", "high"])


def is_not_finished(table: pd.DataFrame, _: Protocol) -> "pd.Series[bool]":
    """Whether a manifest is of another run than its folder, says nothing of an end, or counts nothing."""
    counted = (table["steps"] > 0) & (table["trainable_parameters"] > 0) & (table["wall_time_s"] > 0)
    return (table["status"] != "finished") | (table["run_id"] != table["folder"]) | ~counted


def base_changed(table: pd.DataFrame, _: Protocol) -> "pd.Series[bool]":
    """Whether the frozen base under an adapter is not what it was, though nothing was to be merged into it."""
    moves = table["rollout_weights"] == IN_PLACE
    return table["adapter_after"].notna() & (table["base_before"] != table["base_after"]) & ~moves


def nothing_moved(table: pd.DataFrame, _: Protocol) -> "pd.Series[bool]":
    """Whether training left every weight where it was."""
    is_adapter = table["adapter_after"].notna()
    return (is_adapter & (table["adapter_after"] == table["adapter_before"])) | (
        table["moved_share"].astype(float) <= 0
    )


def misses_a_step(table: pd.DataFrame, protocol: Protocol) -> "pd.Series[bool]":
    """Whether the log is not that of steps 1, 2, ... to the last one of the manifest."""
    place = table.groupby("run_id")["step"].rank(method="first")
    lengths = table.groupby("run_id")["step"].transform("size")
    return (table["step"] != place) | (lengths != table["run_id"].map(dict(protocol.steps)))


def has_no_reward(table: pd.DataFrame, _: Protocol) -> "pd.Series[bool]":
    """Whether a step has no reward, no accuracy or a share that is none; a run without rollouts has none at all."""
    rewarded = table.groupby("run_id")["reward"].transform("count") > 0
    return rewarded & (is_not_finite(table["reward"]) | ~table["accuracy"].astype(float).between(0, 1))


def has_no_gradient(table: pd.DataFrame, _: Protocol) -> "pd.Series[bool]":
    """Whether a logged gradient norm or a learning rate is not finite."""
    return (table["grad_norm"].astype(float).abs() == np.inf) | is_not_finite(table["learning_rate"])


def is_no_number(table: pd.DataFrame, _: Protocol) -> "pd.Series[bool]":
    """Whether a value is missing or infinite."""
    return is_not_finite(table["value"])


def exceeds_its_bound(table: pd.DataFrame, _: Protocol) -> "pd.Series[bool]":
    """Whether an update has more effective rank than its parametrisation or its matrix allows."""
    share = (table["quantity"] == "attained_share") & (table["value"] > 1 + TOLERANCE)
    largest = table[["rows", "cols"]].min(axis=1) * (1 + TOLERANCE)
    return share | ((table["quantity"] == "effective_rank") & (table["value"] > largest))


def is_no_update(table: pd.DataFrame, _: Protocol) -> "pd.Series[bool]":
    """Whether all updates of a run are zero."""
    norms = table["value"].where(table["quantity"] == "frobenius_norm")
    largest = norms.groupby(table["run_id"]).transform("max")
    return norms.notna() & (largest <= 0)


def breaks_a_bound(table: pd.DataFrame, _: Protocol) -> "pd.Series[bool]":
    """Whether an update changed singular values or directions by more than any update of its size can."""
    ratios = table["quantity"].isin(PERTURBATIONS)
    return ratios & ~(table["value"].astype(float) <= 1 + TOLERANCE)


INVARIANTS = (
    Invariant(
        "score-is-a-share", "scores", "0 <= low <= value <= high <= 1",
        is_no_share, ("run_id", "benchmark", "statistic", "low", "value", "high"),
    ),
    Invariant(
        "verdicts-add-up", "scores", "right, wrong, unparsed and timed out answers are all answers",
        verdicts_do_not_add_up, ("run_id", "benchmark", "value", "wrong_share", "unparsed_share", "timed_out_share"),
    ),
    Invariant(
        "samples-as-the-protocol-says", "scores", "k is that of the study's protocol at this scale",
        has_other_samples, ("run_id", "benchmark", "k"),
    ),
    Invariant(
        "problems-as-the-protocol-says", "scores", "every held-out problem was answered, and no other",
        has_other_problems, ("run_id", "benchmark", "n_problems"),
    ),
    Invariant(
        "answers-can-be-read", "scores",
        "on every benchmark the share of unparsed answers of some run is at most `max_unparsed_share`",
        no_run_can_be_read, ("run_id", "benchmark", "unparsed_share"),
    ),
    Invariant(
        "grader-keeps-up", "scores", "the grader gives up on no larger share of answers than `max_timed_out_share`",
        is_given_up_too_often, ("run_id", "benchmark", "timed_out_share"),
    ),
    Invariant(
        "cell-has-a-number", "cells", "a cell that names runs has a number",
        has_runs_and_no_number, ("output", "row", "column", "runs"),
    ),
    Invariant(
        "interval-holds-its-number", "cells", "low <= value <= high",
        is_outside_its_interval, ("output", "row", "column", "low", "value", "high"),
    ),
    Invariant(
        "run-is-finished", "manifests",
        "a manifest is that of its folder's run, finished, with steps, parameters and time",
        is_not_finished, ("run_id", "folder", "status", "steps"),
    ),
    Invariant(
        "base-stays-as-it-was", "manifests",
        "the base under an adapter has the weights that it had, unless rollouts are merged in place",
        base_changed, ("run_id",),
    ),
    Invariant(
        "weights-moved", "manifests", "training changed the adapter, or some share of the base's weights",
        nothing_moved, ("run_id", "moved_share"),
    ),
    Invariant(
        "every-step-is-logged", "metrics", "the log has steps 1, 2, ... to the last",
        misses_a_step, ("run_id", "step"),
    ),
    Invariant(
        "reward-is-logged", "metrics", "every step has a reward, and an accuracy between 0 and 1",
        has_no_reward, ("run_id", "step", "reward", "accuracy"),
    ),
    Invariant(
        "gradient-is-finite", "metrics", "no norm of a gradient is infinite, no learning rate missing",
        has_no_gradient, ("run_id", "step", "grad_norm", "learning_rate"),
    ),
    Invariant(
        "spectrum-is-a-number", "spectra", "no spectral quantity is missing or infinite",
        is_no_number, ("run_id", "module", "quantity", "value"),
    ),
    Invariant(
        "effective-rank-within-its-bound", "spectra",
        "the effective rank is at most what the parametrisation and the matrix allow",
        exceeds_its_bound, ("run_id", "module", "quantity", "value"),
    ),
    Invariant(
        "update-is-not-zero", "spectra", "some module of a run has an update",
        is_no_update, ("run_id", "module"),
    ),
    Invariant(
        "perturbation-within-its-bound", "diagnostics",
        "no update changes singular values or directions by more than Weyl, Mirsky and Wedin allow",
        breaks_a_bound, ("run_id", "module", "quantity", "value"),
    ),
)  # fmt: skip


def invariants_table() -> str:
    """The invariants as a Markdown table, as ``docs/claims.md`` shows them."""
    lines = [f"| `{each.name}` | {each.kind} | {each.meaning} |" for each in INVARIANTS]
    return "\n".join(["| invariant | of | what must hold |", "|---|---|---|", *lines])
