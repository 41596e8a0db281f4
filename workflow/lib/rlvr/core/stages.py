"""How far a call of Snakemake is, stage by stage, and how long the whole workflow will still take.

A stage is a file of ``workflow/rules``: ``2_train.smk`` is the stage ``train``.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from rlvr.core.call_log import Call, Follower
from rlvr.core.live import QUIET_S, duration
from rlvr.core.places import shared_root

TARGETS, OTHER = "targets", "other"  # rules that only name what others make; rules of files that are not known
NAMED = 3  # rules named in a line


@dataclass(frozen=True)
class Stage:
    """Jobs of a stage: planned in all, finished, running and failed."""

    name: str
    total: int
    done: int
    running: int
    failed: int


@dataclass(frozen=True)
class Progress:
    """How far a call is.

    Attributes:
        stages: Those that the call plans, in the order of the workflow.
        seconds_left: Of the whole call; ``None`` while it is unknown, and where the call ended before all was done.
        untimed: Rules that have jobs left and no finished job whose duration is known, most jobs first.
        first_ones_run: Whether one of these is running, for nobody knows how long.
        ended: Whether Snakemake closed its log.
        silent_seconds: Time since the last entry.
    """

    stages: list[Stage]
    seconds_left: float | None
    untimed: list[str]
    first_ones_run: bool
    ended: bool
    silent_seconds: float

    @property
    def whole(self) -> Stage:
        """All stages together."""
        counts = [(stage.total, stage.done, stage.running, stage.failed) for stage in self.stages]
        return Stage("all", *map(sum, zip(*counts, strict=True))) if counts else Stage("all", 0, 0, 0, 0)

    @property
    def is_open(self) -> bool:
        """Whether the call goes on, as far as its log tells: it was not closed and has jobs left."""
        return not self.ended and self.whole.done < self.whole.total

    @property
    def is_silent(self) -> bool:
        """Whether the log has had no entry for long: a job takes long, or Snakemake was killed."""
        return self.silent_seconds > QUIET_S

    def record(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self) | {"left": self.left}

    @property
    def left(self) -> str:
        """The time left, in words, or how the call ended."""
        if not self.is_open:
            return "all done" if self.whole.done == self.whole.total else "ended before all was done"
        about = "at least" if self.first_ones_run else "about"
        words = "time left unknown" if self.seconds_left is None else f"{about} {duration(self.seconds_left)} left"
        quiet = f", no entry for {duration(self.silent_seconds)}" if self.is_silent else ""
        return words + quiet


@cache
def stages_of_rules() -> Mapping[str, str]:
    """The stage of each rule, read once from the rule files, in their order."""
    found: dict[str, str] = {}
    for path in sorted((shared_root() / "workflow" / "rules").glob("[0-9]_*.smk")):
        names = re.findall(r"^(?:rule|checkpoint) (\w+):", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        found |= dict.fromkeys(names, path.stem.partition("_")[2])
    return found | {"all": TARGETS, "everything": TARGETS}


def stage_of(rule: str) -> str:
    """The stage of a rule; of one that another workflow takes over with a prefix (``rlvr_train_run``), too."""
    known = stages_of_rules()
    while rule not in known and "_" in rule:
        rule = rule.partition("_")[2]
    return known.get(rule, OTHER)


def follow(results: Path, since: float = 0.0) -> Follower:
    """The newest call that makes files of a folder of results; passes over calls of mere targets (``curves``)."""
    return Follower(results, lambda rule: stage_of(rule) not in (TARGETS, OTHER), since)


def progress_of(call: Call, now: float | None = None) -> Progress:
    """How far a call is at a time (seconds since 1970; by default now)."""
    now = time.time() if now is None else now
    order = [*dict.fromkeys(stages_of_rules().values()), OTHER]
    rules = {*call.planned, *call.done, *(rule for rule, _ in call.running.values()), *call.failed.values()}
    present = {stage_of(rule) for rule in rules}
    stages = [_stage(name, call, rules) for name in sorted(present, key=order.index)]
    left = _jobs_left(call, rules)
    untimed = [rule for rule in left if not call.seconds.get(rule) and stage_of(rule) not in (TARGETS, OTHER)]
    untimed.sort(key=lambda rule: (-left[rule], rule))
    silent = 0.0 if call.last is None else max(0.0, now - call.last)
    first = any(rule in untimed for rule, _ in call.running.values())
    return Progress(stages, seconds_left(call, now), untimed, first, call.ended, silent)


def _stage(name: str, call: Call, rules: set[str]) -> Stage:
    mine = {rule for rule in rules if stage_of(rule) == name}
    running = sum(rule in mine for rule, _ in call.running.values())
    failed = sum(rule in mine for rule in call.failed.values())
    return Stage(name, sum(_total(call, rule) for rule in mine), sum(call.done[rule] for rule in mine), running, failed)


def _total(call: Call, rule: str) -> int:
    """Jobs of a rule: those planned, or those seen, where Snakemake found more on the way."""
    seen = sum(one == rule for one, _ in call.running.values()) + sum(one == rule for one in call.failed.values())
    return max(call.planned.get(rule, 0), call.done[rule] + seen)


def _jobs_left(call: Call, rules: set[str]) -> dict[str, int]:
    failed = list(call.failed.values())
    left = {rule: _total(call, rule) - call.done[rule] - failed.count(rule) for rule in rules}
    return {rule: jobs for rule, jobs in left.items() if jobs}


def seconds_left(call: Call, now: float) -> float | None:
    """Time that a call will still take: the work that is left over the mean number of jobs at work so far.

    The work is, for each rule, the jobs that are left times the mean duration of its finished ones, less what running
    jobs have behind them. A rule without a finished job counts with the median of the means of its stage's rules,
    otherwise of all rules, and at least with what its running jobs have taken: a mean over all jobs is that of the
    trainings, and most rules are quick. Targets take no time; jobs that failed are not run again. ``None`` before a job
    has finished, and where the call ended with jobs left.
    """
    left = _jobs_left(call, {*call.planned, *(rule for rule, _ in call.running.values())})
    if not left and not call.failed:
        return 0.0 if call.planned else None
    if call.ended or call.began is None or not any(call.seconds.values()):
        return None
    ages = [(rule, max(0.0, now - start)) for rule, start in call.running.values()]
    means = {rule: _mean_seconds(call, rule, [age for one, age in ages if one == rule]) for rule in left}
    work = sum(jobs * means[rule] for rule, jobs in left.items()) - sum(min(age, means[rule]) for rule, age in ages)
    busy = call.busy_seconds + sum(age for _, age in ages)
    at_work = busy / (now - call.began) if busy and now > call.began else 1.0
    return max(0.0, work) / at_work


def _mean_seconds(call: Call, rule: str, ages: list[float]) -> float:
    if own := call.seconds.get(rule):
        return sum(own) / len(own)
    if stage_of(rule) == TARGETS:
        return 0.0
    rules = {other: sum(found) / len(found) for other, found in call.seconds.items() if found}
    near = [mean for other, mean in rules.items() if stage_of(other) == stage_of(rule)]
    return max(median(near or rules.values()), *ages, 0.0)


def stage_lines(progress: Progress) -> list[str]:
    """A line for each stage and one for all, in columns."""
    rows = [*progress.stages, progress.whole]
    width = max(len(stage.name) for stage in rows)
    count = max(len(_done(stage)) for stage in rows)
    lines = [f"{stage.name:<{width}}  {_done(stage):>{count}}{_beside(stage)}" for stage in rows]
    more = ", ..." if len(progress.untimed) > NAMED else ""
    untimed = f" (not timed yet: {', '.join(progress.untimed[:NAMED])}{more})" if progress.untimed else ""
    return [*lines[:-1], f"{lines[-1]}  {progress.left}{untimed if progress.is_open else ''}"]


def stages_line(progress: Progress) -> str:
    """All stages and the time left in one line."""
    rows = [stage for stage in progress.stages if stage.name not in (TARGETS, OTHER)]
    whole = progress.whole
    return "  ".join(
        [*(f"{one.name} {_done(one)}" for one in rows), f"all {_done(whole)}{_beside(whole)}", progress.left]
    )


def _done(stage: Stage) -> str:
    return f"{stage.done}/{stage.total}"


def _beside(stage: Stage) -> str:
    words = [f"{number} {word}" for number, word in ((stage.running, "running"), (stage.failed, "failed")) if number]
    return "".join(f"  {one}" for one in words)
