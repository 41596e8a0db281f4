"""Contents of a curated data set, beside its card: repetitions, kinds of answers, lengths, odd characters."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from rlvr.data.cards import answer_type
from rlvr.data.contamination import normalise_text

HISTOGRAM_BINS = 16  # up to the limit, which is always an edge
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # all but tab and line ends
DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
Encoder = Callable[[list[str]], list[list[int]]]  # texts to token ids


def count_duplicates(problems: pd.DataFrame) -> dict[str, int]:
    """Rows that repeat the id, or the normalised question, of an earlier row."""
    return {
        "repeated_ids": int(problems["problem_id"].duplicated().sum()),
        "repeated_questions": int(problems["question"].map(normalise_text).duplicated().sum()),
    }


def count_answer_types(answers: pd.Series) -> list[dict[str, Any]]:
    """Problems and share of each kind of gold (``cards.answer_type``), most frequent first, ties by name."""
    counts = answers.map(answer_type).value_counts()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"type": kind, "problems": int(count), "share": int(count) / len(answers)} for kind, count in ordered]


def count_odd_characters(problems: pd.DataFrame) -> dict[str, int]:
    """Problems whose question or answer holds control characters, or marks that turn the direction of text."""

    def holds(pattern: re.Pattern[str]) -> int:
        found = [problems[name].map(lambda text: bool(pattern.search(text))) for name in ("question", "answer")]
        return int((found[0] | found[1]).sum())

    return {"control_characters": holds(CONTROLS), "direction_marks": holds(DIRECTIONS)}


def measure_lengths(prompts: Sequence[str], encode: Encoder, batch: int = 1000) -> np.ndarray:
    """Tokens of each prompt (int64), encoded a batch at a time so that no more ids than one batch's are held."""
    parts = [
        [len(ids) for ids in encode(list(prompts[start : start + batch]))] for start in range(0, len(prompts), batch)
    ]
    return np.array([length for part in parts for length in part], dtype=np.int64)


def histogram_lengths(lengths: np.ndarray, limit: int) -> dict[str, Any]:
    """Histogram of prompt lengths against the context limit.

    Args:
        lengths: Tokens of each prompt.
        limit: Longest prompt, in tokens, that is trained on.

    Returns:
        ``bins``, ``from`` and ``to`` both included: of equal width up to the limit, so that none mixes prompts that fit
        with prompts that do not, and each as long as all before it beyond. ``longer`` counts those above the limit.
    """
    longest = int(lengths.max(initial=0))
    edges = [*range(0, limit, -(-limit // HISTOGRAM_BINS)), limit]
    while edges[-1] < longest:
        edges.append(min(2 * edges[-1], longest))
    bins = [
        {"from": low + 1, "to": high, "problems": int(((lengths > low) & (lengths <= high)).sum())}
        for low, high in pairwise(edges)
    ]
    return {"limit": limit, "longest": longest, "longer": int((lengths > limit).sum()), "bins": bins}
