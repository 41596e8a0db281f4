"""The QuanTA operator: a matrix built from one small gate for every pair of axes of a reshaped vector.

SOURCE: Chen et al. 2024, arXiv:2406.00132, and the official layer (quanta-fine-tuning/quanta, commit 14f02f4), which
this equals on recorded cases. A vector of D = d_1 ... d_d values is read as a tensor with d axes, in C order. For every
pair of axes a gate, a square matrix over the joint index of the two axes, is applied in turn; axes are counted from the
end, last ones first. The update of a weight is T(theta) - T(theta_0), with the gates theta_0 kept as they were drawn,
so that it starts at exactly zero.

Layout: the gate of axes (a, b), b before a in the tensor, is a matrix (d_b d_a, d_b d_a), rows outputs, columns inputs,
b being the slow part of the joint index. All gates of a module are stored as one vector, pair after pair, each in C
order; ``split_gates`` returns them as matrices without a copy.
"""

import math
from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor


def pair_axes(axes: int) -> list[tuple[int, int]]:
    """Pairs of axes in the order in which their gates are applied; for 3 axes (-1, -2), (-1, -3), (-2, -3)."""
    return list(combinations(range(-1, -axes - 1, -1), 2))


def gate_sizes(dims: Sequence[int]) -> list[int]:
    """Side of every gate, in the order of ``pair_axes``."""
    return [dims[late] * dims[early] for late, early in pair_axes(len(dims))]


def parameter_count(dims: Sequence[int]) -> int:
    """Trainable parameters of one module; 43,008 for (16, 8, 8, 4), 196,608 for (16, 16, 16)."""
    return sum(size * size for size in gate_sizes(dims))


def split_gates(theta: Tensor, dims: Sequence[int]) -> list[Tensor]:
    """The gates stored in a vector of ``parameter_count(dims)`` values, as views (n, n)."""
    sizes = gate_sizes(dims)
    parts = theta.split([size * size for size in sizes])
    return [part.view(size, size) for part, size in zip(parts, sizes, strict=True)]


def join_gates(gates: Sequence[Tensor]) -> Tensor:
    """The inverse of ``split_gates``."""
    return torch.cat([gate.reshape(-1) for gate in gates])


def apply_quanta(x: Tensor, tensors: Sequence[Tensor], dims: Sequence[int], transposed: bool = False) -> Tensor:
    """Apply the operator, or its transpose, to vectors.

    Args:
        x: (..., D) with D the product of ``dims``.
        tensors: Gates in the order of ``pair_axes``, each (n, n).
        dims: Sizes of the axes.
        transposed: Apply the transposed gates in the reverse order instead.

    Returns:
        T x, (..., D), or T^T x.
    """
    y = x.reshape(-1, *dims)
    pairs = list(zip(pair_axes(len(dims)), tensors, strict=True))
    for (late, early), gate in reversed(pairs) if transposed else pairs:
        moved = y.movedim((early, late), (-2, -1))
        turned = (moved.flatten(-2) @ (gate if transposed else gate.T)).unflatten(-1, moved.shape[-2:])
        y = turned.movedim((-2, -1), (early, late))
    return y.reshape(x.shape)


def dense_quanta(tensors: Sequence[Tensor], dims: Sequence[int]) -> Tensor:
    """The operator as a matrix (D, D), rows outputs."""
    identity = torch.eye(math.prod(dims), dtype=tensors[0].dtype, device=tensors[0].device)
    return apply_quanta(identity, tensors, dims).T


def update_matrix(
    trained: Sequence[Tensor], frozen: Sequence[Tensor], dims: Sequence[int], rows: int, cols: int
) -> Tensor:
    """The update of a weight, T(theta) - T(theta_0).

    Args:
        trained: Gates theta after training.
        frozen: Gates theta_0 as drawn.
        dims: Sizes of the axes, with product D.
        rows: Outputs of the module; beyond D the update is zero, below D it is cut.
        cols: Inputs of the module; beyond D they are ignored, below D the missing ones count as zero.

    Returns:
        (rows, cols).
    """
    return fit(dense_quanta(trained, dims) - dense_quanta(frozen, dims), rows, cols)


def fit(matrix: Tensor, rows: int, cols: int) -> Tensor:
    """The matrix cut or padded with zeros below and on the right to (rows, cols)."""
    return fit_last(fit_last(matrix, cols).T, rows).T


def fit_last(x: Tensor, size: int) -> Tensor:
    """The last axis cut or padded with zeros to ``size``; the tensor itself where it fits already."""
    return x if x.shape[-1] == size else torch.nn.functional.pad(x, (0, size - x.shape[-1]))
