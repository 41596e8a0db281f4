"""Worked solutions for supervised fine-tuning, in the format that reinforcement learning rewards."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from rlvr.core.errors import InputError
from rlvr.plan.settings import TrainSettings
from rlvr.prompts import BOX_OPEN, THINK_CLOSE, THINK_OPEN, find_template


def completion_of(reasoning: str, answer: str, template: str) -> str:
    """What a model should write: the reasoning, closed where the prompt has opened it, and the answer in a box."""
    closing = THINK_CLOSE if THINK_OPEN in find_template(template).opened else "\n\n"
    return f"{reasoning}{closing}{BOX_OPEN}{answer}}}"


def solved_examples(
    problems: pd.DataFrame,
    prompts: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    settings: TrainSettings,
    path: Path,
) -> Dataset:
    """Problems with their solutions as token ids; only the solution, end token included, carries loss.

    Prompt and solution are turned into tokens apart, as sampling sees them. Solutions of more than
    ``max_completion_tokens`` are left out, and of the rest what does not fill a step; both are printed.

    Args:
        problems: ``tables.PROBLEMS``, in the order of their split, which is random.
        prompts: Their prompts.
        tokenizer: Of the base.
        settings: Of the run.
        path: The problems' file, for messages.

    Returns:
        Columns ``input_ids`` and ``completion_mask``.

    Raises:
        InputError: For a problem without a solution, or if fewer are left than a step needs.
    """
    untold = problems["solution"].isna()
    if untold.any():
        first = problems["problem_id"][untold].iloc[0]
        remedy = "Fine-tune on a data set whose release has worked solutions, or on a synthetic one."
        raise InputError(f"{path}, problem '{first}'", "has no worked solution.", remedy)
    pairs = zip(problems["solution"], problems["answer"], strict=True)
    texts = [completion_of(solution, answer, settings.template) for solution, answer in pairs]
    end = [tokenizer.eos_token_id]
    solutions = [[*ids, *end] for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]
    tokens = zip(tokenizer(list(prompts))["input_ids"], solutions, strict=True)
    fitting = [(prompt, ids) for prompt, ids in tokens if len(ids) <= settings.max_completion_tokens]
    used = fitting[: len(fitting) // settings.completions_per_step * settings.completions_per_step]
    print(
        f"{len(texts)} solutions: {len(texts) - len(fitting)} longer than {settings.max_completion_tokens} tokens are "
        f"left out, {len(fitting) - len(used)} do not fill a step",
        flush=True,
    )
    if not used:
        problem = f"has {len(fitting)} solutions that fit, a step needs {settings.completions_per_step}."
        raise InputError(path, problem, "Add problems, lower completions_per_step or raise max_completion_tokens.")
    return Dataset.from_dict(
        {
            "input_ids": [[*prompt, *ids] for prompt, ids in used],
            "completion_mask": [[0] * len(prompt) + [1] * len(ids) for prompt, ids in used],
        }
    )


def digest_examples(examples: Dataset) -> str:
    """SHA-256 of all token ids, in their order."""
    rows: Iterable[list[int]] = examples["input_ids"]
    return hashlib.sha256(json.dumps(list(rows)).encode()).hexdigest()
