"""Weights of which only some entries are trained: the mask lies beside the weight, as a buffer that is not saved."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

BUFFER = "trained_mask"
NAME = "weight"


def set_mask(module: nn.Linear, mask: Tensor) -> None:
    """Train only the entries of ``module.weight`` where ``mask`` is true: all other gradients become exactly zero."""
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
