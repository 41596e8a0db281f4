"""Where updates land and what they leave alone. Pure: masks and matrices in, numbers out, float64 throughout.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", sections 2.2, 4.1 and 4.2. Update masks come from
:mod:`rlvr.spectra.sparsity`, identified masks from :mod:`rlvr.weights.masks`.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from rlvr.weights.masks import density


def jaccard(first: Tensor, second: Tensor) -> float:
    """``|A and B| / |A or B|`` of two masks of one shape; 0 where both are empty (nothing is shared)."""
    union = int(torch.count_nonzero(first | second))
    return int(torch.count_nonzero(first & second)) / union if union else 0.0


def independent_jaccard(p: float, q: float) -> float:
    """``p q / (p + q - p q)``: Jaccard index of independent random masks with densities p and q.

    SOURCE: "The Path Not Taken", section 2.2. It is the ratio of the expected sizes; exact as entries grow in number.
    """
    return p * q / (p + q - p * q) if p + q > 0 else 0.0


def jaccard_matrix(masks: Sequence[Tensor]) -> Tensor:
    """Pairwise Jaccard indices (R, R) of R masks of one shape, ones on the diagonal."""
    matrix = torch.eye(len(masks), dtype=torch.float64)
    for i, j in combinations(range(len(masks)), 2):
        matrix[i, j] = matrix[j, i] = jaccard(masks[i], masks[j])
    return matrix


def mean_off_diagonal(matrix: Tensor) -> float:
    """Mean of a square matrix (R, R) without its diagonal: how "The Path Not Taken" sums up Jaccard indices."""
    count = len(matrix)
    return float((matrix.sum() - matrix.diagonal().sum()) / (count * (count - 1)))


def consensus_ratio(masks: Sequence[Tensor]) -> Tensor:
    """``C_ij = 1/R sum_r M_ij^(r)``: the share of R runs that changed each entry; shape of a mask, float64."""
    total = torch.zeros(masks[0].shape, dtype=torch.float64, device=masks[0].device)
    for mask in masks:
        total += mask
    return total / len(masks)


def row_ratio(mask: Tensor) -> Tensor:
    """``rho_i = 1/n sum_j M_ij``: the changed share of each row, (rows,)."""
    return _changed_along(mask, 1) / mask.shape[1]


def column_ratio(mask: Tensor) -> Tensor:
    """``kappa_j = 1/m sum_i M_ij``: the changed share of each column, (cols,)."""
    return _changed_along(mask, 0) / mask.shape[0]


def _changed_along(mask: Tensor, axis: int) -> Tensor:
    """True entries along an axis, float64; counted by NumPy, ten times as fast as PyTorch on booleans."""
    return torch.from_numpy(np.count_nonzero(mask.cpu().numpy(), axis=axis)).double()


def profile_alignment(first: Tensor, second: Tensor) -> float:
    """Pearson correlation of two row or column profiles, e.g. of two checkpoints; 0 where one is constant.

    Says in one number what figure 3 of "The Path Not Taken" shows: peaks stay where they are while the density grows.
    """
    a, b = first.double() - first.double().mean(), second.double() - second.double().mean()
    size = float(a.norm() * b.norm())
    return max(-1.0, min(1.0, float(a @ b) / size)) if size > 0 else 0.0


def principal_angles(first: Tensor, second: Tensor) -> Tensor:
    """Angles between two subspaces, in radians, rising.

    SOURCE: "The Path Not Taken", section 4.1: ``cos theta_i = sigma_i(U_0^T U_+)``. SciPy takes small angles from sines
    (Knyazev and Argentati 2002); the cosine alone cannot tell angles below 1e-8 from zero.

    Args:
        first: Orthonormal columns (n, k).
        second: Orthonormal columns (n, k).

    Returns:
        (k,), from 0 to pi / 2, float64.
    """
    from scipy.linalg import subspace_angles

    falling = subspace_angles(first.double().cpu().numpy(), second.double().cpu().numpy())
    return torch.from_numpy(falling[::-1].copy())


def normalised_spectral_shift(before_R: Tensor, after_R: Tensor) -> float:
    """``NSS = ||sigma(W_+) - sigma(W_0)||_2 / ||sigma(W_0)||_2`` of singular values, each in falling order.

    SOURCE: "The Path Not Taken", section 4.1.
    """
    before = before_R.double()
    return float((after_R.double() - before).norm() / before.norm())


def overlap(identified: Tensor, update: Tensor) -> float:
    """``|M_o and M| / |M|``: the share of the changed weights that an identified mask holds; 0 for an empty update.

    SOURCE: "The Path Not Taken", section 4.2. A guess at random scores the density of ``identified``.
    """
    changed = int(torch.count_nonzero(update))
    return int(torch.count_nonzero(identified & update)) / changed if changed else 0.0


def overlap_against_chance(identified: Tensor, update: Tensor) -> tuple[float, float]:
    """The overlap ratio, and the baseline that a random guess of the same density has."""
    return overlap(identified, update), density(identified)
