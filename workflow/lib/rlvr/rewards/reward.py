"""The training reward: R_total = R_accuracy + R_format (paper, appendix A.3, equal weights)."""

from dataclasses import dataclass

from rlvr.prompts import assistant_text
from rlvr.rewards.formatting import format_reward
from rlvr.rewards.grader import grade
from rlvr.rewards.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Reward:
    """The reward of one completion and what it is made of.

    Attributes:
        accuracy: 1 if the verdict is ``correct``, else 0.
        format: R_fmt, at most 0.75.
        total: Their sum.
        verdict: The grader's, so that a broken grader never looks like a weak model.
    """

    accuracy: float
    format: float
    total: float
    verdict: Verdict


def total_reward(completion: str, gold: str, verifier: str, template: str) -> Reward:
    """Judge one completion for training.

    Args:
        completion: What the model wrote after the prompt.
        gold: The problem's answer.
        verifier: The problem's verifier, see ``rlvr.rewards.grader``.
        template: Name of the prompt template that the completion continues.

    Raises:
        InputError: For an unknown verifier or template or an unreadable gold; never because of the completion.
    """
    text = assistant_text(completion, template)
    verdict = grade(text, gold, verifier).verdict
    accuracy = float(verdict == "correct")
    shaping = format_reward(text)
    return Reward(accuracy, shaping, accuracy + shaping, verdict)
