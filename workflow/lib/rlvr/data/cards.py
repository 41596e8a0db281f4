"""Data cards: what a curated data set came from, what each filter did to it, and what is in it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

BIN_WIDTH = 0.5  # SOURCE: difficulties of DeepMath-103K come in steps of 0.5
TOPIC_SEPARATOR = " -> "
TOPIC_ROOT = "Mathematics"  # every topic path of DeepMath-103K starts with it: its second step tells topics apart
NO_TOPIC = "not stated"

NUMBER = r"[-+]?(\d+|\d{1,3}((,|\{,\})\d{3})+)"
ANSWER_TYPES = {  # the first that matches the whole gold names its type
    "yes/no": re.compile(r"yes|no|true|false", re.IGNORECASE),
    "single letter": re.compile(r"\(?[A-Za-z]\)?"),
    "integer": re.compile(NUMBER),
    "decimal or fraction": re.compile(
        rf"{NUMBER}?\.\d+|[-+]?\d+\s*/\s*\d+|[-+]?\\[dt]?frac\s*(\d|\{{[-+]?\d+\}})\s*(\d|\{{[-+]?\d+\}})"
    ),
    "text": re.compile(r"[A-Za-z][A-Za-z' -]*[A-Za-z]\.?"),
}
OTHER_ANSWER = "expression"
TEXT_COMMAND = re.compile(r"\\text(?:bf|rm|it)?\{([^{}]*)\}")


def build_card(
    recipe: Mapping[str, Any],
    sources: Sequence[Mapping[str, Any]],
    counts: Sequence[Mapping[str, Any]],
    read: pd.DataFrame,
    kept: pd.DataFrame,
    splits: Mapping[str, pd.DataFrame],
    sentinels: Mapping[float, str],
) -> dict[str, Any]:
    """Everything that ``card.json`` says.

    Args:
        recipe: Settings of the curation.
        sources: Provenance of each source, with its licence.
        counts: Rows before and after each filter, in order.
        read: All problems that were read.
        kept: Problems that passed every filter.
        splits: Problems of each split by its name.
        sentinels: Difficulties that are no ratings, by value.

    Returns:
        A JSON object; in every table ``read`` stands beside ``kept``.
    """
    return {
        "recipe": dict(recipe),
        "sources": [dict(source) for source in sources],
        "counts": [dict(count) for count in counts],
        "difficulty": difficulty_histogram(read, kept, sentinels),
        "topics": _side_by_side("topic", read["topic"].map(top_topic), kept["topic"].map(top_topic)),
        "answer_types": _side_by_side("type", read["answer"].map(answer_type), kept["answer"].map(answer_type)),
        "splits": {
            name: {"problems": len(problems), "sha256": digest_problems(problems)} for name, problems in splits.items()
        },
        "unused": len(kept) - sum(map(len, splits.values())),
    }


def difficulty_histogram(read: pd.DataFrame, kept: pd.DataFrame, sentinels: Mapping[float, str]) -> dict[str, Any]:
    """Counts in bins of ``BIN_WIDTH``, lower edge included; sentinels and missing ratings are counted by name."""

    def split(problems: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
        difficulty = problems["difficulty"].astype(float)
        names = difficulty.map(dict(sentinels)).where(difficulty.notna(), "missing")
        edges = difficulty[names.isna()] // BIN_WIDTH * BIN_WIDTH
        return edges, names.dropna()

    (read_edges, read_names), (kept_edges, kept_names) = split(read), split(kept)
    return {
        "bin_width": BIN_WIDTH,
        "bins": _side_by_side("from", read_edges, kept_edges),
        "not_rated": _side_by_side("reason", read_names, kept_names),
    }


def top_topic(topic: object) -> str:
    """First step of a topic path that tells topics apart: "Mathematics -> Algebra -> Groups" gives "Algebra"."""
    if not isinstance(topic, str) or not topic:
        return NO_TOPIC
    steps = topic.split(TOPIC_SEPARATOR)
    return steps[1] if len(steps) > 1 and steps[0] == TOPIC_ROOT else steps[0]


def answer_type(answer: str) -> str:
    """Kind of a gold answer, by its form alone: one of ``ANSWER_TYPES`` or ``expression``."""
    bare = TEXT_COMMAND.sub(r"\1", answer).strip()
    return next((name for name, pattern in ANSWER_TYPES.items() if pattern.fullmatch(bare)), OTHER_ANSWER)


def digest_problems(problems: pd.DataFrame) -> str:
    """SHA-256 of what is asked and answered, blind to row order and file format."""
    columns = (problems[name].astype(str) for name in ("problem_id", "question", "answer"))
    return hashlib.sha256(repr(sorted(zip(*columns, strict=True))).encode()).hexdigest()


def _side_by_side(label: str, read: pd.Series, kept: pd.Series) -> list[dict[str, Any]]:
    """Counts of each value before and after the filters, in the order of the values."""
    before, after = read.value_counts(), kept.value_counts()
    return [
        {label: value, "read": int(count), "kept": int(after.get(value, 0))}
        for value, count in before.sort_index().items()
    ]
