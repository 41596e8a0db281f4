"""Difficulties that a scale asks for must lie on the scale of its sources: beyond it no row would be left."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from rlvr.core.errors import InputError
from rlvr.plan.sources import Source

Range = tuple[float, float]


class Rating(Protocol):
    """What is asked of a reader.

    Attributes:
        is_rated: Whether its rows have a difficulty.
        ratings: The lowest and the highest difficulty of its source's scale; infinite where it is not known.
    """

    @property
    def is_rated(self) -> bool: ...  # noqa: D102

    @property
    def ratings(self) -> Range: ...  # noqa: D102


def check_ratings(
    scale: Mapping[str, Any], sources: Mapping[str, Source], readers: Mapping[str, Rating], path: Path
) -> None:
    """Check thresholds of difficulty and the levels of samples by strata.

    Args:
        scale: Its data sets name known sources.
        sources: The registry with the scale's own sources.
        readers: Readers by name; columns of one's own are read by none of them.
        path: The scale file, for messages.

    Raises:
        InputError: Names the data set and the difficulty that no row can have, or a sample of nothing.
    """
    for dataset, entry in scale["datasets"].items():
        where = f"{path}, data set '{dataset}'"
        ranges = [_range_of(sources[name], readers) for name in entry["sources"]]
        for key, asked in _asked(entry):
            check_asked(asked, ranges, f"{where}, key '{key}'")
        if "strata" in entry:
            check_strata(entry["strata"]["levels"], where)
        check_rows(entry, where)


def check_asked(asked: float, ranges: list[Range | None], where: str) -> None:
    """Check one difficulty against the ranges of a data set's sources; ``None`` stands for a source without ratings.

    Raises:
        InputError: If no source has it on its scale.
    """
    known = [each for each in ranges if each is not None]
    if not known:
        raise InputError(where, f"asks for the difficulty {asked:g}, and no source is rated.", "Write null.")
    if not any(low <= asked <= high for low, high in known):
        scales = ", ".join(f"{low:g} to {high:g}" for low, high in known)
        raise InputError(where, f"asks for the difficulty {asked:g}.", f"The sources are rated {scales}.")


def check_strata(levels: Mapping[str, Mapping[str, Any]], where: str) -> None:
    """Check that levels differ and that something is drawn of them.

    Raises:
        InputError: Names the level, or says that the sample is empty.
    """
    seen: dict[float, str] = {}
    for name, level in levels.items():
        if (other := seen.setdefault(float(level["difficulty"]), name)) != name:
            problem = f"levels '{other}' and '{name}' have the same difficulty, {level['difficulty']:g}."
            raise InputError(f"{where}, key 'strata.levels'", problem, "Remove one of them.")
    if not sum(level["problems"] for level in levels.values()):
        raise InputError(f"{where}, key 'strata.levels'", "no level has problems.", "Draw some, or leave strata out.")


def check_rows(entry: Mapping[str, Any], where: str) -> None:
    """Check that synthetic sources have as many rows as are held out and drawn.

    Raises:
        InputError: Names both numbers.
    """
    if entry["origin"] != "synthetic":
        return
    there = entry["synthetic_rows"] * len(entry["sources"])
    held = entry["eval_problems"] if isinstance(entry["eval_problems"], int) else 0
    drawn = sum(level["problems"] for level in entry.get("strata", {}).get("levels", {}).values())
    for key, number in (("eval_problems", held), ("strata.levels", drawn)):
        if number > there:
            problem = f"asks for {number} problems of {there} rows."
            raise InputError(f"{where}, key '{key}'", problem, "Raise synthetic_rows, or ask for fewer.")


def _asked(entry: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    if entry["minimum_difficulty"] is not None:
        yield "minimum_difficulty", entry["minimum_difficulty"]
    for name, level in entry.get("strata", {}).get("levels", {}).items():
        yield f"strata.levels.{name}", level["difficulty"]


def _range_of(source: Source, readers: Mapping[str, Rating]) -> Range | None:
    """The scale of a source; a mirror holds the same rows, or a part of them."""
    if source.own is not None:
        return (-math.inf, math.inf) if "difficulty" in source.own["columns"] else None
    known = [readers[name] for name in (source.reader, source.mirror_reader) if name in readers]
    rated = [reader.ratings for reader in known if reader.is_rated]
    return (min(low for low, _ in rated), max(high for _, high in rated)) if rated else None
