"""Quantities of the singular values of an update. Pure: tensors in, numbers out, float64 throughout.

Every quantity of a zero update is 0 by definition here: an update that is not there has no direction.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from rlvr.spectra.dense import SMALL_SIDE, dense_singular_values
from rlvr.spectra.krylov import Estimated, estimate_spectrum
from rlvr.weights.matrices import Matrices, ModuleUpdate

ENERGY_PERCENT = (90, 95, 99)


class Quantity(NamedTuple):
    """One number about one module."""

    name: str
    value: float


def singular_values(update: ModuleUpdate, matrices: Matrices) -> tuple[Tensor, str]:
    """Singular values in falling order, and the method that found them.

    Returns:
        ``min(rows, cols)`` values and ``exact``; or, for a product of two factors, the ``r`` values that can differ
        from zero and ``factored``.
    """
    if update.factors is not None:
        return factored_singular_values(*update.factors), "factored"
    return dense_singular_values(matrices.update), "exact"


def is_worth_estimating(update: ModuleUpdate) -> bool:
    """Whether the singular values of an update cost more than an estimate: no factors, and not small."""
    return update.factors is None and min(update.rows, update.cols) > SMALL_SIDE


def factored_singular_values(left: Tensor, right: Tensor) -> Tensor:
    """Singular values of ``left @ right`` without forming the product.

    With ``left = Q_l R_l`` and ``right^T = Q_r R_r`` the product is ``Q_l (R_l R_r^T) Q_r^T``; orthonormal columns
    change no singular value, so those of the small middle matrix are the ones sought.

    Args:
        left: Shape (rows, r).
        right: Shape (r, cols).

    Returns:
        ``min(r, rows, cols)`` values, falling.
    """
    left_triangle = torch.linalg.qr(left.double(), mode="r").R
    right_triangle = torch.linalg.qr(right.double().T, mode="r").R
    return torch.linalg.svdvals(left_triangle @ right_triangle.T)


def effective_rank(values_R: Tensor) -> float:
    """``exp(H(p))`` with ``p = s^2 / sum(s^2)`` and ``H`` the Shannon entropy in nats.

    SOURCE: "Structure Over Scale", section 4.4 (its text also says "participation ratio", which is another quantity).
    """
    shares = _energy_shares(values_R)
    return float(torch.special.entr(shares).sum().exp()) if len(shares) else 0.0


def participation_ratio(values_R: Tensor) -> float:
    """``(sum s^2)^2 / sum s^4``, the inverse of the sum of squared energy shares."""
    shares = _energy_shares(values_R)
    return float(1 / (shares**2).sum()) if len(shares) else 0.0


def stable_rank(values_R: Tensor) -> float:
    """``||W||_F^2 / ||W||_2^2``."""
    shares = _energy_shares(values_R)
    return float(1 / shares.max()) if len(shares) else 0.0


def energy_rank(values_R: Tensor, share: float) -> int:
    """The least k with ``sum_{i <= k} s_i^2 >= share * sum s_i^2``: directions that hold this share of the energy.

    Args:
        values_R: Singular values, falling.
        share: Between 0 and 1.
    """
    shares = _energy_shares(values_R)
    if not len(shares):
        return 0
    missing = shares.flip(0).cumsum(0).flip(0)  # by the directions before each, summed from the small end
    return int((missing > 1.0 - share + 1e-12).sum())  # a share that is met up to rounding is met


def frobenius_norm(values_R: Tensor) -> float:
    """``sqrt(sum s^2)``."""
    return float(torch.linalg.vector_norm(values_R.double()))


def describe_update(values_R: Tensor, bound: int, base_norm: float) -> list[Quantity]:
    """All quantities of one module.

    Args:
        values_R: Singular values of the update.
        bound: The largest rank that the parametrisation allows.
        base_norm: Frobenius norm of the base weight.
    """
    norm = frobenius_norm(values_R)
    return [
        *describe_spectrum(values_R),
        Quantity("rank_bound", float(bound)),
        Quantity("attained_share", effective_rank(values_R) / bound),
        Quantity("relative_norm", norm / base_norm if base_norm > 0 else 0.0),
    ]


def describe_estimated(
    update: ModuleUpdate, matrices: Matrices, base_norm: float, generator: torch.Generator
) -> dict[str, Estimated]:
    """Estimate an update's quantities from products with it; energy ranks cannot be estimated and are missing.

    Args:
        update: Not smaller than :func:`rlvr.spectra.krylov.estimate_spectrum` asks for.
        matrices: Its matrices.
        base_norm: Frobenius norm of the base weight.
        generator: Source of the random vectors.
    """
    products = matrices.linear_map()
    found = estimate_spectrum(products, generator)
    rank, norm = found["effective_rank"], products.squared_norm**0.5
    return {
        **found,
        "frobenius_norm": Estimated(norm, 0.0),
        "rank_bound": Estimated(float(update.bound), 0.0),
        "attained_share": Estimated(rank.value / update.bound, rank.std_error / update.bound),
        "relative_norm": Estimated(norm / base_norm if base_norm > 0 else 0.0, 0.0),
    }


def describe_spectrum(values_R: Tensor) -> list[Quantity]:
    """The quantities that singular values have by themselves."""
    energy_ranks = [Quantity(f"energy_rank_{p}", float(energy_rank(values_R, p / 100))) for p in ENERGY_PERCENT]
    return [
        Quantity("effective_rank", effective_rank(values_R)),
        Quantity("participation_ratio", participation_ratio(values_R)),
        Quantity("stable_rank", stable_rank(values_R)),
        *energy_ranks,
        Quantity("frobenius_norm", frobenius_norm(values_R)),
    ]


def _energy_shares(values_R: Tensor) -> Tensor:
    """``s^2 / sum(s^2)``; divides by the largest value first, as squares may underflow. Empty for a zero update."""
    values = values_R.double()
    if values.numel() == 0 or float(values.max()) == 0.0:
        return values.new_empty(0)
    energies = (values / values.max()) ** 2
    return energies / energies.sum()
