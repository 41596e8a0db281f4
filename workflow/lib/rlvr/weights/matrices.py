"""The update of one module, and its matrices: each is read or computed when it is first asked for, and only once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor

from rlvr.core.errors import InputError
from rlvr.weights.linear_maps import LinearMap, dense_map, dora_scales
from rlvr.weights.tensors import all_finite

Factors = tuple[Tensor, Tensor]
Made = TypeVar("Made")


@dataclass(frozen=True)
class ModuleUpdate:
    """The update of one weight matrix, as a run's files describe it; holds adapters' tensors, but no matrix.

    Attributes:
        module: Name in the base model, e.g. ``model.layers.0.self_attn.q_proj``.
        layer: Index of the decoder layer; -1 outside of them.
        projection: Last part of the name, e.g. ``q_proj``.
        rows: Output features.
        cols: Input features.
        bound: The largest rank that the parametrisation allows.
        read_base: Reads the base weight (rows, cols) in its stored type.
        change: The update (rows, cols) in float64 that an adapter adds to a base weight; ``None`` where the update is
            the product of the factors, or the difference of a stored tuned weight from the base.
        factors: ``(B, A)`` with shapes (rows, r) and (r, cols), the scaling already in ``B``, where the update is their
            product; ``None`` for every other family.
        read_tuned: Reads the tuned weight in its stored type, where one is stored; ``None`` for an adapter.
        make_map: The update of a base weight as a linear map in float32, where products with it need no dense update.
    """

    module: str
    layer: int
    projection: str
    rows: int
    cols: int
    bound: int
    read_base: Callable[[], Tensor]
    change: Callable[[Tensor], Tensor] | None = None
    factors: Factors | None = None
    read_tuned: Callable[[], Tensor] | None = None
    make_map: Callable[[Tensor], LinearMap] | None = None

    def matrices(self) -> "Matrices":
        """The matrices of this module, none of them read yet; they are kept for as long as the result is."""
        return Matrices(self)

    def dense(self) -> Tensor:
        """The whole update (rows, cols) in float64."""
        return self.matrices().update


class Matrices:
    """Base, tuned weight and update of one module."""

    def __init__(self, module: ModuleUpdate) -> None:
        """Read nothing yet."""
        self._module = module

    @cached_property
    def base(self) -> Tensor:
        """The base weight (rows, cols) in its stored type."""
        return self._module.read_base()

    @cached_property
    def tuned(self) -> Tensor:
        """The tuned weight (rows, cols): as stored, otherwise merged in float64 and rounded once to the base's type."""
        if self.is_stored:
            return self._stored
        return (self.base.double() + self.update).to(self.base.dtype)

    @cached_property
    def update(self) -> Tensor:
        """The whole update (rows, cols) in float64.

        Raises:
            InputError: If it holds NaN or infinite values, or its formula is not defined; names the module.
        """
        update = self._named(self._compute)
        if not all_finite(update):
            problem = "its update holds NaN or infinite values."
            raise InputError(self._module.module, problem, "The run diverged; train it again.")
        return update

    def _compute(self) -> Tensor:
        if self._module.factors is not None:
            return multiply_factors(self._module.factors)
        return subtract(self._stored, self.base) if self._module.change is None else self._module.change(self.base)

    @property
    def is_stored(self) -> bool:
        """Whether the tuned weight lies in a file of its own."""
        return self._module.read_tuned is not None

    @cached_property
    def _stored(self) -> Tensor:
        read = self._module.read_tuned
        if read is None:
            raise ValueError(f"{self._module.module} has neither a formula for its update nor a tuned weight")
        return read()

    def linear_map(self) -> LinearMap:
        """The update as a linear map in float32; the dense update is computed only where the tuned weight is stored."""
        make = self._module.make_map
        return dense_map(self.update.float()) if make is None else self._named(lambda: make(self.base))

    def _named(self, make: Callable[[], Made]) -> Made:
        """Call a formula and return its matrix; an ``InputError`` that it raises gets the module's name."""
        try:
            return make()
        except InputError as error:
            raise InputError(f"{self._module.module}, {error.where}", error.problem, error.remedy) from error


def subtract(tuned: Tensor, base: Tensor) -> Tensor:
    """``W - W_0`` in float64; both (rows, cols) in any floating type."""
    return tuned.double() - base.double()


def multiply_factors(factors: Factors) -> Tensor:
    """LoRA's update ``B A`` in float64, the scaling already in ``B``: (rows, r) and (r, cols) make (rows, cols)."""
    return factors[0].double() @ factors[1].double()


def dora_update(base: Tensor, factors: Factors, magnitude: Tensor) -> Tensor:
    """DoRA's update ``m / ||W + B A||_row (W + B A) - W`` in float64.

    SOURCE: Liu et al. 2024, equation 5, with one magnitude for every output row.

    Args:
        base: W, (rows, cols), any floating type.
        factors: B with the scaling, and A.
        magnitude: m, (rows,).

    Returns:
        (rows, cols).

    Raises:
        InputError: If a row of W + B A is zero.
    """
    frozen = base.double()
    direction = frozen + multiply_factors(factors)
    scale = dora_scales(magnitude, torch.linalg.vector_norm(direction, dim=1))
    return scale[:, None] * direction - frozen
