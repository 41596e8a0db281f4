"""T(theta) x - T(theta_0) x, added to an output in place: the adapted layer's forward and backward pass.

Vectors are taken a few at a time and lie with their number as the last axis, so that bringing the next pair of axes to
the front moves whole runs within the cache and every gate is one plain matrix product. Autograd would keep the inputs
of all gates of both operators; here those of the untrained one are not kept, and the base weight is neither copied nor
changed.
"""

import math
from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rlvr.weights.quanta_gates import fit_last, join_gates, pair_axes, split_gates

# Vectors that go through the gates together. 64 vectors of 4,096 values are 1 MiB, what a core's cache holds; a GPU
# wants as many as there are.
CHUNK_ON_CPU = 64


def add_quanta_update(output: Tensor, x: Tensor, theta: Tensor, theta_0: Tensor, dims: Sequence[int]) -> Tensor:
    """Add T(theta) x - T(theta_0) x to an output, in place.

    Args:
        output: (..., rows), contiguous; with rows below D the update is cut, beyond D nothing is added.
        x: (..., cols) with the same leading axes; with cols below D the missing values count as zero.
        theta: Trained gates, (parameter_count(dims),), as ``weights.quanta_gates`` stores them.
        theta_0: Gates as drawn, the same shape; no gradient flows into them.
        dims: Sizes of the axes, with product D.

    Returns:
        ``output``, changed.
    """
    result: Tensor = _AddUpdate.apply(output, x.reshape(-1, x.shape[-1]), theta, theta_0, tuple(dims))
    return result


def gate_layouts(dims: Sequence[int]) -> list[list[int]]:
    """For every gate, the order of the axes in which its pair stands in front, moved as little as possible."""
    axes = len(dims)
    order, layouts = list(range(axes)), []
    for late, early in pair_axes(axes):
        pair = [early % axes, late % axes]
        order = [*pair, *(axis for axis in order if axis not in pair)]
        layouts.append(order)
    return layouts


class _Walk:
    """The way of some vectors through gates, as columns (side of the gate, rest times vectors)."""

    def __init__(self, dims: Sequence[int], vectors: int) -> None:
        self.dims, self.vectors = dims, vectors
        self.natural, self.layouts = list(range(len(dims))), gate_layouts(dims)

    def enter(self, rows: Tensor, layout: list[int]) -> Tensor:
        """Vectors (n, at most D values) as columns, axes in the order ``layout``; a copy."""
        return self.move(fit_last(rows, math.prod(self.dims)).T, self.natural, layout)

    def leave(self, columns: Tensor, layout: list[int]) -> Tensor:
        """The inverse: columns in the order ``layout`` as vectors (n, D)."""
        return self.move(columns, layout, self.natural).reshape(-1, self.vectors).T

    def move(self, columns: Tensor, before: list[int], after: list[int]) -> Tensor:
        """Bring the axes into another order."""
        shape = [self.dims[axis] for axis in before]
        moved = columns.reshape(*shape, self.vectors).permute(*(before.index(axis) for axis in after), -1)
        return moved.reshape(self.dims[after[0]] * self.dims[after[1]], -1)

    def forward(self, columns: Tensor, gates: Sequence[Tensor], inputs: list[Tensor] | None = None) -> Tensor:
        """Through all gates, from the first layout to the last one; appends the inputs of all gates but the first."""
        y = gates[0] @ columns
        for gate, (before, after) in zip(gates[1:], pairwise(self.layouts), strict=True):
            moved = self.move(y, before, after)
            if inputs is not None:
                inputs.append(moved)
            y = gate @ moved
        return y

    def backward(
        self, grad: Tensor, gates: Sequence[Tensor], inputs: Sequence[Tensor] = (), sums: Sequence[Tensor] = ()
    ) -> Tensor:
        """The way back, from the last layout to the first; adds every gate's gradient to its sum if there are sums."""
        for number in range(len(gates) - 1, -1, -1):
            if sums:
                sums[number].addmm_(grad, inputs[number].T)
            grad = gates[number].T @ grad
            if number:
                grad = self.move(grad, self.layouts[number], self.layouts[number - 1])
        return grad


class _AddUpdate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, output: Tensor, x: Tensor, theta: Tensor, theta_0: Tensor, dims: tuple[int, ...]) -> Tensor:
        trained, drawn = split_gates(theta, dims), split_gates(theta_0, dims)
        ctx.dims, ctx.chunk = dims, CHUNK_ON_CPU if x.device.type == "cpu" else max(len(x), 1)
        kept: list[Tensor] = []
        for rows, target in zip(_chunks(ctx, x), _chunks(ctx, output.view(len(x), -1)), strict=True):
            walk = _Walk(dims, len(rows))
            columns = walk.enter(rows, walk.layouts[0])
            update = walk.forward(columns, trained, kept)
            update -= walk.forward(columns, drawn)
            target += walk.leave(update, walk.layouts[-1])[:, : target.shape[-1]].contiguous()
        ctx.mark_dirty(output)
        ctx.save_for_backward(x, theta, theta_0, *kept)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, theta, theta_0, *kept = ctx.saved_tensors
        trained, drawn = split_gates(theta, ctx.dims), split_gates(theta_0, ctx.dims)
        sums = [torch.zeros_like(gate) for gate in trained]
        grad_x = x.new_zeros(x.shape) if x.shape[-1] > math.prod(ctx.dims) else x.new_empty(x.shape)
        inputs, grads = iter(kept), grad.reshape(len(x), -1)
        for rows, grad_rows, target in zip(_chunks(ctx, x), _chunks(ctx, grads), _chunks(ctx, grad_x), strict=True):
            walk = _Walk(ctx.dims, len(rows))
            first, last = walk.layouts[0], walk.layouts[-1]
            columns = walk.enter(grad_rows.to(x.dtype), last)
            change = walk.backward(columns, trained, [walk.enter(rows, first), *islice(inputs, len(sums) - 1)], sums)
            change -= walk.backward(columns, drawn)
            target.copy_(walk.leave(change, first)[:, : target.shape[-1]])
        return grad, grad_x, join_gates(sums), None, None


def _chunks(ctx: Any, vectors: Tensor) -> Sequence[Tensor]:
    """The first D values of all vectors (n, size), some vectors at a time; views."""
    return vectors[:, : math.prod(ctx.dims)].split(ctx.chunk)
