"""The update that is left when the tuned weights are stored in bfloat16, beside the update itself.

A merged bfloat16 weight minus its base carries the rounding error of every entry: noise that is close to full rank
however low the rank of the update is. Spectra of such differences are not comparable with spectra of factors.
"""

import torch
from torch import Tensor

from rlvr.spectra.dense import dense_singular_values
from rlvr.spectra.quantities import Quantity, describe_spectrum, effective_rank, frobenius_norm
from rlvr.spectra.sparsity import as_stored, rounding_floor
from rlvr.weights.matrices import Matrices


def stored_update(base: Tensor, tuned: Tensor) -> Tensor:
    """``bf16(W) - bf16(W_0)`` in float64: what somebody sees who is given two bfloat16 checkpoints, (rows, cols)."""
    return as_stored(tuned).double() - as_stored(base).double()


def describe_stored(matrices: Matrices, values_R: Tensor) -> list[Quantity]:
    """The quantities of the stored update, named ``bf16_*``, and how far it is from the update.

    ``bf16_rank_gap`` is the difference of effective ranks; ``rounding_distance`` is ``||D_bf16 - D||_F / ||D||_F`` (0
    where both sides are stored in bfloat16 and nothing else is known); ``rounding_floor`` is the same ratio as expected
    from the spacing of bfloat16 at the tuned weights alone, which is known for any pair.

    Args:
        matrices: Of the module.
        values_R: Singular values of its update, falling.
    """
    base, tuned = matrices.base, matrices.tuned
    native = base.dtype == tuned.dtype == torch.bfloat16 and matrices.is_stored
    stored_values, distance = (values_R, 0.0) if native else _stored_apart(base, tuned, matrices)
    norm = frobenius_norm(values_R)
    return [
        *(Quantity(f"bf16_{name}", value) for name, value in describe_spectrum(stored_values)),
        Quantity("bf16_rank_gap", effective_rank(stored_values) - effective_rank(values_R)),
        Quantity("rounding_distance", distance / norm if norm > 0 else 0.0),
        relative_floor(tuned, norm),
    ]


def relative_floor(tuned: Tensor, norm: float) -> Quantity:
    """``rounding_floor`` of a module, all that is known of the rounding where no singular values were computed.

    Args:
        tuned: Weight after training, (rows, cols).
        norm: Frobenius norm of the update.
    """
    return Quantity("rounding_floor", rounding_floor(tuned) / norm if norm > 0 else 0.0)


def _stored_apart(base: Tensor, tuned: Tensor, matrices: Matrices) -> tuple[Tensor, float]:
    """Singular values of the stored update, and how far it is from the update."""
    stored = stored_update(base, tuned)
    values_R = dense_singular_values(stored)
    return values_R, float(stored.sub_(matrices.update).norm())
