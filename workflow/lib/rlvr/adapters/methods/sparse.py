"""Sparse full fine-tuning: the weights of the target set are trained at the entries of a mask, all else is frozen.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", section 5.1: masks found once from the base.
ASSUME: the rank k of the reconstruction, which the paper does not print, is a setting of the run; embeddings, norms and
the output head stay frozen ("with only the following weights").
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from transformers import PreTrainedModel

from rlvr.adapters.masking import masked_optimizer, set_mask
from rlvr.adapters.methods.initialised import open_decomposition
from rlvr.adapters.methods.linears import check_rank, target_names
from rlvr.core.seeds import derive_seed
from rlvr.plan.settings import TrainSettings
from rlvr.weights.decompositions import find_triples
from rlvr.weights.masks import below_mean_mask, principal_mask, random_mask
from rlvr.weights.tensors import TensorStore


def attach(base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PreTrainedModel:
    """The base itself, trainable at the entries of the method's mask.

    Args:
        base: Model.
        settings: Of the run; its method says which mask.
        decomposition: File with the base's singular triples; without it they are computed here.

    Raises:
        InputError: If the rank is above that of a target's weight, or the file is of another base.
    """
    targets, stored = target_names(base, settings.required("target_modules")), open_decomposition(decomposition)
    if settings.rank is not None:
        check_rank(base, targets, settings.rank)
    base.requires_grad_(False)
    for name, module in base.named_modules():
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] in targets:
            set_mask(module, make_mask(name, module.weight.detach(), settings, stored))
    return base


def make_mask(module: str, weight: Tensor, settings: TrainSettings, stored: TensorStore | None) -> Tensor:
    """Boolean mask (rows, cols) of a weight; on the meta device all entries, since no value can be compared.

    ``density`` is the share of entries that count as principal. The random mask is drawn from the run's seed and the
    module's name, with as many entries as the union's.
    """
    if weight.is_meta:
        return torch.ones(weight.shape, dtype=torch.bool, device="meta")
    if settings.method == "sparse-low-magnitude":
        return below_mean_mask(weight)
    triples = find_triples(module, weight, settings.required("rank"), "leading", stored)
    principal = principal_mask(triples.product(), settings.required("density"))
    if settings.method == "sparse-principal":
        return principal
    if settings.method == "sparse-non-principal":
        return ~principal
    union = ~principal | below_mean_mask(weight)
    if settings.method == "sparse-union":
        return union
    generator = torch.Generator().manual_seed(derive_seed(settings.seed, "mask", module))
    return random_mask(union.cpu(), generator).to(weight.device)


def trained_names(base: PreTrainedModel, settings: TrainSettings) -> list[str]:
    """Last names of the masked modules."""
    return target_names(base, settings.required("target_modules"))


def optimizer(
    model: PreTrainedModel, settings: TrainSettings, optimizer_class: type[Optimizer], arguments: Mapping[str, Any]
) -> Optimizer:
    """The run's optimizer, with its weight decay confined to the masks."""
    return masked_optimizer(model, optimizer_class, arguments, settings.weight_decay)
