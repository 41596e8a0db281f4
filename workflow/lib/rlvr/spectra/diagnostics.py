"""Weight-space diagnostics of one module of a pair: a tidy frame of scalars and curves.

The quantities are those of :mod:`rlvr.spectra.sparsity`, :mod:`rlvr.spectra.offprincipal` and
:mod:`rlvr.spectra.directions`; a curve's index starts at 1, a scalar has index 0.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from torch import Tensor

from rlvr.core.errors import InputError
from rlvr.spectra.bases import BaseFactors, factor_weight
from rlvr.spectra.directions import (
    along_directions,
    cumulative_energy,
    diagonal_share,
    end_shares,
    initial_norms,
    leading_triples,
    mode_shares,
    subspace_similarity,
    tail_mean,
)
from rlvr.spectra.offprincipal import (
    column_ratio,
    normalised_spectral_shift,
    overlap_against_chance,
    principal_angles,
    row_ratio,
)
from rlvr.spectra.perturbation import perturbation_ratios
from rlvr.spectra.settings import DiagnosticsSettings
from rlvr.spectra.sparsity import exact_sparsity, fixed_tolerance_sparsity, sparsity, update_mask
from rlvr.weights.decompositions import Triples
from rlvr.weights.masks import low_magnitude_mask
from rlvr.weights.matrices import Matrices, ModuleUpdate

Quantities = dict[str, float | Tensor]


class Masks(NamedTuple):
    """The changed weights of a module, and its weights of low magnitude; both (rows, cols)."""

    update: Tensor
    low: Tensor


def diagnose(
    update: ModuleUpdate,
    matrices: Matrices,
    settings: DiagnosticsSettings,
    decomposed: Collection[int] | None = None,
    known: BaseFactors | None = None,
) -> pd.DataFrame:
    """All diagnostics of a module, in the columns of ``tables.DIAGNOSTICS`` without the run id.

    Args:
        update: The module.
        matrices: Its matrices.
        settings: What to look at.
        decomposed: Layers whose weights are decomposed; ``None`` for all.
        known: What was found of the base weight before, with the same settings; computed here without it.

    Raises:
        InputError: If the base weight is zero, so that it has no directions; the message names it.
    """
    base, tuned = matrices.base, matrices.tuned
    if known is None:
        known = factor_weight(base, settings, decomposed is None or update.layer in decomposed)
    low = low_magnitude_mask(base, settings.mask_share, known.low_threshold)
    masks = Masks(update_mask(base, tuned), low)
    quantities = {**_of_storage(base, tuned), **_of_masks(masks)}
    if known.decomposed is not None:
        before = known.decomposed.triples
        if float(before.values[0]) == 0.0:
            raise InputError(f"{update.module}.weight", "is zero.", "It has no directions; check the base.")
        quantities |= _of_principal_weights(known.decomposed.principal, masks)
        quantities |= _of_rotation(before, base, tuned, settings.top_directions)
        quantities |= _of_directions(update, matrices.update, before)
    return tidy(quantities, update.module, update.layer, update.projection, (update.rows, update.cols))


def tidy(
    quantities: Mapping[str, float | Tensor], module: str, layer: int, projection: str, shape: tuple[int, int]
) -> pd.DataFrame:
    """One row per number: a scalar at index 0, the entries of a curve at 1, 2, ..."""
    curves = {name: np.atleast_1d(np.asarray(value, dtype=np.float64)) for name, value in quantities.items()}
    starts = {name: int(isinstance(value, Tensor)) for name, value in quantities.items()}
    return pd.DataFrame(
        {
            "module": module,
            "layer": layer,
            "projection": projection,
            "rows": shape[0],
            "cols": shape[1],
            "quantity": np.repeat(list(curves), [len(curve) for curve in curves.values()]),
            "index": np.concatenate([np.arange(len(curve)) + starts[name] for name, curve in curves.items()]),
            "value": np.concatenate(list(curves.values())),
        }
    )


def _of_storage(base: Tensor, tuned: Tensor) -> Quantities:
    return {
        "bf16_sparsity": sparsity(base, tuned),
        "fixed_tolerance_sparsity": fixed_tolerance_sparsity(base, tuned),
        "exact_sparsity": exact_sparsity(base, tuned),
    }


def _of_masks(masks: Masks) -> Quantities:
    share, chance = overlap_against_chance(masks.low, masks.update)
    return {
        "overlap_low": share,
        "chance_low": chance,
        "row_ratio": row_ratio(masks.update),
        "column_ratio": column_ratio(masks.update),
    }


def _of_principal_weights(principal: Tensor, masks: Masks) -> Quantities:
    identified = {"principal": principal, "principal_not_low": principal & ~masks.low}
    found: Quantities = {}
    for name, mask in identified.items():
        found[f"overlap_{name}"], found[f"chance_{name}"] = overlap_against_chance(mask, masks.update)
    return found


def _of_rotation(before: Triples, base: Tensor, tuned: Tensor, top: int) -> Quantities:
    values, after = leading_triples(tuned, top)
    left = principal_angles(before.left[:, :top], after.left)
    right = principal_angles(before.right[:top].T, after.right.T)
    return {
        **perturbation_ratios(before, values, (left, right), tuned.double() - base.double()),
        "left_angle": left,
        "right_angle": right,
        "mean_angle": float((left.mean() + right.mean()) / 2),
        "normalised_spectral_shift": normalised_spectral_shift(before.values, values),
        "base_value": before.values[:top],
        "tuned_value": values[:top],
    }


def _of_directions(update: ModuleUpdate, delta: Tensor, before: Triples) -> Quantities:
    magnitudes = along_directions(delta, before)
    shares = mode_shares(magnitudes)
    leading, trailing = end_shares(shares)
    found: Quantities = {
        "mode_share": shares,
        "leading_mode_share": leading,
        "trailing_mode_share": trailing,
        "cumulative_energy": cumulative_energy(magnitudes),
        "diagonal_share": diagonal_share(delta, magnitudes),
        "tail_mean": tail_mean(before.values),
    }
    if update.factors is not None:
        factor = update.factors[1]
        rank = len(factor)
        found |= {
            "similarity_top": subspace_similarity(factor, before.right[:rank]),
            "similarity_bottom": subspace_similarity(factor, before.right[-rank:]),
            "similarity_chance": min(1.0, rank / update.cols) ** 0.5,
        }
        found |= {f"initial_norm_{name}": norm for name, norm in initial_norms(before.values, rank).items()}
    return found
