"""Sparse full fine-tuning: the weights of the target set are trained at the entries of a mask, all others are frozen.

As in full fine-tuning, what is trained is float32 unless the settings say otherwise; frozen weights keep their type.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", section 5.1: masks found once from the base.
ASSUME: the rank k of the reconstruction, which the paper does not print, is a setting of the run; embeddings, norms and
the output head stay frozen ("with only the following weights").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rlvr.adapters.family import Family

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch.optim import Optimizer
    from transformers import PreTrainedModel

    from rlvr.adapters.family import Trained
    from rlvr.plan.settings import TrainSettings


class Sparse(Family):
    """The base, trained at the entries of a mask; ``density`` is the share of entries that count as principal.

    Attributes:
        mask: Word of ``adapters.masking.make_mask``.
    """

    family = "sparse"
    takes = frozenset({"rank", "density", "target_modules"})
    source = "The Path Not Taken: RLVR Provably Learns off the Principals, section 5.1"
    example = {"rank": 2, "density": 0.5, "target_modules": "no_kv"}
    decomposes = True
    mask: str

    def attach(
        self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None
    ) -> PreTrainedModel:
        """The base itself, trainable at the entries of the method's mask."""
        from rlvr.adapters.linears import check_rank, target_names
        from rlvr.adapters.low_rank import open_decomposition
        from rlvr.adapters.masking import mask_base

        targets = target_names(base, settings.required("target_modules"))
        if settings.rank is not None:
            check_rank(base, targets, settings.rank)
        return mask_base(base, targets, self.mask, settings, open_decomposition(decomposition))

    def count(self, rows: int, cols: int, module: str, settings: TrainSettings) -> int | None:
        """A share of the entries where the mask is one of ranks; elsewhere the values decide."""
        principal = round(settings.density * rows * cols) if settings.density is not None else 0
        return {"principal": principal, "non-principal": rows * cols - principal}.get(self.mask)

    def make_optimizer(
        self,
        model: Trained,
        settings: TrainSettings,
        optimizer_class: type[Optimizer],
        arguments: Mapping[str, Any],
    ) -> Optimizer:
        """The run's optimizer, with its weight decay confined to the masks."""
        from rlvr.adapters.masking import masked_optimizer

        return masked_optimizer(model, optimizer_class, arguments, settings.weight_decay)


class SparsePrincipal(Sparse):
    """Entries that are largest after a rank-k approximation."""

    name = "sparse-principal"
    mask = "principal"


class SparseNonPrincipal(Sparse):
    """Entries that are not among the largest after a rank-k approximation."""

    name = "sparse-non-principal"
    mask = "non-principal"


class SparseLowMagnitude(Sparse):
    """Entries below the mean magnitude of their matrix."""

    name = "sparse-low-magnitude"
    takes = frozenset({"target_modules"})
    example = {"target_modules": "no_kv"}
    decomposes = False
    mask = "low-magnitude"


class SparseUnion(Sparse):
    """Entries that are not principal or below the mean magnitude."""

    name = "sparse-union"
    mask = "union"


class SparseRandom(Sparse):
    """Trains random entries, in every matrix as many as the union mask of ``sparse-union`` has there."""

    name = "sparse-random"
    mask = "random"


METHODS = (SparsePrincipal(), SparseNonPrincipal(), SparseLowMagnitude(), SparseUnion(), SparseRandom())
