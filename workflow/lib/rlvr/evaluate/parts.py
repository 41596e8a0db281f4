"""Samples in parts: a job that is killed goes on behind the last one, and several jobs can share them.

Only for an engine that seeds every completion by the place of its problem: whichever job draws a part, in whichever
division, it holds what the undivided job would draw there.
"""

import hashlib
import json
import math
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.core.io import read_json, read_table, remove, write_json, write_table
from rlvr.core.joblog import announce
from rlvr.tables import SAMPLES

if TYPE_CHECKING:
    import pandas as pd

FOLDER = ".parts"
# ASSUME: at 2,500 tokens per second and card and half of 7,168 tokens, 25 minutes; the last completions of a part leave
# the card half empty for some minutes, so that shorter parts would cost time.
PART_COMPLETIONS = 1024


def split(problems: int, samples: int, shards: int = 1) -> list[range]:
    """Divide problems into contiguous parts of at most ``PART_COMPLETIONS`` completions, equal to within one problem.

    Args:
        problems: How many there are.
        samples: Completions of each.
        shards: Jobs that share them: there are at least as many parts, as far as there are problems.

    Returns:
        Places of the problems of each part.
    """
    wanted = max(math.ceil(problems * samples / PART_COMPLETIONS), shards)
    count = min(problems, wanted)
    return [range(*ends) for ends in pairwise(problems * part // count for part in range(count + 1))]


def share_of(parts: list[range], shards: int, shard: int | None) -> Iterator[range]:
    """The parts that one of several jobs draws; all of them if ``shard`` is ``None``."""
    return (part for number, part in enumerate(parts) if shard is None or number % shards == shard)


class Parts:
    """The parts of a table of samples, beside it in a folder that the workflow neither knows nor deletes.

    Attributes:
        lost_share: Largest share of the run's update that rounding removed for one that was read or written.
    """

    def __init__(self, samples_path: str | Path, asked: Mapping[str, Any]) -> None:
        """Find the parts.

        Args:
            samples_path: The whole table.
            asked: Everything that the samples depend on, as JSON values; parts of anything else stay unseen.
        """
        self._all = Path(samples_path).parent / FOLDER
        self._folder = self._all / hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
        self.lost_share = 0.0

    def read(self, benchmark: str, part: range) -> "pd.DataFrame | None":
        """``tables.SAMPLES`` of a part; ``None`` if it was not drawn yet."""
        table, record = self._paths(benchmark, part)
        if not record.is_file():
            return None
        self.lost_share = max(self.lost_share, read_json(record)["lost_share"])
        return read_table(table, SAMPLES)

    def write(self, benchmark: str, part: range, samples: "pd.DataFrame", lost_share: float) -> None:
        """Keep a part; its record is written last."""
        table, record = self._paths(benchmark, part)
        write_table(samples, table, SAMPLES)
        write_json({"lost_share": lost_share}, record)
        self.lost_share = max(self.lost_share, lost_share)

    def remove(self) -> None:
        """Delete all parts, once the whole table is there."""
        if self._all.is_dir():
            remove(self._all)

    def _paths(self, benchmark: str, part: range) -> tuple[Path, Path]:
        stem = self._folder / f"{benchmark}-{part.start}-{part.stop}"
        return stem.with_name(f"{stem.name}.parquet"), stem.with_name(f"{stem.name}.json")


class Progress:
    """Lines on how far a benchmark is, with tokens per second and the time that is left."""

    def __init__(self, benchmark: str, completions: int) -> None:
        """Begin.

        Args:
            benchmark: Its name.
            completions: To be drawn, those of parts that are there already left out.
        """
        self._name, self._wanted, self._done, self._tokens = benchmark, completions, 0, 0
        self._started = time.monotonic()

    def add(self, completions: int, tokens: int) -> None:
        """Say that so many more completions, of so many tokens in all, were drawn."""
        self._done, self._tokens = self._done + completions, self._tokens + tokens
        seconds = max(time.monotonic() - self._started, 1e-3)
        left = seconds / self._done * (self._wanted - self._done) / 60
        announce(
            f"{self._name}: {self._done} of {self._wanted} completions, {self._tokens / seconds:,.0f} tokens/s, "
            f"{left:.0f} min left"
        )
