"""Verifiers of the Enigmata tasks: our own, one line per task in ``tasks``, verdicts in ``verify``."""

from functools import partial

from rlvr.grading.enigmata.tasks import TASKS
from rlvr.grading.enigmata.verify import check_record, judge_answer, show_answer
from rlvr.grading.verdicts import Verifier

VERIFIERS = {
    f"enigmata/{name}": Verifier(
        grade=partial(judge_answer, task=name),
        check_gold=partial(check_record, task=name),
        essence=task.extract,
        show=partial(show_answer, task=name),
    )
    for name, task in TASKS.items()
}
