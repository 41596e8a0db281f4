"""Data cards: what a curated data set came from, what each filter did to it, and what is in it."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from rlvr.core.digests import digest_problems
from rlvr.data.curation_recipe import LATER_STEPS
from rlvr.data.filters import find_conflicts
from rlvr.data.strata import Draw

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
    repeats: int,
    draw: Draw | None = None,
    taken_out: Sequence[Mapping[str, str]] = (),
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
        repeats: Problems that passed the filters, before a draw, and repeat an earlier question.
        draw: The stratified draw, where there was one.
        taken_out: Problems that cannot be used, with the reason.

    Returns:
        A JSON object; in every table ``read`` stands beside ``kept``.
    """
    return {
        "recipe": dict(recipe),
        "sources": [dict(source) for source in sources],
        "terms": [describe_terms(source) for source in sources],
        "counts": [dict(count) for count in counts],
        "deviations": find_deviations(recipe, sources, counts),
        "repeats_kept": repeats,
        "conflicting_golds": find_conflicts(read),
        "difficulty": difficulty_histogram(read, kept, sentinels),
        "topics": _side_by_side("topic", _each(read["topic"], top_topic), _each(kept["topic"], top_topic)),
        "fields": _side_by_side("field", _each(read["topic"], last_topic), _each(kept["topic"], last_topic)),
        "answer_types": _side_by_side("type", _each(read["answer"], answer_type), _each(kept["answer"], answer_type)),
        "splits": {
            name: {"problems": len(problems), "sha256": digest_problems(problems)} for name, problems in splits.items()
        },
        "unused": len(kept) - sum(map(len, splits.values())),
        "strata": describe_draw(draw) if draw else None,
        "taken_out": [dict(entry) for entry in taken_out],
    }


def describe_draw(draw: Draw) -> dict[str, Any]:
    """Topic x level before and after a stratified draw, with both margins of each."""
    levels = list(draw.cells.columns)

    def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
        with_sums = table.assign(all=table.sum(axis=1))
        with_sums.loc["all"] = with_sums.sum()
        return [{"topic": name, **row} for name, row in json.loads(with_sums.to_json(orient="index")).items()]

    return {"levels": levels, "supply": rows(draw.supply), "drawn": rows(draw.cells)}


def describe_terms(source: Mapping[str, Any]) -> str:
    """One sentence for anyone who wants to use a source: its licence and whether that excludes commercial use."""
    commercial = {
        "yes": "non-commercial use only",
        "no": "commercial use is not excluded",
        "unclear": "whether commercial use is allowed is unclear",
    }[source.get("noncommercial", "unclear")]
    return f"{source['source']}: {source['licence']}; {commercial}; its rows are not redistributed here."


def find_deviations(
    recipe: Mapping[str, Any], sources: Sequence[Mapping[str, Any]], counts: Sequence[Mapping[str, Any]]
) -> list[str]:
    """List in words what differs from the registry and the published numbers; empty where everything agrees.

    The published number of problems counts repetitions, and what a sample is drawn from: it is compared with the rows
    before either step.
    """
    found = [
        f"source {source['source']} has {source['rows']:,} rows, expected {source['expected_rows']:,}"
        for source in sources
        if source.get("expected_rows") not in (None, source.get("rows"))
    ]
    found += [
        f"source {source['source']} is not pinned; commit {source['revision']} was read"
        for source in sources
        if not source.get("pinned", True)
    ]
    expected = recipe.get("expected_kept")
    kept = [count["after"] for count in counts if count["filter"] not in LATER_STEPS][-1]
    if expected not in (None, kept):
        found.append(f"{kept:,} problems pass the filters, expected {expected:,}")
    return found


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


def last_topic(topic: object) -> str:
    """Last step of a topic path: "Mathematics -> Algebra -> Field Theory" gives "Field Theory"."""
    return topic.split(TOPIC_SEPARATOR)[-1] if isinstance(topic, str) and topic else NO_TOPIC


def answer_type(answer: str) -> str:
    """Kind of a gold answer, by its form alone: one of ``ANSWER_TYPES`` or ``expression``."""
    bare = TEXT_COMMAND.sub(r"\1", answer).strip()
    return next((name for name, pattern in ANSWER_TYPES.items() if pattern.fullmatch(bare)), OTHER_ANSWER)


def _each(values: pd.Series, function: Callable[[Any], str]) -> pd.Series:
    """A function of every value, called once for each distinct one."""
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    return pd.Series(pd.Series([function(value) for value in distinct], dtype=object).to_numpy()[codes])


def _side_by_side(label: str, read: pd.Series, kept: pd.Series) -> list[dict[str, Any]]:
    """Counts of each value before and after the filters, in the order of the values."""
    before, after = read.value_counts(), kept.value_counts()
    return [
        {label: value, "read": int(count), "kept": int(after.get(value, 0))}
        for value, count in before.sort_index().items()
    ]
