"""Which weights a run changed, bit by bit, and which of them are principal: what maps and overlaps are drawn from.

One bit per weight, so that a model of 1.5B parameters takes 0.2 GB before compression. Readers need NumPy only.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rlvr.core.errors import InputError
from rlvr.core.io import atomic_path
from rlvr.spectra.bases import StoredFactors, factor_weight
from rlvr.spectra.settings import DiagnosticsSettings
from rlvr.spectra.sparsity import update_mask
from rlvr.weights.updates import count_layers, iterate_updates


def write_footprint(
    base_dir: str | Path,
    tuned_dir: str | Path,
    run_id: str,
    settings: DiagnosticsSettings,
    path: str | Path,
    factors_dir: str | Path | None = None,
) -> None:
    """Write the update mask of every module of a pair, and the principal mask where its layer is decomposed.

    Args:
        base_dir: Base model in Hugging Face layout.
        tuned_dir: A run, a PEFT adapter folder or a checkpoint folder.
        run_id: Name that the file shall carry.
        settings: Of the principal mask, and which layers have one.
        path: NumPy archive: ``run_id``; ``module``, ``layer``, ``projection``, ``rows`` and ``cols`` of M modules, each
            of shape (M,); ``update/<n>`` and ``principal/<n>`` of module n, packed bits in row order.
        factors_dir: What :func:`rlvr.spectra.bases.factor_base` found of the base; computed again without it.

    Raises:
        InputError: If the pair has no module with a matrix, or the factors are not those of this base.
    """
    decomposed = settings.decomposed_layers(count_layers(base_dir))
    stored = None if factors_dir is None else StoredFactors(factors_dir, settings)
    facts: list[tuple[str, int, str, int, int]] = []
    bits: dict[str, Any] = {}
    for update in iterate_updates(base_dir, tuned_dir):
        matrices, place = update.matrices(), len(facts)
        facts.append((update.module, update.layer, update.projection, update.rows, update.cols))
        bits[f"update/{place}"] = packed(update_mask(matrices.base, matrices.tuned))
        if decomposed is None or update.layer in decomposed:
            known = None if stored is None else stored.read(update.module, matrices.base)
            known = known or factor_weight(matrices.base, settings, True)
            if known.decomposed is not None:
                bits[f"principal/{place}"] = packed(known.decomposed.principal)
    if not facts:
        raise InputError(run_id, "changes no matrix.", "Only runs that train matrices have a footprint.")
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, run_id=np.array(run_id), **_columns(facts), **bits)


def packed(mask: Tensor) -> NDArray[np.uint8]:
    """The bits of a boolean mask (rows, cols) in row order, eight to a byte."""
    return np.packbits(mask.cpu().numpy())


def _columns(facts: list[tuple[str, int, str, int, int]]) -> dict[str, Any]:
    names = ("module", "layer", "projection", "rows", "cols")
    return {name: np.array(values) for name, values in zip(names, zip(*facts, strict=True), strict=True)}
