"""Why a completion has its verdict, in one sentence."""

from rlvr.grading.verdicts import Grade

LONGEST_QUOTE = 60  # characters

REASONS = {
    ("unparsed", "extract"): "no answer found: no box, block or list outside the reasoning, or none that is complete",
    ("unparsed", "parse"): "the answer {answer} cannot be read",
    ("unparsed", "match"): "the answer {answer} cannot be compared",
    ("correct", "rule"): "{answer} is {gold} by exact rules",
    ("wrong", "rule"): "{answer} is not {gold} by exact rules",
    ("correct", "match"): "{answer} equals {gold} in value",
    ("wrong", "match"): "{answer} does not equal {gold} in value",
    ("timed_out", "match"): "the grader gave up on {answer}: no verdict on the model",
}
OF_CODE = {
    "correct": "every test of the problem passes",
    "wrong": "a test of the problem fails, or the program ends early",
    "timed_out": "the program runs longer than it may",
    "unparsed": "no closed block of Python that defines what the tests call",
}


def explain(grade: Grade, gold: str, verifier: str) -> str:
    """The reason of a verdict.

    Args:
        grade: Of one completion.
        gold: The answer that it was compared with.
        verifier: Kind of the problem, as :func:`rlvr.grading.grader.grade` takes it.
    """
    if verifier.partition("/")[0] == "code":
        return OF_CODE[grade.verdict]
    reason = REASONS[grade.verdict, grade.stage]
    return reason.format(answer=_quoted(grade.extracted), gold=_quoted(gold))


def _quoted(text: str | None) -> str:
    flat = " ".join((text or "").split())
    shown = flat if len(flat) <= LONGEST_QUOTE else f"{flat[: LONGEST_QUOTE - 3]}..."
    return f"'{shown}'"
