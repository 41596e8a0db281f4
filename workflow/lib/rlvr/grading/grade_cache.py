"""Grades on disk, by problem, answer and grader version: what was compared once is not compared again by any job.

The folder only saves time. One that cannot be read or written is left alone with a warning, and grading goes on.
"""

import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import get_args

from diskcache import Cache, Disk, Timeout
from diskcache.core import MODE_RAW

from rlvr.grading.grader import GRADER_VERSION
from rlvr.grading.verdicts import Grade, Verdict
from rlvr.grading.workers import Asked

log = logging.getLogger(__name__)
UNUSABLE = (sqlite3.Error, Timeout, OSError)  # no database, a damaged one, no permission, no space, a lock held long


class TextDisk(Disk):
    """Gives back texts that stand in the database, and nothing else: a folder from elsewhere may hold pickles."""

    def fetch(self, mode: int, filename: str | None, value: object, read: bool) -> str | None:
        """The stored text; ``None`` for whatever else is there, which is neither opened nor decoded."""
        return value if mode == MODE_RAW and filename is None and isinstance(value, str) else None

    def remove(self, file_path: str) -> None:
        """Leave files alone: a row from elsewhere may name one outside the folder, and expire."""


def cache_key(question: Asked) -> str:
    """Digest of everything that a grade depends on."""
    content = json.dumps([GRADER_VERSION, *astuple(question)])
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def load_grades(folder: str | Path, questions: Iterable[Asked]) -> dict[Asked, Grade]:
    """Read the grades of those questions that were graded before; none from a folder that cannot be read."""
    known: dict[Asked, Grade] = {}
    with _tolerated(folder), open_cache(folder) as cache:
        for question in questions:
            if (grade := read_grade(cache.get(cache_key(question), retry=True))) is not None:
                known[question] = grade
    return known


def store_grades(folder: str | Path, grades: dict[Asked, Grade]) -> None:
    """Keep grades for later, in one transaction; several jobs may write at once.

    A time-out is not kept: it says something about the machine's load.
    """
    with _tolerated(folder), open_cache(folder) as cache, cache.transact(retry=True):
        for question, grade in grades.items():
            if grade.verdict != "timed_out":
                cache.set(cache_key(question), json.dumps(astuple(grade)))


def open_cache(folder: str | Path) -> Cache:
    """The database of a folder, made if it is not there."""
    return Cache(str(folder), disk=TextDisk)


def read_grade(stored: object) -> Grade | None:
    """Decode a stored grade; ``None`` for a value that is not a grade."""
    if not isinstance(stored, str):
        return None
    try:
        verdict, extracted, stage = json.loads(stored)
    except (TypeError, ValueError):
        return None
    return Grade(verdict, extracted, stage) if verdict in get_args(Verdict) else None


@contextmanager
def _tolerated(folder: str | Path) -> Iterator[None]:
    try:
        yield
    except UNUSABLE as error:
        log.warning("Grades in %s are not used (%s): delete it or choose another 'grade_cache'.", folder, error)
