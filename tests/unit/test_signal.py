"""What a run learns from: spread within groups, means over tokens, and the order of the problems of every epoch."""

import itertools

import pandas as pd
import pytest
import torch
from small_models import settings_of

from rlvr.train.manifest import InvalidRun
from rlvr.train.metrics import weighted_mean
from rlvr.train.signal import EpochSampler, check_signal, constant_groups

# What the shaped reward can give, and other numbers whose mean of eight in float32 is often another one.
REWARDS = [sign * count / parts for sign, parts, count in itertools.product((1, -1), (20, 40, 3), range(41))]


@pytest.mark.parametrize("size", [2, 3, 8, 12])
def test_equal_rewards_are_recognised_whatever_their_mean_rounds_to(size):
    rewards = torch.tensor(REWARDS).repeat_interleave(size)
    groups = rewards.view(-1, size)
    assert size == 2 or not torch.equal(groups.mean(1), groups[:, 0]), "no mean is rounded: nothing to see"
    assert constant_groups(rewards, size).all()


def test_a_group_with_any_spread_or_without_a_reward_is_not_constant():
    inf_apart = torch.nextafter(torch.tensor(0.15), torch.tensor(1.0)).item()
    rewards = torch.tensor([0.15, 0.15, 0.15, inf_apart, torch.nan, torch.nan, -0.3, -0.3])
    assert constant_groups(rewards, 2).tolist() == [True, True, False, False, False, False, True, True]


def metrics(*shares):
    return pd.DataFrame({"step": range(1, len(shares) + 1), "reward": 0.15, "zero_std_share": shares})


def test_a_run_in_which_no_group_ever_differed_is_invalid():
    with pytest.raises(InvalidRun, match=r"r: in all 3 steps every group of 8 .* \(last mean 0\.15\)"):
        check_signal(metrics(1.0, 1.0, 1.0), settings_of("lora"))
    check_signal(metrics(1.0, 0.875, 1.0), settings_of("lora"))
    check_signal(metrics(), settings_of("lora"))


def test_the_mean_of_means_is_that_of_the_whole():
    values = torch.rand(60, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for sizes in ([60], [30, 30], [1, 59], [10, 20, 0, 30]):
        parts = values.split(sizes)
        means = [part.mean().item() if len(part) else 0.0 for part in parts]
        assert weighted_mean(means, sizes) == pytest.approx(values.mean().item(), rel=1e-12)
    with pytest.raises(ValueError, match="zip"):
        weighted_mean([1.0], [1, 2])


def sampler():
    return EpochSampler(list(range(10)), mini_repeat_count=2, batch_size=4, repeat_count=3, seed=5)


def test_a_sampler_behind_finished_epochs_goes_on_with_their_successors():
    whole = sampler()
    epochs = [list(whole) for _ in range(4)]
    assert len({tuple(epoch) for epoch in epochs}) == 4
    for finished in range(4):
        resumed = sampler()
        resumed.skip_epochs(finished)
        assert [list(resumed) for _ in range(4 - finished)] == epochs[finished:]


def test_the_first_epoch_is_that_of_trl():
    from trl.trainer.utils import RepeatSampler

    theirs = RepeatSampler(list(range(10)), mini_repeat_count=2, batch_size=4, repeat_count=3, seed=5)
    assert list(EpochSampler.like(theirs)) == list(theirs)
