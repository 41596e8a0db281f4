"""The signal that a run learns from: groups whose rewards differ, and each epoch's problems in an order of its own."""

import pandas as pd
import torch
from torch import Tensor
from trl.trainer.utils import RepeatSampler

from rlvr.plan.settings import TrainSettings
from rlvr.train.manifest import InvalidRun


def constant_groups(rewards: Tensor, group_size: int) -> Tensor:
    """Which completions belong to a group whose rewards are all the same number.

    Args:
        rewards: (completions,), group after group.
        group_size: Completions of one prompt.

    Returns:
        (completions,), boolean. A group with a missing reward (NaN) is not constant.
    """
    groups = rewards.view(-1, group_size)
    return (groups == groups[:, :1]).all(dim=1).repeat_interleave(group_size)


def check_signal(metrics: pd.DataFrame, settings: TrainSettings) -> None:
    """Check that some group of some step had rewards that differ: otherwise nothing was learned from them.

    A penalty, a KL term or weight decay would move the weights all the same.

    Args:
        metrics: ``tables.METRICS`` of the run.
        settings: Of the run.

    Raises:
        InvalidRun: If every group of every step had equal rewards.
    """
    if len(metrics) and (metrics["zero_std_share"] == 1).all():
        reward = metrics["reward"].iloc[-1]
        raise InvalidRun(
            f"{settings.run_id}: in all {len(metrics)} steps every group of {settings.group_size} completions had "
            f"equal rewards (last mean {reward:g}): nothing was learned. Check reward, prompts and token limit."
        )


def check_rollouts(step: int, share: float, settings: TrainSettings, steps: int) -> None:
    """Check that what samples is close enough to what is trained.

    The first updates of any run are smaller than a step of bfloat16, so that only the second half counts. The smaller
    lost share of a later step does not make good what was sampled before it.

    Args:
        step: Optimizer steps so far.
        share: Lost share of the update in the weights that sample now.
        settings: Of the run.
        steps: Of the whole run.

    Raises:
        InvalidRun: If the share is above ``max_rollout_lost_share``.
    """
    if 2 * step >= steps and share > settings.max_rollout_lost_share:
        raise InvalidRun(
            f"{settings.run_id}: at step {step} of {steps} rounding removes {share:.2f} of the update from the weights "
            f"that sample; max_rollout_lost_share is {settings.max_rollout_lost_share:g}. Sample with transformers, "
            "which keeps the adapter beside the base, or raise the bound in the scale's settings."
        )


class EpochSampler(RepeatSampler):
    """TRL's sampler, which may start behind epochs that a run finished before it was stopped.

    Every pass over the problems draws one permutation from the sampler's own generator. A resumed run makes a new
    generator; unless the permutations of the finished epochs are drawn and thrown away, it starts with the first one.
    """

    @classmethod
    def like(cls, sampler: RepeatSampler) -> "EpochSampler":
        """A sampler with another one's settings, its generator where that one's starts."""
        return cls(
            data_source=sampler.data_source,
            mini_repeat_count=sampler.mini_repeat_count,
            batch_size=sampler.batch_size,
            repeat_count=sampler.repeat_count,
            shuffle=sampler.shuffle,
            seed=sampler.seed,
        )

    def skip_epochs(self, epochs: int) -> None:
        """Draw the permutations of finished epochs; call it once, before the first pass."""
        for _ in range(epochs if self.shuffle else 0):
            torch.randperm(self.num_samples, generator=self.generator)
