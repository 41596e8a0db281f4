"""A sample whose two margins are exact: how many problems of each topic, how many of each level."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.seeds import make_rng
from rlvr.data.allocation import Margins, allocate, largest_remainder


@dataclass(frozen=True)
class Level:
    """One level of difficulty: its name, the value that problems carry, how many problems to draw."""

    name: str
    difficulty: float
    problems: int


@dataclass(frozen=True)
class Strata:
    """How a sample is drawn from topic x difficulty strata.

    Attributes:
        levels: The levels and their totals, which are met exactly.
        unlabelled: Topics whose problems carry no level, and the name of the level that they count as.
    """

    levels: tuple[Level, ...]
    unlabelled: Mapping[str, str]

    @classmethod
    def from_config(cls, settings: Mapping[str, Any]) -> "Strata":
        """From ``levels`` (name to difficulty and problems) and ``unlabelled``, as a scale file gives them.

        Raises:
            InputError: If an unlabelled topic is to count as a level that is not listed.
        """
        levels = tuple(Level(name, **level) for name, level in settings["levels"].items())
        unlabelled = dict(settings.get("unlabelled", {}))
        unknown = set(unlabelled.values()) - {level.name for level in levels}
        if unknown:
            raise InputError("strata.unlabelled", f"names no level: {sorted(unknown)}.", "Name one of strata.levels.")
        return cls(levels, unlabelled)


@dataclass(frozen=True)
class Draw:
    """A stratified sample and the tables that it was drawn by."""

    problems: pd.DataFrame
    supply: pd.DataFrame
    cells: pd.DataFrame


def draw_sample(problems: pd.DataFrame, strata: Strata, seed: int, where: str) -> Draw:
    """A sample with the pool's mix of topics and the wanted mix of levels, both exact.

    Args:
        problems: Columns of ``tables.PROBLEMS``; problems without a level in ``strata`` count for their topic's
            frequency and are never drawn, unless their topic is in ``strata.unlabelled``.
        strata: Levels and their totals; their sum is the size of the sample.
        seed: Of the rounding and of the draw.
        where: Opens messages.

    Returns:
        The sample (its difficulty as counted here), the supply of each topic at each level, and what was drawn.

    Raises:
        InputError: If no sample has these margins; names the violated set of levels and the topics short of them.
    """
    levels = {level.name: level for level in strata.levels}
    names = problems["difficulty"].map({level.difficulty: level.name for level in strata.levels})
    named = names.fillna(problems["topic"].map(dict(strata.unlabelled)))
    labelled = problems.assign(level=named)
    supply = pd.crosstab(labelled["topic"], labelled["level"]).reindex(
        index=sorted(problems["topic"].unique()), columns=list(levels), fill_value=0
    )
    wanted = {name: level.problems for name, level in levels.items()}
    frequencies = {str(name): int(count) for name, count in problems["topic"].value_counts().items()}
    margins = Margins(largest_remainder(frequencies, sum(wanted.values())), wanted)
    cells = allocate(supply, margins, seed, where)
    drawn = draw_cells(labelled.dropna(subset=["level"]), "topic", "level", cells, seed)
    difficulty = drawn.pop("level").map({name: level.difficulty for name, level in levels.items()})
    return Draw(drawn.assign(difficulty=difficulty), supply, cells)


def draw_cells(rows: pd.DataFrame, kind: str, level: str, cells: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A simple random sample without replacement in every cell.

    Args:
        rows: Problems (``question``, ``answer``, unique ``problem_id``) with the columns ``kind`` and ``level``.
        kind: Column that names a row's category.
        level: Column that names its level.
        cells: How many to draw of each kind and level.
        seed: Of the draw; every cell has a stream of its own, named by kind and level.

    Returns:
        The drawn rows, ordered by what they ask and answer. The same problems are drawn however ``rows`` are ordered,
        even where ids follow that order.
    """
    ordered = rows.sort_values(["question", "answer", "problem_id"], ignore_index=True)
    drawn: list[np.ndarray] = []
    strata = ordered.groupby([kind, level]).indices
    for name, row in cells.iterrows():
        for column, number in row.items():
            rng = make_rng(seed, "draw", name, column)
            drawn.append(rng.choice(strata.get((name, column), np.empty(0, int)), size=int(number), replace=False))
    return ordered.iloc[np.sort(np.concatenate(drawn))].reset_index(drop=True)
