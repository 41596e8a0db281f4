"""Settings that follow from others: lengths, steps and batches at a smaller scale, and what sft does without."""

from collections.abc import Mapping
from typing import Any

from rlvr.core.errors import InputError
from rlvr.plan.settings import LATER

SFT = "sft"
# What speaks of rollouts, with the values that stand in the spec of a run without any.
OF_ROLLOUTS: Mapping[str, Any] = {
    "group_size": 1,
    "loss_type": "dapo",  # the mean over all tokens of a step
    "scale_rewards": "none",
    "kl_beta": 0.0,
    "updates_per_generation": 1,
    "clip_epsilon": 0.2,
    "clip_epsilon_high": 0.2,
    "temperature": 1.0,
    "top_p": 1.0,
    "reward": "binary",
    "overlong_buffer_tokens": 0,
    "truncated_completions": "train",
    "resampling_rounds": 0,
    "rollout_weights": "exact",
}


def drop_defaults(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without those that came later and have the value that earlier runs had.

    A spec that is written without them is the file that an earlier version wrote: no finished run becomes stale.
    """
    return {name: value for name, value in resolved.items() if name not in LATER or value != LATER[name]}


def neutral_for(cells: Mapping[str, Any], algorithm: str, where: object) -> dict[str, Any]:
    """What an algorithm fixes: supervised fine-tuning has no rollouts, and so nothing that speaks of them.

    Raises:
        InputError: If the row itself sets something that has no meaning for its algorithm.
    """
    if algorithm != SFT:
        return {}
    if unused := [name for name in OF_ROLLOUTS if name in cells]:
        problem = f"algorithm '{SFT}' has no setting '{unused[0]}' (the row says {cells[unused[0]]})."
        raise InputError(where, problem, "Leave the cell empty: there are no rollouts.")
    return {**OF_ROLLOUTS, "generation": "transformers"}


def scaled_buffer(stated: Mapping[str, Any], max_completion_tokens: int) -> int:
    """Tokens over which the penalty on length grows: the share of the longest completion that the recipe says.

    >>> scaled_buffer({"overlong_buffer_tokens": 4096, "max_completion_tokens": 16384}, 24)
    6
    """
    buffer, longest = stated["overlong_buffer_tokens"], stated["max_completion_tokens"]
    return max(round(buffer * max_completion_tokens / longest), 1) if buffer else 0


def fit_generation(resolved: Mapping[str, Any], cap: int | None) -> int:
    """Completions of a step such that one generation has at most as many as the scale allows.

    Args:
        resolved: ``completions_per_step``, ``updates_per_generation``, ``group_size``.
        cap: ``caps.completions_per_generation`` of the scale.

    Returns:
        The stated number, or the largest multiple of the group size below the cap's share of each update.

    >>> fit_generation({"completions_per_step": 768, "updates_per_generation": 4, "group_size": 12}, 256)
    60
    """
    stated, group = resolved["completions_per_step"], resolved["group_size"]
    room = None if cap is None else cap // resolved["updates_per_generation"]
    return stated if room is None or stated <= room else max(room // group, 1) * group


def scaled_steps(stated: Mapping[str, Any], max_steps: int, where: object) -> dict[int, int]:
    """The step that is kept for every printed one.

    A scale that takes fewer steps keeps them at the like share of the run; order and distinctness are kept.

    Args:
        stated: ``keep_steps`` and ``max_steps`` as printed.
        max_steps: Steps that are trained; 0 where the epochs say it.
        where: What a message shall name.

    Raises:
        InputError: Without a number of steps to which they refer, if they do not ascend, or if they exceed it.

    >>> scaled_steps({"keep_steps": "240 720 1200", "max_steps": 1280}, 20, "example")
    {240: 4, 720: 11, 1200: 19}
    """
    printed = [int(step) for step in stated["keep_steps"].split()]
    if not printed:
        return {}
    if not stated["max_steps"]:
        raise InputError(where, "keep_steps without max_steps.", "Say in max_steps how many steps the run has.")
    if printed != sorted(set(printed)) or printed[-1] > stated["max_steps"] or len(printed) > max_steps:
        problem = f"keep_steps is '{stated['keep_steps']}', max_steps {stated['max_steps']} (here {max_steps})."
        raise InputError(where, problem, "Name ascending steps, none beyond the last and no more than there are.")
    found: dict[int, int] = {}
    last = 0
    for place, step in enumerate(printed):
        share = round(step * max_steps / stated["max_steps"])
        last = min(max(share, last + 1), max_steps - (len(printed) - 1 - place))
        found[step] = last
    return found
