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
from string import ascii_letters

import numpy as np
import torch
from numpy.typing import NDArray
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
    for axes, gate in reversed(pairs) if transposed else pairs:
        y = _apply_gate(y, gate if transposed else gate.T, axes)
    return y.reshape(x.shape)


def apply_change(
    x: Tensor, trained: Sequence[Tensor], frozen: Sequence[Tensor], dims: Sequence[int], transposed: bool = False
) -> Tensor:
    """Apply T(theta) - T(theta_0), or its transpose, without taking the difference of two large vectors.

    With gates G after training and F before it, ``v_k = G_k v_(k-1) + (G_k - F_k) u_(k-1)`` and ``u_k = F_k u_(k-1)``,
    so that rounding is relative to the update however small it is beside the operator.

    Args:
        x: (..., D) with D the product of ``dims``.
        trained: Gates theta, each (n, n).
        frozen: Gates theta_0.
        dims: Sizes of the axes.
        transposed: Apply the transposed update.
    """
    unchanged, change = x.reshape(-1, *dims), None
    gates = list(zip(pair_axes(len(dims)), trained, frozen, strict=True))
    for axes, after, before in reversed(gates) if transposed else gates:
        new, old = (after, before) if transposed else (after.T, before.T)
        step = _apply_gate(unchanged, new - old, axes)
        change = step if change is None else step + _apply_gate(change, new, axes)
        unchanged = _apply_gate(unchanged, old, axes)
    return torch.zeros_like(x) if change is None else change.reshape(x.shape)


def _apply_gate(y: Tensor, right: Tensor, axes: tuple[int, int]) -> Tensor:
    """Multiply the joint index of two axes of a batch (n, *dims) by a matrix from the right."""
    late, early = axes
    moved = y.movedim((early, late), (-2, -1))
    return (moved.flatten(-2) @ right).unflatten(-1, moved.shape[-2:]).movedim((-2, -1), (early, late))


def change_energy(
    trained: Sequence[Tensor], frozen: Sequence[Tensor], dims: Sequence[int], rows: int, cols: int
) -> float | None:
    """``||T(theta) - T(theta_0)||_F^2`` of the update cut to (rows, cols), from the gates alone, in float64.

    The update is a sum of one product of gates for every gate, ``G_g ... G_(k+1) (G_k - F_k) F_(k-1) ... F_1``; the
    inner product of two such terms is a contraction of small tensors, whose cost does not grow with D^2.

    Args:
        trained: Gates theta, each (n, n).
        frozen: Gates theta_0.
        dims: Sizes of the axes, with product D.
        rows: Outputs; at least D, or a multiple of D / d_1.
        cols: Inputs; likewise.

    Returns:
        ``None`` where a cut goes through an index of the first axis, which is not a cut of the gates, and for more than
        three axes, whose contraction costs more than the dense operator.
    """
    pair, slab = pair_axes(len(dims)), math.prod(dims[1:])
    if len(dims) > 3 or any(size < slab * dims[0] and size % slab for size in (rows, cols)):
        return None
    after, before = ([gate.detach().cpu().double() for gate in gates] for gates in (trained, frozen))
    cut_out, cut_in = (min(size // slab, dims[0]) for size in (rows, cols))
    touching = [index for index, axes in enumerate(pair) if -len(dims) in axes]  # the first axis, as the early one

    def shaped(index: int, gate: Tensor) -> NDArray[np.float64]:
        late, early = pair[index]
        tensor = gate.view(dims[early], dims[late], dims[early], dims[late])
        tensor = tensor[:cut_out] if index == touching[-1] else tensor
        return np.asarray(tensor[:, :, :cut_in] if index == touching[0] else tensor)

    terms = [
        [shaped(i, after[i] - before[i] if i == k else after[i] if i > k else before[i]) for i in range(len(pair))]
        for k in range(len(pair))
    ]
    subscripts = _inner_product_subscripts(len(dims))
    path = np.einsum_path(subscripts, *terms[0], *terms[0], optimize="greedy")[0]
    products = {
        (k, other): float(np.einsum(subscripts, *terms[k], *terms[other], optimize=path))
        for k in range(len(terms))
        for other in range(k + 1)
    }
    return sum(value * (1 if k == other else 2) for (k, other), value in products.items())


def _inner_product_subscripts(axes: int) -> str:
    """Einstein summation of all gates of two operators that share their inputs and their outputs."""
    letters = iter(ascii_letters)
    inputs = [next(letters) for _ in range(axes)]
    operators = []
    for _ in range(2):
        now, gates = list(inputs), []
        for late, early in pair_axes(axes):
            new = next(letters), next(letters)
            gates.append([*new, now[early], now[late]])
            now[early], now[late] = new
        operators.append((gates, now))
    (first, outputs), (second, others) = operators
    same = dict(zip(others, outputs, strict=True))
    return ",".join("".join(same.get(letter, letter) for letter in gate) for gate in [*first, *second])


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
