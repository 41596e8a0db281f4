"""The only rewards: imported by training, and usable in other trainers.

``accuracy_reward`` and ``format_reward`` are reward functions of TRL and open-r1 as they are, ``make_trl_reward`` makes
others, ``compute_score`` has the form of verl's custom reward function. See docs/rewards.md.
"""

from rlvr.rewards.for_trainers import accuracy_reward, compute_score, format_reward, make_trl_reward

__all__ = ["accuracy_reward", "compute_score", "format_reward", "make_trl_reward"]
