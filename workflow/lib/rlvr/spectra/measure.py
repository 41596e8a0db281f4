"""Spectra and diagnostics of every module of a pair: a run of ours, a PEFT adapter, or a checkpoint from elsewhere."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from rlvr.core.io import write_table
from rlvr.core.seeds import derive_seed
from rlvr.spectra.bases import StoredFactors
from rlvr.spectra.diagnostics import diagnose, tidy
from rlvr.spectra.quantities import describe_estimated, describe_update, is_worth_estimating, singular_values
from rlvr.spectra.rounding import describe_stored, relative_floor
from rlvr.spectra.settings import DiagnosticsSettings
from rlvr.spectra.sparsity import count_changed
from rlvr.tables import DIAGNOSTICS, SPECTRA
from rlvr.weights.matrices import Matrices, ModuleUpdate
from rlvr.weights.pairs import iterate_rest, vision_share
from rlvr.weights.updates import LAYER_WEIGHT, count_layers, iterate_updates


def measure_pair(
    base_dir: str | Path,
    tuned_dir: str | Path,
    run_id: str,
    settings: DiagnosticsSettings,
    spectra_path: str | Path,
    diagnostics_path: str | Path,
    estimated: bool = False,
    factors_dir: str | Path | None = None,
    tell: Callable[[str], None] = lambda module: None,
) -> None:
    """Measure every module of a pair, one at a time; write ``tables.SPECTRA`` and ``tables.DIAGNOSTICS``.

    Args:
        base_dir: Base model in Hugging Face layout.
        tuned_dir: A run, a PEFT adapter folder or a checkpoint folder.
        run_id: Name that the tables shall carry.
        settings: What the diagnostics look at.
        spectra_path: Parquet file, one row per module and quantity; none where only norms were trained.
        diagnostics_path: Parquet file, one row per module, quantity and index.
        estimated: Estimate the spectra of large modules from products with their updates, with standard errors.
        factors_dir: What :func:`rlvr.spectra.bases.factor_base` found of the base; computed again without it.
        tell: Called with the name of every module that is about to be measured.

    Raises:
        InputError: See :func:`rlvr.weights.updates.iterate_updates` (never skips a module), or if the base has no
            weight in a decoder layer, or the factors are not those of this base.
    """
    decomposed = settings.decomposed_layers(count_layers(base_dir))
    stored = None if factors_dir is None else StoredFactors(factors_dir, settings)
    rows: list[dict[str, Any]] = []
    frames: list[pd.DataFrame] = []
    for update in iterate_updates(base_dir, tuned_dir):
        tell(update.module)
        matrices = update.matrices()
        rows += measure_update(update, matrices, estimated)
        known = None if stored is None else stored.read(update.module, matrices.base)
        frames.append(diagnose(update, matrices, settings, decomposed, known))
    frames += sparsity_of_rest(base_dir, tuned_dir, frames)
    spectra = pd.DataFrame(rows, columns=[name for name in SPECTRA.columns if name != "run_id"])
    write_table(spectra.assign(run_id=run_id), spectra_path, SPECTRA)
    write_table(pd.concat(frames, ignore_index=True).assign(run_id=run_id), diagnostics_path, DIAGNOSTICS)


def measure_update(update: ModuleUpdate, matrices: Matrices, estimated: bool = False) -> Iterator[dict[str, Any]]:
    """Rows of one module, without the run id.

    Spectra as stored in bfloat16 stand beside exact values only; beside estimates there is the floor that rounding
    sets, where a tuned weight is stored.
    """
    base_norm = float(torch.linalg.vector_norm(matrices.base, dtype=torch.float64))
    if estimated and is_worth_estimating(update):
        generator = torch.Generator().manual_seed(derive_seed(0, "probes", update.module))
        found = describe_estimated(update, matrices, base_norm, generator)
        for name, estimate in found.items():
            yield _row(update, name, estimate.value, estimate.std_error, "estimated")
        if matrices.is_stored:
            name, value = relative_floor(matrices.tuned, found["frobenius_norm"].value)
            yield _row(update, name, value, 0.0, "exact")
        return
    values_R, method = singular_values(update, matrices)
    for name, value in describe_update(values_R, update.bound, base_norm):
        yield _row(update, name, value, 0.0, method)
    for name, value in describe_stored(matrices, values_R):
        yield _row(update, name, value, 0.0, "exact")


def _row(update: ModuleUpdate, quantity: str, value: float, std_error: float, method: str) -> dict[str, Any]:
    return {
        "module": update.module,
        "layer": update.layer,
        "projection": update.projection,
        "rows": update.rows,
        "cols": update.cols,
        "quantity": quantity,
        "value": value,
        "std_error": std_error,
        "method": method,
    }


def sparsity_of_rest(
    base_dir: str | Path, tuned_dir: str | Path, modules: Sequence[pd.DataFrame]
) -> Iterator[pd.DataFrame]:
    """Sparsity of the tensors that are no modules, and of the whole model (definition 2.2 over all its parameters).

    Args:
        base_dir: Base model.
        tuned_dir: Tuned side of the pair.
        modules: Diagnostics of every module.

    Yields:
        ``rest_sparsity`` of every tensor of a full model that no module covers, then ``model_sparsity`` of ``model``
        and ``left_out_share``, the share of its parameters that lie in a vision tower and were not compared.
    """
    known = [frame[frame["quantity"] == "bf16_sparsity"].iloc[0] for frame in modules]
    total = sum(int(row["rows"] * row["cols"]) for row in known)
    changed = sum(round(row["rows"] * row["cols"] * (1 - row["value"])) for row in known)
    for pair in iterate_rest(base_dir, tuned_dir, {row["module"] for row in known}):
        size = math.prod(pair.shape)
        count = 0 if pair.same else count_changed(pair.read_base(), pair.read_tuned())
        total, changed = total + size, changed + count
        if not pair.same:
            shape = (pair.shape[0], size // pair.shape[0])
            yield _sparsity_row("rest_sparsity", pair.name.removesuffix(".weight"), shape, size, count)
    yield _sparsity_row("model_sparsity", "model", (total, 1), total, changed)
    yield tidy({"left_out_share": vision_share(base_dir)}, "model", -1, "model", (total, 1))


def _sparsity_row(quantity: str, module: str, shape: tuple[int, int], size: int, changed: int) -> pd.DataFrame:
    match = LAYER_WEIGHT.match(f"{module}.weight")
    layer = int(match["layer"]) if match else -1
    return tidy({quantity: 1.0 - changed / size}, module, layer, module.rpartition(".")[2], shape)
