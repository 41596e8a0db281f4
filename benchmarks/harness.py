"""Shared by all benchmarks: a measured call in a process of its own, the table of ratios, the file it goes to.

A benchmark prints and writes rows {case, ours, peer, peer_name, ratio, unit, peak_memory_gib}; a ratio above 1 says
that we are better. Ours and the peer run one after the other, in the same call of `make bench`, on the same input.
"""

import resource
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from rlvr.core.io import write_json

RESULTS = Path("results/benchmarks")


@dataclass(frozen=True)
class Measured:
    """Cost of one call: wall seconds (the best of its repetitions) and the peak resident memory of its process."""

    seconds: float
    peak_memory_gib: float
    value: Any


@dataclass(frozen=True)
class Row:
    """One comparison. `peer` may be a target instead of a measurement; then `peer_name` says so.

    `ratio` is None where ours is exactly 0 and there is nothing to divide by.
    """

    case: str
    ours: float
    peer: float
    peer_name: str
    ratio: float | None
    unit: str
    peak_memory_gib: float | None = None


def measure(function: Callable[..., Any], *arguments: Any, repeat: int = 1) -> Measured:
    """Call a module-level function in a fresh process and weigh it there.

    Args:
        function: what is timed; its imports belong inside it or into its module, not into the timed part.
        arguments: passed on; they travel by pickle, so large inputs are files or are made from a seed.
        repeat: how often it is called; the fastest call counts.

    Returns:
        The cost, and the value of the last call.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_call, function, arguments, repeat).result()


def _call(function: Callable[..., Any], arguments: tuple[Any, ...], repeat: int) -> Measured:
    seconds = []
    value = None
    for _ in range(repeat):
        start = time.perf_counter()
        value = function(*arguments)
        seconds.append(time.perf_counter() - start)
    return Measured(min(seconds), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, value)


def faster(case: str, ours: Measured, peer: Measured, peer_name: str) -> Row:
    """The row that says how many times faster we are than the peer."""
    ratio = peer.seconds / ours.seconds
    return Row(case, ours.seconds, peer.seconds, peer_name, ratio, "s", ours.peak_memory_gib)


def report(name: str, rows: Iterable[Row]) -> None:
    """Print the rows and write them to results/benchmarks/<name>.json."""
    records = [asdict(row) for row in rows]
    print(pd.DataFrame(records).to_markdown(index=False, floatfmt=".4g"), flush=True)
    write_json(records, RESULTS / f"{name}.json")
