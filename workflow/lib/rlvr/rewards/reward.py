"""The training rewards of the four papers, as pure functions of a verdict, a text and its length in tokens.

``shaped`` and ``as-printed`` are R_total = R_accuracy + R_format ("Structure Over Scale", appendix A.3, equal weights);
``binary`` is 1 or 0 ("Evaluating Parameter Efficient Methods for RLVR", section 2.4); ``signed`` is 1 or -1, to which
"The Path Not Taken" and "Geometry-Preserving Orthonormal Initialization" add a penalty on length.

``as-printed`` follows "Structure Over Scale" to the letter. DEVIATION: ``shaped``, the default, differs from it in two
ways. The answer stands where ``grader.last_answer`` finds it, not in the last box anywhere. And what a right answer's
format takes away is scaled down: as printed, a right answer in an unclosed reasoning earns 0.7, a wrong one behind a
tidy reasoning 0.75, so that the policy would be taught to be tidy rather than right.
"""

from dataclasses import dataclass

from rlvr.grading.grader import as_printed, grade
from rlvr.grading.verdicts import NO_META, Verdict
from rlvr.plan.reward_rules import AS_PRINTED, FORMATTED, KINDS, RewardRule
from rlvr.prompts import assistant_text
from rlvr.rewards.formatting import format_reward

# ASSUME: the least format, -2.15, takes 0.215 from a right answer: every right one earns more than any wrong one, and
# among right answers the better format still earns more.
MALUS_OF_RIGHT = 0.1


@dataclass(frozen=True, slots=True)
class Reward:
    """The reward of one completion and what it is made of.

    Attributes:
        accuracy: 1 if the verdict is ``correct``, otherwise 0, whatever it is worth.
        format: R_fmt as it counts, at most 0.75; 0 for rewards without it.
        total: What the policy is trained on.
        verdict: The grader's, so that a broken grader never looks like a weak model.
        overlong: The penalty on length, from -1 to 0.
    """

    accuracy: float
    format: float
    total: float
    verdict: Verdict
    overlong: float = 0.0


def reward_for(verdict: Verdict, text: str, tokens: int, rule: RewardRule) -> Reward:
    """The reward of a graded completion.

    Args:
        verdict: The grader's; for code it says whether every test case passed.
        text: The assistant's whole turn.
        tokens: Length of the completion.
        rule: Which reward.
    """
    right = verdict == "correct"
    shaping = shaped_format(format_reward(text), right, rule) if rule.kind in FORMATTED else 0.0
    overlong = overlong_penalty(tokens, rule.max_tokens, rule.overlong_buffer) if rule.overlong_buffer else 0.0
    worth = KINDS[rule.kind][0 if right else 1]
    return Reward(float(right), shaping, worth + shaping + overlong, verdict, overlong)


def shaped_format(found: float, right: bool, rule: RewardRule) -> float:
    """Share of the format in a shaped reward: R_fmt, but a tenth of what it takes from a right answer.

    Without the tenth, a right answer of bad format would be worth no more than a wrong one of good format. The reward
    ``as-printed`` takes all of R_fmt.
    """
    return found * MALUS_OF_RIGHT if right and found < 0 and rule.kind != AS_PRINTED else found


def verifier_for(verifier: str, rule: RewardRule) -> str:
    """Name of the verifier that a reward asks for problems of a kind."""
    return as_printed(verifier) if rule.kind == AS_PRINTED else verifier


def overlong_penalty(tokens: int, max_tokens: int, buffer: int) -> float:
    """Soft penalty on length.

    SOURCE: DAPO (Yu et al., 2025), equation 13: 0 up to ``max_tokens - buffer``, then linear, -1 at ``max_tokens`` and
    beyond. "The Path Not Taken" uses a buffer of 1,024 (appendix C.1), "Geometry-Preserving Orthonormal
    Initialization" one of 4,096, both with factor 1.

    Args:
        tokens: Length of the completion.
        max_tokens: Longest completion that can be sampled.
        buffer: Tokens before that length over which the penalty grows, at least 1.
    """
    return -min(max(tokens - (max_tokens - buffer), 0) / buffer, 1.0)


def total_reward(
    completion: str, gold: str, verifier: str, template: str, meta: str = NO_META, rule: RewardRule | None = None
) -> Reward:
    """Judge one completion.

    Args:
        completion: What the model wrote after the prompt.
        gold: The problem's answer.
        verifier: The problem's verifier, see ``rlvr.grading.grader``.
        template: Name of the prompt template that the completion continues.
        meta: Further facts of the problem, JSON.
        rule: Which reward; the shaped one by default.

    Raises:
        InputError: For an unknown verifier or template or an unreadable gold; never because of the completion.
    """
    text = assistant_text(completion, template)
    rule = rule or RewardRule()
    return reward_for(grade(text, gold, verifier_for(verifier, rule), meta).verdict, text, 0, rule)
