"""The reward as TRL calls it: the same grader as in evaluation, wrapped."""

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from rlvr.grading.batches import Completion, Resources, grade_all
from rlvr.grading.verdicts import NO_META
from rlvr.plan.reward_rules import RewardRule
from rlvr.prompts import assistant_text
from rlvr.rewards.reward import Reward, reward_for, verifier_for

WORKERS = 4  # ASSUME: processes of one trainer that judge what needs computer algebra or runs programs


def make_reward(template: str, rule: RewardRule | None = None) -> Callable[..., list[float]]:
    """Reward function over the data set's columns ``answer``, ``verifier`` and ``meta``.

    Args:
        template: Name of the prompt template that completions continue.
        rule: Which reward; the shaped one by default.

    Returns:
        A function of TRL's keyword arguments that gives the total reward of every completion and logs the step's mean
        ``accuracy`` and ``format``.
    """
    rule = rule or RewardRule()

    def reward(
        completions: list[str],
        answer: list[str],
        verifier: list[str],
        log_metric: Callable[[str, float], None],
        meta: list[str] | None = None,
        completion_ids: Sequence[Sequence[int]] | None = None,
        **_: Any,
    ) -> list[float]:
        texts = [assistant_text(completion, template) for completion in completions]
        metas = meta or [NO_META] * len(texts)
        lengths = [0] * len(texts) if completion_ids is None else [len(ids) for ids in completion_ids]
        kinds = [verifier_for(name, rule) for name in verifier]
        asked = [Completion(*row) for row in zip(texts, answer, kinds, metas, strict=True)]
        grades = grade_all(asked, Resources(WORKERS))
        rewards = [
            reward_for(grade.verdict, text, tokens, rule)
            for grade, text, tokens in zip(grades, texts, lengths, strict=True)
        ]
        log_means(rewards, log_metric)
        return [one.total for one in rewards]

    return reward


def log_means(rewards: Sequence[Reward], log_metric: Callable[[str, float], None]) -> None:
    """Log the means of what the step's rewards are made of."""
    log_metric("accuracy", fmean(one.accuracy for one in rewards))
    log_metric("format", fmean(one.format for one in rewards))
