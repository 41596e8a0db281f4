"""An update seen along the singular directions of its base. Pure: matrices in, numbers out, float64 throughout.

SOURCE: "Evaluating Parameter Efficient Methods for RLVR", figure 3; "Geometry-Preserving Orthonormal Initialization for
Low-Rank Adaptation in RLVR", figures 3 and 7, table 4 and appendix D.1. Both order the directions from the largest to
the smallest singular value of the base ``W_0 = U diag(sigma) V^T``.
"""

import torch
from torch import Tensor

from rlvr.spectra.dense import SMALL_SIDE, lower_gram
from rlvr.weights.decompositions import Triples, paired

END_PART = 1 / 8  # of the singular directions, at either end


def decompose(weight: Tensor) -> Triples:
    """All ``k = min(rows, cols)`` singular triples of a weight (rows, cols), in float64."""
    return Triples(*torch.linalg.svd(weight.double(), full_matrices=False))


def leading_triples(weight: Tensor, count: int) -> tuple[Tensor, Triples]:
    """All singular values of a weight, and its leading triples, in float64.

    A large weight is not decomposed as a whole: the eigenvalues of its smaller Gram matrix are the squared values, and
    its leading eigenvectors span what the decomposition finds (SciPy's relatively robust representations, for these
    eigenvectors alone). That takes a quarter of the time. Leading values and directions are as exact as those of the
    decomposition; a value s is off by at most about ``n epsilon s_1^2 / s``.

    Args:
        weight: (rows, cols), any floating type.
        count: Number of triples; all where there are fewer.

    Returns:
        (min(rows, cols),) values, falling, and the triples.
    """
    if min(weight.shape) <= SMALL_SIDE:
        whole = decompose(weight)
        return whole.values, whole.first(count)
    if weight.shape[0] < weight.shape[1]:
        values, found = leading_triples(weight.T, count)
        return values, found.transposed()
    from scipy.linalg import eigh

    matrix = weight.double()
    gram = lower_gram(matrix.T)
    side = len(gram)
    wanted = [max(side - count, 0), side - 1]
    vectors = eigh(gram.cpu().numpy(), subset_by_index=wanted, driver="evr", check_finite=False)[1]
    values = torch.linalg.eigvalsh(gram, UPLO="L").flip(0).clamp_min(0).sqrt()
    return values, paired(matrix, torch.from_numpy(vectors[:, ::-1].copy()).to(matrix.device))


def along_directions(update: Tensor, base: Triples) -> Tensor:
    """``c_i = |u_i^T dW v_i|``: how far the update moves each singular value of the base, to first order.

    Args:
        update: (rows, cols).
        base: Of the base weight, k directions.

    Returns:
        (k,), in the order of the base's directions.
    """
    return (base.left * (update.double() @ base.right.T)).sum(dim=0).abs()


def mode_shares(magnitudes: Tensor) -> Tensor:
    """``p_i = c_i / sum_j c_j``; zeros for an update without a part along any direction."""
    total = magnitudes.sum()
    return magnitudes / total if float(total) > 0 else torch.zeros_like(magnitudes)


def end_shares(shares: Tensor, part: float = END_PART) -> tuple[float, float]:
    """Sum of the shares ``p_i`` of the leading and of the trailing directions, each ``part`` of all, at least one.

    SOURCE: what figure 3 of "Evaluating Parameter Efficient Methods for RLVR" and figure 3 of "Geometry-Preserving
    Orthonormal Initialization" show as curves. ASSUME: an eighth at either end, since neither names a number.

    Args:
        shares: ``p_i`` (k,), in the order of the base's directions.
        part: An even spread has this share at either end, up to whole directions.

    Returns:
        Leading and trailing share, each from 0 to 1.
    """
    count = max(1, round(part * len(shares)))
    return float(shares[:count].sum()), float(shares[-count:].sum())


def cumulative_energy(magnitudes: Tensor) -> Tensor:
    """``sum_{j <= i} c_j^2 / sum_j c_j^2``, rising to 1; zeros for an update without a part along any direction."""
    energies = magnitudes**2
    total = energies.sum()
    return energies.cumsum(0) / total if float(total) > 0 else torch.zeros_like(energies)


def diagonal_share(update: Tensor, magnitudes: Tensor) -> float:
    """``sum c_i^2 / ||dW||_F^2``: how much of an update the diagonal modes show at all; 0 for a zero update.

    The c_i are the diagonal of ``U^T dW V``. A random update of shape (m, n) has about ``1 / max(m, n)`` of its energy
    there: where this is small, figures of p_i show a small part of the update.
    """
    energy = float((update.double() ** 2).sum())
    return float((magnitudes**2).sum()) / energy if energy > 0 else 0.0


def subspace_similarity(factor: Tensor, right: Tensor) -> float:
    """``||A V||_F / ||A||_F``: how much of a LoRA factor lies in a right singular subspace of the base.

    SOURCE: "Geometry-Preserving Orthonormal Initialization", section 6 and figure 7.

    Args:
        factor: A, (r, cols).
        right: V^T, orthonormal rows (k, cols): the leading or the last k right singular vectors.

    Returns:
        From 0 to 1; 0 for a zero factor. A factor that ignores the base scores about ``sqrt(k / cols)``.
    """
    factor = factor.double()
    size = float(factor.norm())
    return float((factor @ right.double().T).norm()) / size if size > 0 else 0.0


def initial_norms(base_values_R: Tensor, rank: int) -> dict[str, float]:
    """``||B_0 A_0||_F`` of LoRA initialisations that start from the singular values of the base.

    SOURCE: "Geometry-Preserving Orthonormal Initialization", equations 2 to 4 and 7, and table 4. With orthonormal
    singular vectors the norm is that of
    the singular values used: the r largest (PiSSA), the r smallest (MiLoRA), r ones (OLoRA, either end); zero for LoRA
    and the paper's own two, whose ``B_0`` is zero.

    Args:
        base_values_R: All singular values of the base weight, falling.
        rank: r.
    """
    values = base_values_R.double()
    return {
        "lora": 0.0,
        "pissa": float(values[:rank].norm()),
        "milora": float(values[-rank:].norm()),
        "olora": float(min(rank, len(values)) ** 0.5),
    }


def tail_mean(base_values_R: Tensor, count: int = 16) -> float:
    """Mean of the ``count`` smallest singular values.

    SOURCE: "Geometry-Preserving Orthonormal Initialization", appendix D.1 and figure 9, where it is 0.46 to 1.73 for
    count 16.
    """
    return float(base_values_R.double()[-count:].mean())
