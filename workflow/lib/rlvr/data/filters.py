"""The filters of curation, in their order, and the published numbers that they are compared with."""

import logging
from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd

from rlvr.core.errors import InputError
from rlvr.data.curation_recipe import NOT_REPEATED, CurationRecipe, FilterCount
from rlvr.data.normalise import same_signs

log = logging.getLogger(__name__)


def normalise_question(question: str) -> str:
    """Bring a question into the form by which repetitions are found: signs unified, case folded, single blanks.

    ASSUME: neither paper nor data set defines repetition. Case folding joins problems that differ in the case of a
    variable only; the card counts them.
    """
    return " ".join(same_signs(question).casefold().split())


def apply_filters(
    problems: pd.DataFrame, recipe: CurationRecipe, sentinels: Mapping[float, str]
) -> tuple[pd.DataFrame, list[FilterCount]]:
    """The problems that pass every filter that published numbers are about, and what each of them did.

    Raises:
        InputError: If a filter leaves nothing, or if another number than the published one is left.
    """
    filters: list[tuple[str, Callable[[pd.DataFrame], pd.Series]]] = [
        ("question present", lambda rows: rows["question"] != ""),
        ("answer present", lambda rows: rows["answer"] != ""),
    ]
    if recipe.topics_left_out:
        left_out = ", ".join(recipe.topics_left_out)
        filters.append((f"topic not {left_out}", lambda rows: ~rows["topic"].isin(recipe.topics_left_out)))
    if recipe.minimum_difficulty is not None:
        minimum = recipe.minimum_difficulty
        filters += [
            (f"difficulty not {name} ({value:g})", partial(_difficulty_differs, value=value))
            for value, name in sentinels.items()
        ]
        filters += [
            ("difficulty present", lambda rows: rows["difficulty"].notna()),
            (f"difficulty >= {minimum:g}", lambda rows: rows["difficulty"] >= minimum),
        ]

    kept, counts = problems, []
    for name, passes in filters:
        kept, count = _filter(kept, name, passes, recipe.dataset)
        counts.append(count)
    check_kept(len(kept), recipe)
    return kept.reset_index(drop=True), counts


def drop_repeats(problems: pd.DataFrame, recipe: CurationRecipe) -> tuple[pd.DataFrame, list[FilterCount]]:
    """The first problem of each question, and what that left; every problem where the recipe keeps repeats."""
    if recipe.repeats == "keep":
        return problems, []
    kept, count = _filter(problems, NOT_REPEATED, is_first, recipe.dataset)
    return kept.reset_index(drop=True), [count]


def _filter(
    rows: pd.DataFrame, name: str, passes: Callable[[pd.DataFrame], pd.Series], dataset: str
) -> tuple[pd.DataFrame, FilterCount]:
    kept = rows[passes(rows).astype(bool)]
    if kept.empty:
        raise InputError(
            f"data set '{dataset}'",
            f"is empty: the filter '{name}' left none of {len(rows):,} rows.",
            "Check the data set's minimum_difficulty and sources in the scale file.",
        )
    return kept, FilterCount(name, len(rows), len(kept))


def is_first(problems: pd.DataFrame) -> pd.Series:
    """Whether a problem is the first that asks its question."""
    return ~problems["question"].map(normalise_question).duplicated()


def find_conflicts(problems: pd.DataFrame) -> list[dict[str, list[str]]]:
    """Questions that stand among the problems with golds that differ: one of them at most is right.

    Args:
        problems: Columns ``problem_id``, ``question`` and ``answer``; a missing answer contradicts none.

    Returns:
        For each such question its ids and golds, in the order of the rows; golds that differ in blanks, case or signs
        of one meaning only are the same.
    """
    answered = problems[problems["answer"] != ""]
    keys = answered["question"].map(normalise_question)
    repeated = answered[keys.duplicated(keep=False)]
    golds = repeated["answer"].map(lambda gold: "".join(same_signs(gold).casefold().split()))
    groups = repeated.groupby(keys[repeated.index], sort=False)
    return [
        {"problem_ids": list(rows["problem_id"]), "golds": list(rows["answer"])}
        for _, rows in groups
        if golds[rows.index].nunique() > 1
    ]


def check_kept(kept: int, recipe: CurationRecipe) -> None:
    """Compare the number of problems with the published one.

    Raises:
        InputError: With both numbers, unless the recipe allows another one; then it is logged.
    """
    if recipe.expected_kept in (None, kept):
        return
    where = f"data set '{recipe.dataset}'"
    problem = f"keeps {kept:,} problems, expected {recipe.expected_kept:,}."
    if not recipe.allow_other_count:
        remedy = "Compare the counts in the log; expected_kept or allow_other_count: true in the scale file go on."
        raise InputError(where, problem, remedy)
    log.warning("%s %s Going on: allow_other_count is set.", where, problem)


def check_topics(topics: pd.Series, recipe: CurationRecipe) -> None:
    """Compare the number of topics, and of problems of some topics, with the stated ones.

    Raises:
        InputError: With both numbers, unless the recipe allows another one; then it is logged.
    """
    counts, where = topics.value_counts(), f"data set '{recipe.dataset}'"
    found = {f"{where}, topic '{name}'": (int(counts.get(name, 0)), n) for name, n in recipe.expected_topics.items()}
    if recipe.expected_topic_names is not None:
        found[f"{where}, topics"] = (len(counts), recipe.expected_topic_names)
    for place, (number, expected) in found.items():
        if number != expected:
            problem = f"number {number:,}, expected {expected:,}."
            if not recipe.allow_other_count:
                raise InputError(place, problem, "Correct the scale file, or set allow_other_count: true there.")
            log.warning("%s %s Going on: allow_other_count is set.", place, problem)


def check_identities(problems: pd.DataFrame, dataset: str) -> None:
    """Raises InputError when two problems share an id: of two files, or of a source that is listed twice."""
    repeated = problems["problem_id"].duplicated()
    if repeated.any():
        name = problems["problem_id"][repeated].iloc[0]
        remedy = "List each source once; its ids must differ."
        raise InputError(f"data set '{dataset}'", f"has two problems '{name}'.", remedy)


def _difficulty_differs(rows: pd.DataFrame, value: float) -> pd.Series:
    return rows["difficulty"] != value
