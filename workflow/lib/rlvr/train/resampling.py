"""Dynamic sampling: groups whose rewards are all equal give way to groups of other problems.

SOURCE: DAPO (Yu et al., 2025), section 3.2: a batch is filled with prompts whose completions are neither all right nor
all wrong. DEVIATION: DAPO goes on along its epoch until the batch is full. Here the number of rounds is bounded, and a
group that no round could replace stays (its advantages are 0); other problems are drawn from the whole data set, those
of the generation excepted, so that a run's epochs keep their problems and a resumed run draws what an undisturbed one
does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rlvr.core.seeds import derive_seed

Row = dict[str, Any]
Score = Callable[[Sequence[Row], "Rollouts"], list[float]]


@dataclass
class Rollouts:
    """What was sampled, one entry per completion, group after group.

    Attributes:
        prompt_ids: Token ids of prompts.
        completion_ids: Token ids of completions.
        completions: Their texts.
        log_probs: Log-probabilities of their tokens when they were drawn.
    """

    prompt_ids: list[Any]
    completion_ids: list[Any]
    completions: list[Any]
    log_probs: list[Any]

    def take(self, place: int, other: "Rollouts", there: int) -> None:
        """Put one completion of others in the place of one of these."""
        for name in ("prompt_ids", "completion_ids", "completions", "log_probs"):
            getattr(self, name)[place] = getattr(other, name)[there]


def groups_without_spread(rewards: Sequence[float], group_size: int) -> list[int]:
    """Numbers of the groups whose rewards are all the same number.

    >>> groups_without_spread([1.0, 1.0, 0.0, 1.0, 0.0, 0.0], 2)
    [0, 2]
    """
    starts = range(0, len(rewards), group_size)
    return [number for number, start in enumerate(starts) if len(set(rewards[start : start + group_size])) == 1]


def draw_others(problems: int, used: Sequence[int], count: int, seed: int) -> list[int]:
    """Numbers of problems to go on with, in random order, none of those in use unless there are too few others.

    Args:
        problems: How many there are.
        used: Those that the generation has already.
        count: How many are wanted.
        seed: Decides the order.
    """
    order = torch.randperm(problems, generator=torch.Generator().manual_seed(seed)).tolist()
    taken = set(used)
    fresh = [number for number in order if number not in taken]
    return [*fresh, *(number for number in order if number in taken)][:count]


def refill(
    rows: list[Row],
    prompts: list[str],
    rollouts: Rollouts,
    group_size: int,
    rounds: int,
    draw: Callable[[int, int], list[Row]],
    sample: Callable[[list[str]], Rollouts],
    score: Score,
    wanted_anywhere: Callable[[bool], bool] = bool,
) -> int:
    """Replace groups without spread, in place, until none is left or the rounds are over.

    Args:
        rows: Row of the data set of every completion, group after group.
        prompts: Their prompts.
        rollouts: What was sampled from them.
        group_size: Completions of one prompt.
        rounds: How often groups are sampled anew, at most.
        draw: From the number of the round and a number of problems to so many rows.
        sample: From prompts, one per completion, to what is sampled from them.
        score: From rows and rollouts to total rewards.
        wanted_anywhere: Whether any process of the run wants another round: all of them have to sample together. A
            process that has nothing to replace samples one group and drops it.

    Returns:
        How many completions were sampled here beyond those of the first time.
    """
    flat = groups_without_spread(score(rows, rollouts), group_size)
    extra = 0
    for number in range(rounds):
        if not wanted_anywhere(bool(flat)):
            break
        found = draw(number, max(len(flat), 1))
        fresh_rows = [row for row in found for _ in range(group_size)]
        fresh = sample([row["prompt"] for row in fresh_rows])
        extra += len(fresh_rows)
        still = set(groups_without_spread(score(fresh_rows, fresh), group_size))
        for there, group in enumerate(flat):
            for member in range(group_size if there not in still else 0):
                place, new = group * group_size + member, there * group_size + member
                rows[place], prompts[place] = fresh_rows[new], fresh_rows[new]["prompt"]
                rollouts.take(place, fresh, new)
        flat = [group for there, group in enumerate(flat) if there in still]
    return extra


def round_seed(seed: int, step: int, process: int, number: int) -> int:
    """Seed of the problems of a round: the same in a run that was resumed behind the generation before."""
    return derive_seed(seed, "resampling", step, process, number)
