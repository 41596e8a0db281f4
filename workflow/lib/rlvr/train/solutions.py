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

    Prompt and solution are turned into tokens apart, as sampling sees them. Problems without a solution are left out,
    solutions of more than ``max_completion_tokens``, and of the rest what does not fill a step; all three are printed.

    Args:
        problems: ``tables.PROBLEMS``, in the order of their split, which is random.
        prompts: Their prompts.
        tokenizer: Of the base.
        settings: Of the run.
        path: The problems' file, for messages.

    Returns:
        Columns ``input_ids`` and ``completion_mask``.

    Raises:
        InputError: If no problem has a solution, or fewer are left than a step needs.
    """
    told = (problems["solution"].fillna("").str.strip() != "").to_numpy()
    if not told.any():
        remedy = "Name their column in the scale ('solutions' of the data set), or take a set that has some."
        raise InputError(path, "has no worked solutions.", remedy)
    prompts = [prompt for prompt, has in zip(prompts, told, strict=True) if has]
    pairs = zip(problems["solution"][told], problems["answer"][told], strict=True)
    texts = [completion_of(solution, answer, settings.template) for solution, answer in pairs]
    end = [tokenizer.eos_token_id]
    solutions = [[*ids, *end] for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]
    tokens = zip(tokenizer(list(prompts))["input_ids"], solutions, strict=True)
    fitting = [(prompt, ids) for prompt, ids in tokens if len(ids) <= settings.max_completion_tokens]
    used = fitting[: len(fitting) // settings.completions_per_step * settings.completions_per_step]
    print(
        f"{len(problems) - len(texts)} problems have no solution; {len(texts)} solutions: {len(texts) - len(fitting)} "
        f"longer than {settings.max_completion_tokens} tokens are left out, {len(fitting) - len(used)} fill no step",
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
