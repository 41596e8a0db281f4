"""Golds that nothing can be graded against: found before training, not in the middle of it."""

from collections.abc import Sequence

from rlvr.core.errors import InputError
from rlvr.grading.grader import find_verifier


def find_unreadable(golds: Sequence[str], verifiers: Sequence[str], metas: Sequence[str]) -> dict[int, str]:
    """Positions of the golds that their verifier cannot read, and why.

    Args:
        golds: Gold answers.
        verifiers: Kind of each problem, as ``grader.grade`` takes it.
        metas: What else each problem's table says, JSON.

    Raises:
        InputError: If nothing grades problems of some kind: that stops a run, it does not drop a problem.
    """
    for verifier in dict.fromkeys(verifiers):
        find_verifier(verifier)
    found = {}
    for position, (gold, verifier, meta) in enumerate(zip(golds, verifiers, metas, strict=True)):
        try:
            find_verifier(verifier).check_gold(gold, meta)
        except InputError as error:
            found[position] = str(error)
    return found
