"""Singular values of a base model's own weights, before any training."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from rlvr.core.errors import InputError
from rlvr.core.io import write_table
from rlvr.spectra.decay_fits import summarise_decay
from rlvr.tables import DECAY, FROZEN_SPECTRA
from rlvr.weights.tensors import TensorStore
from rlvr.weights.updates import LAYER_WEIGHT


def measure_frozen(
    base_dir: str | Path, model: str, top: int | None, spectra_path: str | Path, decay_path: str | Path
) -> None:
    """Measure the linear layers of a base model's decoder; write ``tables.FROZEN_SPECTRA`` and ``tables.DECAY``.

    Args:
        base_dir: Model in Hugging Face layout.
        model: Name that the tables shall carry.
        top: Number of leading singular values to keep of each layer; ``None`` keeps all. The summary of the decay is
            made from all of them.
        spectra_path: Parquet file of single values.
        decay_path: Parquet file of means and deviations over layers, per projection, and power-law fits.
    """
    full = pd.concat(frozen_spectra(base_dir), ignore_index=True)
    kept = full if top is None else full[full["index"] <= top]
    write_table(kept.assign(model=model), spectra_path, FROZEN_SPECTRA)
    write_table(summarise_decay(full, top).assign(model=model), decay_path, DECAY)


def frozen_spectra(base_dir: str | Path) -> Iterator[pd.DataFrame]:
    """One frame for each matrix of the decoder layers, without the model's name.

    Raises:
        InputError: If the model has no such matrix, or one of them is zero and so cannot be normalised.
    """
    store = TensorStore(base_dir)
    names = [name for name in store.names if LAYER_WEIGHT.match(name) and len(store.shape(name)) == 2]
    if not names:
        raise InputError(base_dir, "has no matrix in its decoder layers.", "Expected names like '*.layers.0.*.weight'.")
    for name in names:
        yield _one_layer(name, store)


def _one_layer(name: str, store: TensorStore) -> pd.DataFrame:
    match = LAYER_WEIGHT.match(name)
    values_R = torch.linalg.svdvals(store.read(name).double())  # exact: the tail is reported value by value
    if match is None or float(values_R[0]) == 0.0:
        raise InputError(store.folder, f"tensor '{name}' is zero.", "Its decay is not defined; check the checkpoint.")
    rows, cols = store.shape(name)
    return pd.DataFrame(
        {
            "module": match["module"],
            "layer": int(match["layer"]),
            "projection": match["projection"],
            "rows": rows,
            "cols": cols,
            "index": np.arange(1, len(values_R) + 1),
            "singular_value": values_R.numpy(),
            "normalised": (values_R / values_R[0]).numpy(),
        }
    )
