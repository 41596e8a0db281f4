"""Bounds that every measured update must keep: Weyl, Mirsky and Wedin. Pure: matrices in, numbers out, float64.

They hold for any update whatever, so that a ratio above 1 says that something was measured wrongly: the update of
another module, values in another order, directions of another matrix.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", theorem 3.3, corollary 3.4, lemmas E.11 and E.12.
"""

import torch
from torch import Tensor

from rlvr.spectra.dense import SMALL_SIDE
from rlvr.weights.decompositions import Triples


def spectral_norm(matrix: Tensor) -> float:
    """The largest singular value of a matrix (rows, cols), to rounding.

    A large one is found by products with it alone (Lanczos, SciPy), which costs a small part of a decomposition.
    """
    found = matrix.double()
    if min(found.shape) <= SMALL_SIDE or not bool(found.any()):
        return float(torch.linalg.matrix_norm(found, ord=2))
    import numpy as np
    from scipy.sparse.linalg import svds

    start = np.random.default_rng(0).standard_normal(min(found.shape))
    return float(svds(found.cpu().numpy(), k=1, v0=start, return_singular_vectors=False)[0])


def perturbation_ratios(
    before: Triples, values_after: Tensor, angles: tuple[Tensor, Tensor], update: Tensor
) -> dict[str, float]:
    """How much of each bound an update uses: 1 is all of it.

    ``weyl_ratio``: largest change of a leading singular value over ``||dW||_2``. ``mirsky_ratio``: root of the summed
    squares of these changes over ``||dW||_F``. ``wedin_ratio``: sine of the largest principal angle between the leading
    subspaces of base and tuned weight, left or right, times the gap, over ``||dW||_2``. The gap is that between the
    k-th value of one weight and the next value of the other, whichever of the two is larger: with both values of the
    base alone, as theorem 3.3 may be read, the bound lacks a factor of 2.

    Args:
        before: Of the base weight, all its triples.
        values_after: All singular values of the tuned weight, falling.
        angles: Principal angles of the k leading left and right directions, rising, in radians.
        update: ``W_+ - W_0`` (rows, cols).

    Returns:
        The three ratios; zeros for a zero update, and for Wedin where there is no gap.
    """
    count = len(angles[0])
    size, total = spectral_norm(update), float(torch.linalg.vector_norm(update, dtype=torch.float64))
    if size == 0.0:
        return {"weyl_ratio": 0.0, "mirsky_ratio": 0.0, "wedin_ratio": 0.0}
    old, new = before.values.double(), values_after.double()
    change = (new[:count] - old[:count]).abs()
    gap = max(float(old[count - 1]) - _next(new, count), float(new[count - 1]) - _next(old, count), 0.0)
    sine = max(float(torch.sin(side[-1])) for side in angles)
    return {
        "weyl_ratio": float(change.max()) / size,
        "mirsky_ratio": float(change.norm()) / total,
        "wedin_ratio": sine * gap / size,
    }


def _next(values_R: Tensor, count: int) -> float:
    """The value behind the first ``count``; 0 where there is none."""
    return float(values_R[count]) if count < len(values_R) else 0.0
