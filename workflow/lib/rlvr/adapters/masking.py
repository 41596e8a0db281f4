"""Weights of which only some entries are trained: the mask lies beside the weight, as a buffer that is not saved."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from transformers import PreTrainedModel

from rlvr.core.seeds import derive_seed
from rlvr.plan.settings import TrainSettings
from rlvr.weights.decompositions import find_triples
from rlvr.weights.masks import below_mean_mask, principal_mask, random_mask
from rlvr.weights.tensors import TensorStore

BUFFER = "trained_mask"
NAME = "weight"


def mask_base(
    base: PreTrainedModel, targets: Sequence[str], kind: str, settings: TrainSettings, stored: TensorStore | None
) -> PreTrainedModel:
    """The base itself, trainable at the entries of a mask of its target modules, and nowhere else.

    Args:
        base: Model.
        targets: Last names of the modules.
        kind: Which entries; see ``make_mask``.
        settings: Of the run.
        stored: The base's singular triples; without them they are computed here.

    Raises:
        InputError: If the triples are of another base.
    """
    base.requires_grad_(False)
    for name, module in base.named_modules():
        if isinstance(module, nn.Linear) and name.rpartition(".")[2] in targets:
            mask = make_mask(name, module.weight.detach(), kind, settings, stored)
            set_mask(module, mask, lift=settings.trained_dtype == "float32")
    return base


def make_mask(module: str, weight: Tensor, kind: str, settings: TrainSettings, stored: TensorStore | None) -> Tensor:
    """Boolean mask (rows, cols) of a weight; on the meta device all entries, since no value can be compared.

    Args:
        module: Name of the weight's module.
        weight: Of the base.
        kind: ``principal``, ``non-principal``, ``low-magnitude``, ``union`` of the last two, or ``random``: drawn from
            the run's seed and the module's name, with as many entries as the union.
        settings: Of the run; ``density`` is the share of entries that count as principal.
        stored: The base's singular triples; without them they are computed here.
    """
    if weight.is_meta:
        return torch.ones(weight.shape, dtype=torch.bool, device="meta")
    if kind == "low-magnitude":
        return below_mean_mask(weight)
    triples = find_triples(module, weight, settings.required("rank"), "leading", stored)
    principal = principal_mask(triples.product(), settings.required("density"))
    if kind == "principal":
        return principal
    if kind == "non-principal":
        return ~principal
    union = ~principal | below_mean_mask(weight)
    if kind == "union":
        return union
    generator = torch.Generator().manual_seed(derive_seed(settings.seed, "mask", module))
    return random_mask(union.cpu(), generator).to(weight.device)


def set_mask(module: nn.Linear, mask: Tensor, lift: bool = True) -> None:
    """Train only the entries of ``module.weight`` where ``mask`` is true: all other gradients become exactly zero.

    Args:
        module: Layer of the base.
        mask: Boolean, like the weight.
        lift: Keep the weight in float32, in which small steps are not rounded away; the layer takes and gives what it
            did.
    """
    stored = module.weight.dtype
    if lift and stored != torch.float32:
        module.float()
        module.register_forward_pre_hook(lambda _, inputs: (inputs[0].float(), *inputs[1:]))
        module.register_forward_hook(lambda _, inputs, output: output.to(stored))
    module.register_buffer(BUFFER, mask, persistent=False)
    module.weight.requires_grad_(True)
    module.weight.register_hook(_masked_gradient(module))


def trained_masks(model: nn.Module) -> dict[str, Tensor]:
    """The mask of every parameter that has one, by the parameter's name."""
    masked = {name: module for name, module in model.named_modules() if BUFFER in module._buffers}
    return {f"{name}.{NAME}": module.get_buffer(BUFFER) for name, module in masked.items()}


def masked_optimizer(
    model: nn.Module, optimizer_class: Callable[..., Optimizer], arguments: Mapping[str, Any], weight_decay: float
) -> Optimizer:
    """An Adam-like optimizer with decoupled weight decay that leaves every masked-out entry bit for bit as it is.

    A gradient of zero gives moments and a step of zero; weight decay would still shrink the entry, so it is applied
    here, before the step as AdamW does, and to the trained entries only.
    """
    masks = trained_masks(model)
    masked = [(parameter, masks[name]) for name, parameter in model.named_parameters() if name in masks]
    made = optimizer_class([parameter for parameter, _ in masked], weight_decay=0.0, **arguments)

    @torch.no_grad()
    def decay(optimizer: Optimizer, *_: Any) -> None:
        kept = 1.0 - float(optimizer.param_groups[0]["lr"]) * weight_decay
        for parameter, mask in masked:
            parameter.mul_(torch.where(mask, kept, 1.0).to(parameter.dtype))

    if weight_decay:
        made.register_step_pre_hook(decay)
    return made


def _masked_gradient(module: nn.Linear) -> Callable[[Tensor], Tensor]:
    return lambda gradient: torch.where(module.get_buffer(BUFFER), gradient, torch.zeros_like(gradient))
