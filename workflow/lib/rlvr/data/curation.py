"""Curation: one rule for every data set, blind to where its rows came from.

The order of the filters is part of the result: rows without question or answer, difficulties that are no rating, the
threshold, repeated questions. The threshold comes before the repeats, so that its count compares with the published
one and a problem that was rated on both sides of the cut is kept by its rating above.
"""

import logging
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, write_json, write_table
from rlvr.core.seeds import make_rng
from rlvr.data.cards import build_card
from rlvr.data.readers import get_reader, read_problems

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CurationRecipe:
    """How a data set is made from its sources' problems.

    Attributes:
        dataset: Name of the data set.
        minimum_difficulty: Rows below are dropped; ``None`` keeps all, also those without a rating.
        eval_problems: Size of the evaluation split, or ``all`` for a data set that is only evaluated on.
        max_train_problems: Upper limit of the training split; ``None`` means no limit.
        seed: Seed of the split.
    """

    dataset: str
    minimum_difficulty: float | None
    eval_problems: int | Literal["all"]
    max_train_problems: int | None
    seed: int


@dataclass(frozen=True)
class FilterCount:
    """What one filter did: rows before and after it."""

    filter: str
    before: int
    after: int


@dataclass(frozen=True)
class Curated:
    """A curated data set: all problems that passed, their two disjoint splits, and what each filter did."""

    kept: pd.DataFrame
    train: pd.DataFrame
    eval: pd.DataFrame
    counts: tuple[FilterCount, ...]


def normalise_question(question: str) -> str:
    """What two repetitions of one question share: NFKC, case folded, every run of white space one blank.

    ASSUME: neither paper nor data set defines repetition. Case folding joins problems that differ in the case of a
    variable only; the card counts them.
    """
    return " ".join(unicodedata.normalize("NFKC", question).casefold().split())


def curate(problems: pd.DataFrame, recipe: CurationRecipe, sentinels: Mapping[float, str] | None = None) -> Curated:
    """Filter and split problems.

    Args:
        problems: Columns of ``tables.PROBLEMS``; question and answer may be empty here.
        recipe: What to keep and how to split.
        sentinels: Difficulties that are no ratings, by value. Like missing ratings they are dropped when a threshold
            is in force; without one their rows stay, for a problem and its answer are sound without a rating.

    Returns:
        The problems that passed, in their order, and the splits. Same rows, recipe and seed, same splits, whatever
        the order of the rows (but for which of several repeated questions comes first).

    Raises:
        InputError: If nothing is left; says which filter removed the last rows.
    """
    kept, counts = _apply_filters(problems, recipe, sentinels or {})
    train, held_out = split_problems(kept, recipe)
    return Curated(kept, train, held_out, tuple(counts))


def _apply_filters(
    problems: pd.DataFrame, recipe: CurationRecipe, sentinels: Mapping[float, str]
) -> tuple[pd.DataFrame, list[FilterCount]]:
    filters: list[tuple[str, Callable[[pd.DataFrame], pd.Series]]] = [
        ("question present", lambda rows: rows["question"] != ""),
        ("answer present", lambda rows: rows["answer"] != ""),
    ]
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
    filters.append(("question not repeated", lambda rows: ~rows["question"].map(normalise_question).duplicated()))

    kept, counts = problems, []
    for name, passes in filters:
        before, kept = len(kept), kept[passes(kept).astype(bool)]
        counts.append(FilterCount(name, before, len(kept)))
        if kept.empty:
            raise InputError(
                f"data set '{recipe.dataset}'",
                f"is empty: the filter '{name}' left none of {before:,} rows.",
                "Check the data set's minimum_difficulty and sources in the scale file.",
            )
    return kept.reset_index(drop=True), counts


def _difficulty_differs(rows: pd.DataFrame, value: float) -> pd.Series:
    return rows["difficulty"] != value


def split_problems(problems: pd.DataFrame, recipe: CurationRecipe) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw disjoint training and evaluation splits, in drawn order: every prefix is itself a random sample.

    ``eval_problems`` are held out where at least twice as many are there, else half of them (rounded down); of the
    rest the first ``max_train_problems`` are trained on. ``all`` holds out everything.

    Raises:
        InputError: If fewer than two problems are there to be split.
    """
    ordered = problems.sort_values("problem_id", ignore_index=True)
    drawn = ordered.iloc[make_rng(recipe.seed, "split", recipe.dataset).permutation(len(ordered))]
    if recipe.eval_problems == "all":
        return drawn.iloc[:0].reset_index(drop=True), drawn.reset_index(drop=True)
    if len(drawn) < 2:
        where = f"data set '{recipe.dataset}'"
        raise InputError(where, "has one problem, a split needs two.", "Set eval_problems: all.")
    held_out = min(recipe.eval_problems, len(drawn) // 2)
    stop = None if recipe.max_train_problems is None else held_out + recipe.max_train_problems
    return drawn.iloc[held_out:stop].reset_index(drop=True), drawn.iloc[:held_out].reset_index(drop=True)


def read_source(rows_path: str | Path, provenance: Mapping[str, Any], dataset: str) -> pd.DataFrame:
    """Read a fetched source as problems, loading only the columns that its reader declares.

    Raises:
        InputError: As ``readers.read_problems``.
    """
    import pyarrow.parquet as pq

    name = str(provenance["reader"])
    where = " ".join(entry["file"] for entry in provenance["files"]) or f"source '{provenance['source']}'"
    reader = get_reader(name)
    reader.require_columns(pq.read_schema(rows_path).names, where)
    raw = pd.read_parquet(rows_path, columns=reader.columns)
    return read_problems(raw, name, str(provenance["source"]), dataset, where)


def curate_files(
    rows_paths: Sequence[str | Path],
    provenance_paths: Sequence[str | Path],
    recipe: CurationRecipe,
    train_path: str | Path,
    eval_path: str | Path,
    card_path: str | Path,
) -> None:
    """Curate a data set from its fetched sources; write both splits and the card.

    Args:
        rows_paths: Raw rows of each source, as ``sources.fetch_source`` writes them; the order decides which of
            several repeated questions is kept.
        provenance_paths: Their provenance, in the same order.
        recipe: What to keep and how to split.
        train_path: Parquet file of the training split (empty when everything is held out).
        eval_path: Parquet file of the evaluation split.
        card_path: JSON file of the card.

    Raises:
        InputError: For rows that cannot be read, or when a filter leaves nothing.
    """
    from rlvr.tables import PROBLEMS  # pandera takes a second to import; the rules above do not need it

    provenances = [read_json(path) for path in provenance_paths]
    pairs = zip(rows_paths, provenances, strict=True)
    problems = pd.concat([read_source(path, found, recipe.dataset) for path, found in pairs], ignore_index=True)
    sentinels = {value: name for found in provenances for value, name in get_reader(found["reader"]).sentinels.items()}
    curated = curate(problems, recipe, sentinels)
    for count in curated.counts:
        log.info("%s: %s: %s -> %s", recipe.dataset, count.filter, f"{count.before:,}", f"{count.after:,}")
    write_table(curated.train, train_path, PROBLEMS)
    write_table(curated.eval, eval_path, PROBLEMS)
    card = build_card(
        recipe=asdict(recipe),
        sources=provenances,
        counts=[asdict(count) for count in curated.counts],
        read=problems,
        kept=curated.kept,
        splits={"train": curated.train, "eval": curated.eval},
        sentinels=sentinels,
    )
    write_json(card, card_path)
