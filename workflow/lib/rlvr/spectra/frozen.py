"""Singular values of a base model's own weights, before any training."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import torch

from rlvr.core.errors import InputError
from rlvr.core.io import write_table
from rlvr.models.tensors import TensorStore
from rlvr.models.updates import LAYER_WEIGHT
from rlvr.tables import FROZEN_SPECTRA


def measure_frozen(base_dir: str | Path, model: str, top: int | None, out_path: str | Path) -> None:
    """Measure the linear layers of a base model's decoder; write ``tables.FROZEN_SPECTRA``.

    Args:
        base_dir: Model in Hugging Face layout.
        model: Name that the table shall carry.
        top: Number of leading singular values to keep of each layer; ``None`` keeps all.
        out_path: Parquet file.
    """
    write_table(pd.concat(frozen_spectra(base_dir, top)).assign(model=model), out_path, FROZEN_SPECTRA)


def frozen_spectra(base_dir: str | Path, top: int | None) -> Iterator[pd.DataFrame]:
    """One frame for each matrix of the decoder layers, without the model's name.

    Raises:
        InputError: If the model has no such matrix, or one of them is zero and so cannot be normalised.
    """
    store = TensorStore(base_dir)
    names = [name for name in store.names if LAYER_WEIGHT.match(name) and len(store.shape(name)) == 2]
    if not names:
        raise InputError(base_dir, "has no matrix in its decoder layers.", "Expected names like '*.layers.0.*.weight'.")
    for name in names:
        yield _one_layer(name, store, top)


def _one_layer(name: str, store: TensorStore, top: int | None) -> pd.DataFrame:
    match = LAYER_WEIGHT.match(name)
    values_R = torch.linalg.svdvals(store.read(name).double())[:top]
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
            "index": range(1, len(values_R) + 1),
            "singular_value": values_R.numpy(),
            "normalised": (values_R / values_R[0]).numpy(),
        }
    )
