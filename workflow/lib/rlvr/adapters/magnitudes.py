"""DoRA's magnitudes, at the precision of its forward pass."""

import torch
from peft import PeftModel
from torch import Tensor

from rlvr.adapters.family import ADAPTER
from rlvr.adapters.low_rank import lora_layers
from rlvr.core.errors import InputError


@torch.no_grad()
def set_magnitudes(model: PeftModel) -> None:
    """Set every magnitude to the norm of its row of the base weight, in float32, as the forward pass computes it.

    Raises:
        InputError: If a row is zero; it has no direction.
    """
    for name, layer in lora_layers(model):
        weight = layer.get_base_layer().weight
        if not weight.is_meta:
            norms = torch.linalg.norm(weight.float(), dim=1)
            check_rows(name, norms)
            layer.lora_magnitude_vector[ADAPTER].weight.copy_(norms)


def check_rows(module: str, norms: Tensor) -> None:
    """Refuse a weight with a row of norm zero, by which DoRA would divide.

    Raises:
        InputError: Names the module and the first such row.
    """
    zero = (norms == 0).nonzero().flatten().tolist()
    if zero:
        problem = f"row {zero[0]} of its weight is zero ({len(zero)} of {len(norms)} are), so it has no direction."
        raise InputError(f"module '{module}'", problem, "Choose another method, or check the download of the base.")
