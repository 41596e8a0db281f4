"""The grader as a reward of other trainers: TRL, open-r1, verl. Golds and completions are theirs, verdicts ours.

Where a gold cannot be read, TRL's and open-r1's functions give ``None`` by choice, which these trainers leave out.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from rlvr.core.boxed import last_boxed
from rlvr.core.errors import InputError
from rlvr.grading.batches import Completion, Resources, grade_all
from rlvr.grading.golds import find_unreadable
from rlvr.grading.table_files import GOLDS, text_of
from rlvr.grading.verdicts import NO_META, Verdict
from rlvr.plan.reward_rules import RewardRule
from rlvr.rewards.formatting import format_reward as format_of_text
from rlvr.rewards.reward import Reward, reward_for, verifier_for

log = logging.getLogger(__name__)

WORKERS = 4  # ASSUME: processes that judge what needs computer algebra or runs programs
Rewards = list[float | None]
TrlReward = Callable[..., Rewards]


def make_trl_reward(
    kind: str = "binary",
    gold: str = "",
    opened: str = "",
    max_tokens: int = 0,
    overlong_buffer: int = 0,
    verifier: str = "math",
    skip_unreadable: bool = False,
    name: str = "",
) -> TrlReward:
    """A reward function for ``GRPOTrainer(reward_funcs=...)`` and others with TRL's keyword arguments.

    Args:
        kind: ``binary`` (1 or 0), ``signed`` (1 or -1), ``shaped`` or ``as-printed`` (accuracy plus format), as in
            ``rlvr.rewards.reward``.
        gold: Column of the data set with the right answers; found among the usual names without it. A worked solution
            counts by its last box.
        opened: What the prompt has already written of the assistant's turn, e.g. ``<think>``.
        max_tokens: Longest completion that can be sampled, for the penalty on length.
        overlong_buffer: Tokens before that length over which the penalty grows from 0 to 1; 0 for none.
        verifier: Kind of the problems, where the data set has no column ``verifier``.
        skip_unreadable: Give ``None`` for a gold that cannot be read instead of stopping.
        name: Under which the trainer logs it; ``rlvr_<kind>`` by default.

    Returns:
        A function of ``completions`` (texts or conversations) and the data set's columns that gives one reward per
        completion, and logs the shares of verdicts where the trainer takes metrics.

    Raises:
        InputError: For an unknown kind, or, when the function is called, without golds or with one that cannot be read.
    """
    rule = RewardRule(kind, max_tokens, overlong_buffer)

    def reward(completions: Sequence[Any], **columns: Any) -> Rewards:
        texts = [opened + text_of(value, f"completion {place}") for place, value in enumerate(completions)]
        asked = _asked(texts, columns, gold, verifier, rule)
        ids = columns.get("completion_ids")
        lengths = [0] * len(texts) if ids is None else [len(each) for each in ids]
        found = judge(asked, lengths, rule, skip_unreadable)
        _log_verdicts(found, columns.get("log_metric"))
        return [None if one is None else one.total for one in found]

    reward.__name__ = name or f"rlvr_{kind.replace('-', '_')}"
    return reward


def judge(
    asked: Sequence[Completion], lengths: Sequence[int], rule: RewardRule, skip_unreadable: bool = False
) -> list[Reward | None]:
    """Rewards of completions in their order; ``None`` where a gold cannot be read and is to be skipped.

    Raises:
        InputError: If nothing grades some kind of problem, or, unless skipped, a gold cannot be read.
    """
    unread = find_unreadable(*([getattr(one, part) for one in asked] for part in ("gold", "verifier", "meta")))
    for place, reason in unread.items():
        if not skip_unreadable:
            raise InputError(f"gold of completion {place}", reason, "Mend it, or say skip_unreadable=True.")
        log.warning("gold of completion %s is left out: %s", place, reason)
    grades = iter(grade_all((one for place, one in enumerate(asked) if place not in unread), Resources(WORKERS)))
    return [
        None if place in unread else reward_for(next(grades).verdict, one.text, tokens, rule)
        for place, (one, tokens) in enumerate(zip(asked, lengths, strict=True))
    ]


def _asked(
    texts: Sequence[str], columns: Mapping[str, Any], gold: str, verifier: str, rule: RewardRule
) -> list[Completion]:
    name = next((each for each in ((gold,) if gold else GOLDS) if each in columns), None)
    if name is None:
        remedy = f"Name it: make_trl_reward(gold=...); there are: {', '.join(sorted(columns))}."
        raise InputError("data set", f"has no column '{gold}'." if gold else f"has none of {', '.join(GOLDS)}.", remedy)
    kinds = columns.get("verifier") or [verifier] * len(texts)
    metas = columns.get("meta") or [NO_META] * len(texts)
    return [
        Completion(text, gold_of(answer, kind), verifier_for(kind, rule), _as_json(meta))
        for text, answer, kind, meta in zip(texts, columns[name], kinds, metas, strict=True)
    ]


def gold_of(answer: Any, verifier: str = "math") -> str:
    r"""A gold as the grader takes it: text; of a worked solution to a mathematical problem its last ``\boxed``."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    boxed = last_boxed(text) if verifier.partition("/")[0] == "math" else None
    return text if boxed is None else boxed


def _as_json(meta: Any) -> str:
    if meta is None or meta == "":
        return NO_META
    return meta if isinstance(meta, str) else json.dumps(meta)


def _log_verdicts(found: Sequence[Reward | None], log_metric: Callable[[str, float], None] | None) -> None:
    judged = [one for one in found if one is not None]
    if log_metric is None or not judged:
        return
    log_metric("rlvr/accuracy", fmean(one.accuracy for one in judged))
    for verdict in ("unparsed", "timed_out"):
        log_metric(f"rlvr/{verdict}", fmean(one.verdict == verdict for one in judged))


def format_reward(completions: Sequence[Any], **_: Any) -> list[float]:
    """R_fmt of "Structure Over Scale" for TRL and open-r1: -2.15 to 0.75 for each completion, tags included in it."""
    return [format_of_text(text_of(value, f"completion {place}")) for place, value in enumerate(completions)]


def compute_score(
    data_source: str, solution_str: str, ground_truth: Any, extra_info: Mapping[str, Any] | None = None, **_: Any
) -> dict[str, float | str | bool]:
    """Score of one completion, in the form of verl's ``custom_reward_function``.

    Args:
        data_source: Name of the data set; where it is a verifier (``math``, ``code``, ``enigmata/<task>``) it says how
            to grade, otherwise ``extra_info`` may, and mathematics is assumed.
        solution_str: What the model wrote.
        ground_truth: The right answer, or a worked solution with its last box.
        extra_info: May hold ``verifier``, ``meta`` and ``reward`` (a kind of reward, ``binary`` by default).

    Returns:
        ``score`` for training; ``acc`` and ``verdict`` for the log.

    Raises:
        InputError: If the gold cannot be read, or nothing grades such problems.
    """
    facts = dict(extra_info or {})
    family = data_source.partition("/")[0]
    kind = str(facts.get("verifier") or (data_source if family in ("math", "code", "enigmata") else "math"))
    rule = RewardRule(str(facts.get("reward") or "binary"))
    gold = gold_of(ground_truth, kind)
    asked = [Completion(solution_str, gold, verifier_for(kind, rule), _as_json(facts.get("meta")))]
    (found,) = judge(asked, [0], rule)
    assert found is not None  # nothing is skipped
    verdict: Verdict = found.verdict
    return {"score": found.total, "acc": verdict == "correct", "verdict": verdict}


accuracy_reward = make_trl_reward("binary", skip_unreadable=True, name="accuracy_reward")
accuracy_reward.__doc__ = "1 for a right answer, 0 for any other, None where the gold cannot be read; TRL and open-r1."
