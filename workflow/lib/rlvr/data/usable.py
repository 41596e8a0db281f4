"""Curated means usable: text that is text, a gold that the grader can read, a prompt that every trained model can take.

Problems are judged once, here, and what is taken out is counted and listed in the data set's card with its reason.
Training and evaluation assert only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rlvr.bases.loading import load_tokenizer
from rlvr.core.errors import InputError
from rlvr.data.curation_recipe import GOLD_READABLE, PROMPT_FITS, TEXT_SOUND, FilterCount
from rlvr.data.inspection import Encoder, measure_lengths
from rlvr.grading.golds import find_unreadable_golds
from rlvr.prompts import render_prompt

LONGEST_TEXT = 100_000  # characters. ASSUME: no problem needs more; the longest of twelve real files has 3,190
NUL = "\x00"  # ends a string in C, and with it in a grader's and a tokenizer's hands
REMEDY = "Compare the reasons with the raw rows; raise max_prompt_tokens or choose another source in the scale file."


@dataclass(frozen=True)
class PromptLimit:
    """How long a prompt may be for one model that is trained on a data set.

    Attributes:
        model: Name of the model in the scale file.
        encode: From texts to token ids, as the model's tokenizer does it in training.
        template: Prompt template of ``rlvr.prompts``.
        max_prompt_tokens: Longest prompt, in tokens.
    """

    model: str
    encode: Encoder
    template: str
    max_prompt_tokens: int


@dataclass(frozen=True)
class Usable:
    """The problems that can be used, what each step left, and what was taken out: ``problem_id`` and ``reason``."""

    kept: pd.DataFrame
    counts: tuple[FilterCount, ...]
    taken_out: tuple[dict[str, str], ...]


def load_limits(
    longest: Mapping[str, int], manifests: Iterable[str | Path], templates: Mapping[str, str]
) -> list[PromptLimit]:
    """Limits by the tokenizers of installed bases.

    Args:
        longest: Longest prompt, in tokens, of each model that is trained on the data set, by name.
        manifests: The ``model.json`` of each of them, in the same order; its tokenizer lies beside it.
        templates: Prompt template of each of these models, by name.

    Raises:
        InputError: If a folder is not a usable base.
    """

    def encoder(manifest: str | Path) -> Encoder:
        tokenizer = load_tokenizer(Path(manifest).parent)
        return lambda texts: tokenizer(texts)["input_ids"]

    pairs = zip(longest.items(), manifests, strict=True)
    return [PromptLimit(model, encoder(path), templates[model], limit) for (model, limit), path in pairs]


def take_out_unusable(problems: pd.DataFrame, dataset: str, limits: Sequence[PromptLimit] = ()) -> Usable:
    """Take out the problems that nothing could be trained or evaluated on.

    Args:
        problems: Columns of ``tables.PROBLEMS``; neither question nor answer is empty.
        dataset: Name of the data set, for messages.
        limits: Prompt limits of the models that are trained on it; none for a set that is only evaluated on.

    Returns:
        The problems that stay, in their order, and what happened to the others. A problem with several faults is listed
        with the first: text, gold, prompt.

    Raises:
        InputError: If no problem stays (names the first with its reason), or nothing grades problems of some kind.
    """
    steps: dict[str, Callable[[pd.DataFrame], dict[int, str]]] = {
        TEXT_SOUND: find_unsound,
        GOLD_READABLE: find_unreadable_golds,
    }
    if limits:
        steps[PROMPT_FITS] = lambda rows: find_too_long(rows["question"].tolist(), limits)
    kept, counts, taken_out = problems, [], []
    for name, find in steps.items():
        found = find(kept)
        taken_out += [{"problem_id": kept["problem_id"].iloc[at], "reason": found[at]} for at in sorted(found)]
        before, kept = len(kept), kept.drop(kept.index[list(found)])
        counts.append(FilterCount(name, before, len(kept)))
        if kept.empty:
            last = f"is empty: '{name}' left none of {before:,} problems; {describe(taken_out[-before])}."
            raise InputError(f"data set '{dataset}'", last, REMEDY)
    return Usable(kept.reset_index(drop=True), tuple(counts), tuple(taken_out))


def describe(entry: Mapping[str, str]) -> str:
    """One problem that was taken out, in words."""
    return f"problem '{entry['problem_id']}': {entry['reason']}"


def find_unsound(problems: pd.DataFrame) -> dict[int, str]:
    r"""Positions of the problems whose question or answer is not text to work with, and why.

    Other control characters and direction marks stay: releases hold them (a form feed where ``\frac`` was unescaped
    once too often), and the checks count them.
    """
    found: dict[int, str] = {}
    for name in ("answer", "question"):
        for position, text in enumerate(problems[name]):
            if NUL in text:
                found[position] = f"the {name} holds a NUL byte"
            elif len(text) > LONGEST_TEXT:
                found[position] = f"the {name} has {len(text):,} characters, more than {LONGEST_TEXT:,}"
    return found


def find_too_long(questions: Sequence[str], limits: Iterable[PromptLimit]) -> dict[int, str]:
    """Positions of the questions whose prompt exceeds a limit, with the tokens of the model that needs most."""
    worst: dict[int, tuple[int, str]] = {}
    for limit in limits:
        prompts = [render_prompt(question, limit.template) for question in questions]
        for position, tokens in enumerate(measure_lengths(prompts, limit.encode)):
            if tokens > limit.max_prompt_tokens:
                reason = f"the prompt has {tokens:,} tokens of {limit.model}, more than {limit.max_prompt_tokens:,}"
                worst[position] = max(worst.get(position, (0, "")), (int(tokens), reason))
    return {position: reason for position, (_, reason) in worst.items()}
