"""Grades in worker processes that can be killed: a wall-clock limit for each, a memory limit for every worker."""

import multiprocessing
import resource
import signal
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import TimeoutError as LimitPassed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from multiprocessing import forkserver, resource_tracker
from pathlib import Path

from pebble import CONSTS, ProcessExpired, ProcessPool

from rlvr.core.deafness import starting_deaf
from rlvr.grading.grader import find_verifier
from rlvr.grading.verdicts import Grade

GROUP = 8  # questions that are asked together, at most
GROUP_LIMITS = 2  # how many times the limit of one grade a whole group may take
MEMORY_BYTES = 2**30  # ASSUME: beyond what a worker holds at its start; an honest comparison needs some megabytes
WARM = "rlvr.grading.warm_worker"
HEAVY_MODULES = ("pandas", "pandera.pandas")  # of the calling process, which workers import again
CONSTS.term_timeout = 0.0  # seconds until SIGKILL follows the pool's own SIGTERM, to which workers are deaf


@dataclass(frozen=True, slots=True)
class Asked:
    """One grade to find; the fields are those of ``verdicts.Verifier``."""

    verifier: str
    gold: str
    meta: str
    essence: str | None

    @property
    def problem(self) -> tuple[str, str, str]:
        """Key of the problem, equal for all answers to it: verifier, gold and meta."""
        return self.verifier, self.gold, self.meta


def grade_in_workers(questions: Sequence[Asked], workers: int) -> dict[Asked, Grade]:
    """Grade distinct questions; what exceeds its limit or kills its worker is ``timed_out``.

    A few questions of one problem go to one worker together, which reads the gold once. Where such a group does not
    finish in time, each of its questions is asked again alone: a hostile answer costs no other one its verdict.

    Args:
        questions: In any order, each once.
        workers: Processes, at least 1.

    Raises:
        InputError: If a gold cannot be read.
    """
    try:
        grades = _grade_in_pool(questions, workers)
    except BrokenProcessPool:  # its processes were ended from outside, in the middle of their start
        grades = _grade_in_pool(questions, workers)
    return grades | {question: _given_up(question) for question in questions if question not in grades}


def _grade_in_pool(questions: Sequence[Asked], workers: int) -> dict[Asked, Grade]:
    """Grades of the questions that a new pool of workers finds in time."""
    ordered = sorted(questions, key=lambda question: question.problem)
    groups = _groups(ordered)
    with _start_pool(min(workers, len(groups))) as pool:
        try:
            grades = _ask(pool, groups)
            left = [[question] for question in ordered if question not in grades]
            grades |= _ask(pool, left)
        except BaseException:
            pool.stop()
            raise
    return grades


def grade_here(question: Asked) -> Grade:
    """Grade one question in this process, whose time limit cannot interrupt a single long call into C code.

    Raises:
        InputError: If its gold cannot be read.
    """
    return find_verifier(question.verifier).grade(question.essence, question.gold, question.meta)


def _groups(ordered: Sequence[Asked]) -> list[list[Asked]]:
    """Neighbours with one problem, a few at a time."""
    alike = [list(group) for _, group in groupby(ordered, key=lambda question: question.problem)]
    return [group[start : start + GROUP] for group in alike for start in range(0, len(group), GROUP)]


def _ask(pool: ProcessPool, groups: Iterable[list[Asked]]) -> dict[Asked, Grade]:
    """Grades of the groups that finish; the others are missing."""
    running = [(group, pool.schedule(_grade_group, args=[group], timeout=_limit_s(group))) for group in groups]
    grades: dict[Asked, Grade] = {}
    for group, future in running:
        with suppress(LimitPassed, ProcessExpired):
            grades |= zip(group, future.result(), strict=True)
    return grades


def _limit_s(group: list[Asked]) -> float:
    return find_verifier(group[0].verifier).limit_s * min(len(group), GROUP_LIMITS)


def _grade_group(group: list[Asked]) -> list[Grade]:
    """Grade a group of questions one after the other, within a worker process."""
    return [grade_here(question) for question in group]


def _given_up(question: Asked) -> Grade:
    whole_text = find_verifier(question.verifier).essence is str
    return Grade("timed_out", None if whole_text else question.essence, "match")


def _start_pool(workers: int) -> ProcessPool:
    """Workers forked from a clean process: this one may hold threads, a GPU or gigabytes.

    Neither that process nor a worker hears SIGTERM (``core.deafness``); all of them end with the calling process.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([WARM, *(name for name in HEAVY_MODULES if name in sys.modules)])
    resource_tracker.ensure_running()  # deaf by itself; its start would undo the mask below
    with starting_deaf():
        forkserver.ensure_running()
    return ProcessPool(max_workers=workers, context=context, initializer=_begin)


def _begin() -> None:
    """Start of a worker, also of one that comes from a process which others started and which hears SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _limit_memory()


def _limit_memory() -> None:
    """Let allocations beyond the limit fail in this process: its computer algebra then gives up with an error."""
    sizes = Path("/proc/self/statm")
    pages = int(sizes.read_text(encoding="ascii").split()[0]) if sizes.is_file() else 0
    held = pages * resource.getpagesize() or MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
