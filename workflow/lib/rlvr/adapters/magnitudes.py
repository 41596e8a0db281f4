"""DoRA's magnitudes, at the precision of its forward pass."""

from collections.abc import Sequence

import torch
from peft import PeftModel
from torch import Tensor
from transformers import PreTrainedModel

from rlvr.adapters.family import ADAPTER
from rlvr.adapters.linears import linear_modules
from rlvr.adapters.low_rank import lora_layers
from rlvr.core.errors import InputError


@torch.no_grad()
def set_magnitudes(model: PeftModel) -> None:
    """Set every magnitude to the norm of its row of the base weight, in float32, as the forward pass computes it."""
    for _, layer in lora_layers(model):
        weight = layer.get_base_layer().weight
        if not weight.is_meta:
            layer.lora_magnitude_vector[ADAPTER].weight.copy_(row_norms(weight))


def row_norms(weight: Tensor) -> Tensor:
    """Euclidean norm of every row (rows,), float32."""
    return torch.linalg.norm(weight.float(), dim=1)


@torch.no_grad()
def check_rows(base: PreTrainedModel, targets: Sequence[str]) -> None:
    """Refuse a weight with a row of zeros, by whose norm DoRA would divide.

    Raises:
        InputError: Names the first such module and its row.
    """
    for name, module in linear_modules(base):
        if name.rpartition(".")[2] not in targets or module.weight.is_meta:
            continue
        zero = (row_norms(module.weight) == 0).nonzero().flatten().tolist()
        if zero:
            problem = f"row {zero[0]} of its weight is zero ({len(zero)} of {module.out_features} are): no direction."
            raise InputError(f"module '{name}'", problem, "Choose another method, or check the download of the base.")
