"""The outcome of grading one completion: never a bare 0 or 1."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["correct", "wrong", "unparsed", "timed_out"]
Stage = Literal["extract", "parse", "match", "rule"]


@dataclass(frozen=True, slots=True)
class Grade:
    """What became of one completion.

    Attributes:
        verdict: ``unparsed``: no answer, or none that can be read; ``timed_out``: the grader gave up, not the model.
        extracted: The answer that was compared, or ``None`` when there was none.
        stage: Where the verdict was decided: ``extract``, ``parse``, ``rule`` (our own exact rules) or ``match``.
    """

    verdict: Verdict
    extracted: str | None
    stage: Stage
