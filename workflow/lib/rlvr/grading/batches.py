"""Many grades at once: equal answers are judged once, cheap ones here, the others in worker processes.

Verdicts are those of ``grader.grade``; only what they cost differs.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rlvr.grading.grader import find_verifier
from rlvr.grading.verdicts import NO_META, Grade, Verifier
from rlvr.grading.workers import Asked, grade_here, grade_in_workers

FEW = 500  # tame questions that cost less here (about a millisecond each) than a worker costs to start


@dataclass(frozen=True, slots=True)
class Completion:
    """A completion to grade, with what its problem's table says; see ``grader.grade``."""

    text: str
    gold: str
    verifier: str
    meta: str = NO_META


@dataclass(frozen=True, slots=True)
class Resources:
    """Resources that grading may use.

    Attributes:
        workers: Worker processes, at least 1; they are started only where something needs them.
        cache_dir: Folder of the grades on disk, on a local disk; empty for none.
    """

    workers: int = 1
    cache_dir: str = ""


def grade_all(completions: Iterable[Completion], resources: Resources) -> list[Grade]:
    """Grade completions, one grade each in their order.

    Raises:
        InputError: If nothing grades some kind of problem, or a gold cannot be read. Never because of a text.
    """
    verifiers: dict[str, Verifier] = {}
    asked = []
    for one in completions:
        if one.verifier not in verifiers:
            verifiers[one.verifier] = find_verifier(one.verifier)
        asked.append(Asked(one.verifier, one.gold, one.meta, verifiers[one.verifier].essence(one.text)))
    grades = {question: _quick_grade(question, verifiers[question.verifier]) for question in dict.fromkeys(asked)}
    slow = [question for question, grade in grades.items() if grade is None]
    settled = {question: grade for question, grade in grades.items() if grade is not None}
    if slow:
        settled |= _settle(slow, resources, verifiers)
    return [settled[question] for question in asked]


def _quick_grade(question: Asked, verifier: Verifier) -> Grade | None:
    judge = verifier.quick or verifier.grade
    return judge(question.essence, question.gold, question.meta)


def _settle(slow: list[Asked], resources: Resources, verifiers: dict[str, Verifier]) -> dict[Asked, Grade]:
    """Grades of questions that may take long: here if they are few and tame, otherwise from disk or from workers."""
    if len(slow) <= FEW and all(verifiers[one.verifier].tame(one.essence, one.gold) for one in slow):
        return {question: grade_here(question) for question in slow}
    if not resources.cache_dir:
        return grade_in_workers(slow, resources.workers)
    from rlvr.grading.grade_cache import load_grades, store_grades

    known = load_grades(resources.cache_dir, slow)
    if new := [question for question in slow if question not in known]:
        found = grade_in_workers(new, resources.workers)
        store_grades(resources.cache_dir, found)
        known |= found
    return known
