"""Curation: one rule for every data set, blind to where its rows came from.

The order of the filters is part of the result: rows that are of no use to the source's reader, rows without question or
answer, difficulties that are no rating, the threshold, what cannot be used, repeated questions. The threshold comes
before the repeats, so that its count compares with the published one and a problem that was rated on both sides of the
cut is kept by its rating above; so does what cannot be used, so that of two copies the one with a readable gold stays.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, write_json, write_table
from rlvr.core.seeds import make_rng
from rlvr.data.cards import build_card
from rlvr.data.curation_recipe import DRAWN, CurationRecipe, FilterCount
from rlvr.data.filters import apply_filters, check_identities, check_topics, drop_repeats, is_first
from rlvr.data.readers import get_reader, read_problems
from rlvr.data.strata import Draw, draw_sample
from rlvr.data.tabular import ROW_NUMBER, read_raw
from rlvr.data.usable import PromptLimit, Usable, describe, take_out_unusable
from rlvr.synthetic.digits import solve

MOST_NAMED = 3  # files in a message

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Curated:
    """A curated data set: all problems that passed, their two disjoint splits, what each filter did, and the draw.

    ``repeats`` counts the problems that passed the filters and repeat an earlier question, before a draw; ``taken_out``
    names the problems that cannot be used, with the reason.
    """

    kept: pd.DataFrame
    train: pd.DataFrame
    eval: pd.DataFrame
    counts: tuple[FilterCount, ...]
    repeats: int = 0
    draw: Draw | None = None
    taken_out: tuple[dict[str, str], ...] = ()


def curate(
    problems: pd.DataFrame,
    recipe: CurationRecipe,
    sentinels: Mapping[float, str] | None = None,
    judge: Callable[[pd.DataFrame], Usable] | None = None,
) -> Curated:
    """Filter and split problems.

    Args:
        problems: Columns of ``tables.PROBLEMS``; question and answer may be empty here.
        recipe: What to keep and how to split.
        sentinels: Difficulties that are no ratings, by value. Like missing ratings they are dropped when a threshold
            is in force; without one their rows stay, for a problem and its answer are sound without a rating.
        judge: What takes out the problems that cannot be used; ``None`` applies the published filters alone.

    Returns:
        The problems that passed, in their order, and the splits. Same rows, recipe and seed, same splits, whatever
        the order of the rows (but for which of several repeated questions comes first).

    Raises:
        InputError: If nothing is left (says which filter removed the last rows), if another number than the published
            one is left, or if two rows share an id.
    """
    check_identities(problems, recipe.dataset)
    check_topics(problems["topic"], recipe)
    kept, counts = apply_filters(problems, recipe, sentinels or {})
    usable = judge(kept) if judge else Usable(kept, (), ())
    kept, further = drop_repeats(usable.kept, recipe)
    counts += [*usable.counts, *further]
    repeats = int((~is_first(kept)).sum()) if recipe.repeats == "keep" else 0
    draw = None
    if recipe.strata:
        draw = draw_sample(kept, recipe.strata, recipe.seed, f"data set '{recipe.dataset}'")
        counts.append(FilterCount(DRAWN, len(kept), len(draw.problems)))
        kept = draw.problems
    train, held_out = split_problems(kept, recipe)
    return Curated(kept, train, held_out, tuple(counts), repeats, draw, usable.taken_out)


def split_problems(problems: pd.DataFrame, recipe: CurationRecipe) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw disjoint training and evaluation splits, in drawn order: every prefix is itself a random sample.

    ``eval_problems`` are held out where at least twice as many are there, otherwise half of them (rounded down); of the
    rest the first ``max_train_problems`` are trained on. ``all`` holds out everything.

    Raises:
        InputError: If fewer than two problems are there to be split.
    """
    ordered = problems.sort_values("problem_id", ignore_index=True)
    drawn = ordered.iloc[make_rng(recipe.seed, "split", recipe.dataset).permutation(len(ordered))]
    if recipe.eval_problems == "all":
        return drawn.iloc[:0].reset_index(drop=True), drawn.reset_index(drop=True)
    if recipe.eval_problems and len(drawn) < 2:
        where = f"data set '{recipe.dataset}'"
        raise InputError(where, "has one problem; a split needs two.", "Set eval_problems: all.")
    held_out = min(recipe.eval_problems, len(drawn) // 2)
    stop = None if recipe.max_train_problems is None else held_out + recipe.max_train_problems
    return drawn.iloc[held_out:stop].reset_index(drop=True), drawn.iloc[:held_out].reset_index(drop=True)


def trace_of(question: str) -> str | None:
    """The worked solution of a question of the synthetic digits; ``None`` of any other, such as a puzzle.

    >>> trace_of("Largest digit of 274?")
    '277'
    """
    try:
        return solve(question).trace
    except InputError:
        return None


def read_source(rows_path: str | Path, provenance: Mapping[str, Any], dataset: str) -> pd.DataFrame:
    """Read a fetched source as problems.

    Ids count rows through all files of the release; messages name the file and the row in it.

    Raises:
        InputError: As ``readers.read_problems``.
    """
    raw = read_raw(rows_path)
    numbers = raw.pop(ROW_NUMBER).to_numpy() if ROW_NUMBER in raw else np.arange(1, len(raw) + 1)
    reader, source = str(provenance["reader"]), str(provenance["source"])
    if not provenance["files"]:
        problems = read_problems(raw, reader, source, dataset, f"source '{source}'", numbers)
        traces = problems["question"].map(trace_of)
        return problems.assign(solution=traces.where(traces.notna(), problems["solution"]))
    befores = np.cumsum([0, *(entry["rows"] for entry in provenance["files"])])
    bounds = np.searchsorted(numbers, befores, side="right")
    parts = [
        read_problems(raw[start:stop], reader, source, dataset, entry["file"], numbers[start:stop] - before, before)
        for entry, before, (start, stop) in zip(provenance["files"], befores, pairwise(bounds), strict=False)
        if start < stop
    ]
    return pd.concat(parts, ignore_index=True)


def curate_files(
    rows_paths: Sequence[str | Path],
    provenance_paths: Sequence[str | Path],
    recipe: CurationRecipe,
    train_path: str | Path,
    eval_path: str | Path,
    card_path: str | Path,
    limits: Sequence[PromptLimit] = (),
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
        limits: Prompt limits of the models that are trained on the data set.

    Raises:
        InputError: For rows that cannot be read, or when a filter leaves nothing; names data set, files and row.
    """
    from rlvr.tables import PROBLEMS  # pandera takes a second to import; the rules above do not need it

    provenances = [read_json(path) for path in provenance_paths]
    pairs = zip(rows_paths, provenances, strict=True)
    problems = pd.concat([read_source(path, found, recipe.dataset) for path, found in pairs], ignore_index=True)
    sentinels = {value: name for found in provenances for value, name in get_reader(found["reader"]).sentinels.items()}
    if any(found.get("origin") == "synthetic" for found in provenances):  # stated numbers are about released rows
        recipe = replace(recipe, expected_kept=None, expected_topics={}, expected_topic_names=None)
    judge = partial(take_out_unusable, dataset=recipe.dataset, limits=limits)
    try:
        curated = curate(problems, recipe, sentinels, judge)
    except InputError as error:
        raise InputError(f"{error.where}{_files(provenances)}", error.problem, error.remedy) from error
    counts = [rule for found in provenances for rule in found.get("rules", [])] + list(map(asdict, curated.counts))
    for count in counts:
        log.info("%s: %s: %s -> %s", recipe.dataset, count["filter"], f"{count['before']:,}", f"{count['after']:,}")
    for entry in curated.taken_out:
        log.info("%s: taken out, %s", recipe.dataset, describe(entry))
    write_table(curated.train, train_path, PROBLEMS)
    write_table(curated.eval, eval_path, PROBLEMS)
    card = build_card(
        recipe=asdict(recipe),
        sources=provenances,
        counts=counts,
        read=problems,
        kept=curated.kept,
        repeats=curated.repeats,
        splits={"train": curated.train, "eval": curated.eval},
        sentinels=sentinels,
        draw=curated.draw,
        taken_out=curated.taken_out,
    )
    write_json(card, card_path)


def _files(provenances: Sequence[Mapping[str, Any]]) -> str:
    """The files that a data set's rows came from, for messages; nothing where they came from none."""
    names = [entry["file"] for found in provenances for entry in found["files"]]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f" of {', '.join(names[:MOST_NAMED])}{more}" if names else ""
