"""Do runs from one base change the same weights? Jaccard indices and consensus over runs, one module at a time.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", section 2.2, table 2, figures 2 and 8.
"""

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations, groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from rlvr.core.errors import InputError
from rlvr.core.io import atomic_path, write_table
from rlvr.spectra.offprincipal import (
    column_ratio,
    consensus_ratio,
    independent_jaccard,
    jaccard,
    profile_alignment,
    row_ratio,
)
from rlvr.spectra.settings import layers_at
from rlvr.spectra.sparsity import update_mask
from rlvr.tables import AGREEMENT
from rlvr.weights.masks import density
from rlvr.weights.matrices import ModuleUpdate
from rlvr.weights.updates import count_layers, iterate_updates


class Change(NamedTuple):
    """The update of one run in one module."""

    run_id: str
    update: ModuleUpdate


def compare_runs(
    base_dir: str | Path,
    tuned_dirs: Mapping[str, str | Path],
    name: str,
    kept_depths: Collection[float] | None,
    table_path: str | Path,
    consensus_path: str | Path,
) -> None:
    """Compare the update masks of runs; write ``tables.AGREEMENT`` and the consensus maps of some layers.

    Args:
        base_dir: The base of all of them.
        tuned_dirs: Tuned side of every run or pair by its name, at least two; checkpoints of one run are runs, too.
        name: Name of the base that the table shall carry.
        kept_depths: Depths, from 0 to 1, of the layers whose consensus map is kept; ``None`` for all.
        table_path: Parquet file.
        consensus_path: NumPy archive: for every kept module, the share of the runs that train it that changed each
            weight, in percent (uint8).

    Raises:
        InputError: If there are fewer than two runs, or no module that two of them train.
    """
    if len(tuned_dirs) < 2:
        raise InputError(name, f"{len(tuned_dirs)} runs to compare.", "Choose a grid with several runs of this base.")
    kept = None if kept_depths is None else layers_at(kept_depths, count_layers(base_dir))
    frames: list[pd.DataFrame] = []
    maps: dict[str, Any] = {}
    for changes in changes_by_module(base_dir, tuned_dirs):
        if len(changes) < 2:  # a module that one run alone trains has nothing to agree with
            continue
        masks = [changed_weights(change.update) for change in changes]
        consensus = consensus_ratio(masks)
        update = changes[0].update
        frames.append(agreement_rows([change.run_id for change in changes], masks, consensus).assign(
            module=update.module, layer=update.layer, projection=update.projection))  # fmt: skip
        if kept is None or update.layer in kept:
            maps[update.module] = (100 * consensus).round().to(torch.uint8).numpy()
    if not frames:
        raise InputError(name, "no module is trained by two of the runs.", "Choose runs that share target modules.")
    write_table(pd.concat(frames, ignore_index=True).assign(base=name), table_path, AGREEMENT)
    with atomic_path(consensus_path) as path, path.open("wb") as stream:
        np.savez_compressed(stream, **maps)


def changes_by_module(base_dir: str | Path, tuned_dirs: Mapping[str, str | Path]) -> Iterator[list[Change]]:
    """The runs that train a module, module by module; every run's files are read once, side by side."""

    def changes(run_id: str, folder: str | Path) -> Iterator[Change]:
        return (Change(run_id, update) for update in iterate_updates(base_dir, folder))

    streams = [changes(run_id, folder) for run_id, folder in tuned_dirs.items()]
    merged = heapq.merge(*streams, key=lambda change: change.update.module)
    for _, group in groupby(merged, key=lambda change: change.update.module):
        yield list(group)


def changed_weights(update: ModuleUpdate) -> Tensor:
    """The update mask of a module (rows, cols); its matrices are let go of, as many runs are compared at once."""
    matrices = update.matrices()
    return update_mask(matrices.base, matrices.tuned)


def agreement_rows(run_ids: Sequence[str], masks: Sequence[Tensor], consensus: Tensor) -> pd.DataFrame:
    """Rows of one module: how every two runs agree, and the row and column profile of the consensus.

    ``jaccard`` stands beside ``independent_jaccard``; ``row_alignment`` and ``column_alignment`` correlate the shares
    of changed weights along rows and columns, which for checkpoints of one run says whether its peaks stay in place.

    Args:
        run_ids: R runs.
        masks: Their update masks, each (rows, cols).
        consensus: Share of them that changed each weight, (rows, cols).

    Returns:
        Columns quantity, first, second (runs, empty for a profile), index (0 for a pair), value.
    """
    rows: list[dict[str, Any]] = []
    densities = [density(mask) for mask in masks]
    across, down = ([ratio(mask) for mask in masks] for ratio in (row_ratio, column_ratio))
    for i, j in combinations(range(len(masks)), 2):
        found = {
            "jaccard": jaccard(masks[i], masks[j]),
            "independent_jaccard": independent_jaccard(densities[i], densities[j]),
            "row_alignment": profile_alignment(across[i], across[j]),
            "column_alignment": profile_alignment(down[i], down[j]),
        }
        pair = {"first": run_ids[i], "second": run_ids[j], "index": 0}
        rows += [{**pair, "quantity": name, "value": value} for name, value in found.items()]
    for name, profile in (("row_consensus", consensus.mean(dim=1)), ("column_consensus", consensus.mean(dim=0))):
        none = {"quantity": name, "first": "", "second": ""}
        rows += [{**none, "index": index, "value": value} for index, value in enumerate(profile.tolist(), start=1)]
    return pd.DataFrame(rows)
