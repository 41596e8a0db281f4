"""The reward as TRL calls it: the same grader as in evaluation, wrapped."""

from collections.abc import Callable
from statistics import fmean
from typing import Any

from rlvr.rewards.reward import total_reward


def make_reward(template: str) -> Callable[..., list[float]]:
    """Reward function over the data set's columns ``answer`` and ``verifier``.

    Args:
        template: Name of the prompt template that completions continue.

    Returns:
        A function of TRL's keyword arguments that gives the total reward of every completion and logs the step's mean
        ``accuracy`` and ``format``.
    """

    def reward(
        completions: list[str],
        answer: list[str],
        verifier: list[str],
        log_metric: Callable[[str, float], None],
        **_: Any,
    ) -> list[float]:
        rewards = [
            total_reward(completion, gold, kind, template)
            for completion, gold, kind in zip(completions, answer, verifier, strict=True)
        ]
        log_metric("accuracy", fmean(reward.accuracy for reward in rewards))
        log_metric("format", fmean(reward.format for reward in rewards))
        return [reward.total for reward in rewards]

    return reward
