"""Grades on disk, by problem, answer and grader version: what was compared once is not compared again by any job."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path

from diskcache import Cache

from rlvr.rewards.grader import GRADER_VERSION
from rlvr.rewards.verdicts import Grade
from rlvr.rewards.workers import Question


def cache_key(question: Question) -> str:
    """Digest of everything that a grade depends on."""
    content = json.dumps([GRADER_VERSION, *astuple(question)])
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def load_grades(folder: str | Path, questions: Iterable[Question]) -> dict[Question, Grade]:
    """Those of the questions that were graded before."""
    with Cache(str(folder)) as cache:
        found = ((question, cache.get(cache_key(question), retry=True)) for question in questions)
        return {question: Grade(*json.loads(grade)) for question, grade in found if grade is not None}


def store_grades(folder: str | Path, grades: dict[Question, Grade]) -> None:
    """Keep grades for later, in one transaction; several jobs may write at once.

    A time-out is not kept: it says something about the machine's load.
    """
    with Cache(str(folder)) as cache, cache.transact(retry=True):
        for question, grade in grades.items():
            if grade.verdict != "timed_out":
                cache.set(cache_key(question), json.dumps(astuple(grade)))
