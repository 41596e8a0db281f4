"""The outcome of grading one completion, never a bare 0 or 1, and what a kind of problem needs to be graded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["correct", "wrong", "unparsed", "timed_out"]
Stage = Literal["extract", "parse", "match", "rule"]
NO_META = "{}"


@dataclass(frozen=True, slots=True)
class Grade:
    """Verdict on one completion, and how it came about.

    Attributes:
        verdict: ``unparsed``: no answer, or none that can be read; ``timed_out``: the grader gave up, not the model.
        extracted: The answer that was compared, or ``None`` when there was none.
        stage: Where the verdict was decided: ``extract``, ``parse``, ``rule`` (our own exact rules) or ``match``.
    """

    verdict: Verdict
    extracted: str | None
    stage: Stage


@dataclass(frozen=True, slots=True)
class Verifier:
    """How the answers of one kind of problem are judged. Every function is pure; ``meta`` is the problem's JSON text.

    Attributes:
        grade: Judges ``(essence, gold, meta)``, whatever the essence is, and never raises because of it.
        check_gold: Raises ``InputError`` where ``(gold, meta)`` cannot be graded against.
        essence: What of a completion is judged, by default the whole text: equal essences have equal grades.
        quick: As ``grade``, where that surely costs little, otherwise ``None``: ``grade`` then runs in a worker
            process that can be killed. By default everything is quick.
        tame: Whether ``grade`` of ``(essence, gold)`` surely ends within milliseconds without computing anything
            large: a few such answers are judged in the calling process even if they are not quick.
        limit_s: Seconds after which the worker that judges one essence is killed.
        show: A completion that answers ``(gold, meta)`` with the gold, for the check of golds against themselves.
    """

    grade: Callable[[str | None, str, str], Grade]
    check_gold: Callable[[str, str], None]
    essence: Callable[[str], str | None] = str
    quick: Callable[[str | None, str, str], Grade | None] | None = None
    tame: Callable[[str | None, str], bool] = lambda _essence, _gold: False
    limit_s: float = 30.0
    show: Callable[[str, str], str] = lambda gold, _meta: rf"\boxed{{{gold}}}"
