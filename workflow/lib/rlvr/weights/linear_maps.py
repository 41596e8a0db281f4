"""Updates as linear maps: products with them from either side, without forming the update."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rlvr.core.errors import InputError
from rlvr.weights.quanta_gates import apply_change, change_energy, fit_last

UNIT_VECTORS = 256  # sent through the gates at a time
ROWS_AT_A_TIME = 512  # widened at a time


@dataclass(frozen=True)
class LinearMap:
    """A matrix (rows, cols) known by its products; vectors lie in rows.

    Attributes:
        rows: Outputs.
        cols: Inputs.
        multiply: From (n, cols) to (n, rows).
        multiply_transposed: From (n, rows) to (n, cols).
        squared_norm: Sum of the squares of all entries, exact up to rounding.
        dtype: Type of the vectors.
        device: Where they lie.
    """

    rows: int
    cols: int
    multiply: Callable[[Tensor], Tensor]
    multiply_transposed: Callable[[Tensor], Tensor]
    squared_norm: float
    dtype: torch.dtype
    device: torch.device


def dense_map(matrix: Tensor) -> LinearMap:
    """A matrix that is at hand."""
    # by rows in the matrix's own precision: ten times as fast, and the errors of the rows cancel
    energy = float(torch.linalg.vector_norm(matrix, dim=1).double().square().sum())
    rows, cols = matrix.shape
    return LinearMap(rows, cols, lambda x: x @ matrix.T, lambda y: y @ matrix, energy, matrix.dtype, matrix.device)


def dora_map(base: Tensor, left: Tensor, right: Tensor, magnitude: Tensor) -> LinearMap:
    """DoRA's update ``diag(c) (W + B A) - W`` with ``c = m / ||W + B A||_row``.

    SOURCE: Liu et al. 2024, equation 5. All norms follow from ``||W_i||^2``, ``<W_i, (B A)_i> = (W A^T)_i . B_i`` and
    ``||(B A)_i||^2 = B_i (A A^T) B_i^T``.

    Args:
        base: W, (rows, cols).
        left: B with the scaling, (rows, r).
        right: A, (r, cols).
        magnitude: m, (rows,).

    Raises:
        InputError: If a row of W + B A is zero.
    """
    left, right, magnitude = left.to(base), right.to(base), magnitude.to(base.device)
    own = row_norms(base) ** 2
    mixed = ((base @ right.T) * left).sum(1, dtype=torch.float64)
    added = ((left @ (right @ right.T)) * left).sum(1, dtype=torch.float64)
    factor = dora_scales(magnitude, (own + 2 * mixed + added).clamp_min(0).sqrt())
    squared_norm = ((factor - 1) ** 2 * own + 2 * factor * (factor - 1) * mixed + factor**2 * added).sum()
    change, scale = (factor - 1).to(base.dtype), factor.to(base.dtype)
    rows, cols = base.shape
    return LinearMap(
        rows,
        cols,
        lambda x: (x @ base.T) * change + (x @ right.T) @ left.T * scale,
        lambda y: (y * change) @ base + (y * scale) @ left @ right,
        float(squared_norm),
        base.dtype,
        base.device,
    )


def row_norms(matrix: Tensor) -> Tensor:
    """Norms of the rows in float64, (rows,); the matrix is never widened as a whole."""
    parts = matrix.split(ROWS_AT_A_TIME)
    return torch.cat([torch.linalg.vector_norm(part, dim=1, dtype=torch.float64) for part in parts])


def dora_scales(magnitude: Tensor, norms: Tensor) -> Tensor:
    """DoRA's factor of every row, ``m / ||W + B A||_row`` in float64, (rows,).

    Args:
        magnitude: m, (rows,).
        norms: Row norms, (rows,).

    Raises:
        InputError: If a norm is zero; names the row.
    """
    if len(zeros := (norms == 0).nonzero()):
        problem = "is zero: DoRA divides by its norm."
        raise InputError(f"row {int(zeros[0])} of the weight with its adapter", problem, "Leave the module out.")
    return magnitude.double() / norms


def quanta_map(
    trained: Sequence[Tensor], frozen: Sequence[Tensor], dims: Sequence[int], rows: int, cols: int
) -> LinearMap:
    """QuanTA's update ``T(theta) - T(theta_0)``, cut or padded as ``quanta_gates.update_matrix`` does."""
    side, gate = math.prod(dims), trained[0]

    def change(x: Tensor, transposed: bool, size: int) -> Tensor:
        return fit_last(apply_change(fit_last(x, side), trained, frozen, dims, transposed), size)

    squared_norm = change_energy(trained, frozen, dims, rows, cols)
    if squared_norm is None:
        units = torch.eye(min(cols, side), dtype=gate.dtype, device=gate.device).split(UNIT_VECTORS)
        norms = [torch.linalg.vector_norm(change(unit, False, rows), dtype=torch.float64) for unit in units]
        squared_norm = float(sum(norm**2 for norm in norms))
    return LinearMap(
        rows,
        cols,
        lambda x: change(x, False, rows),
        lambda y: change(y, True, cols),
        squared_norm,
        gate.dtype,
        gate.device,
    )
