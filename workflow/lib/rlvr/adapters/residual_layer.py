"""PEFT's LoRA layer measured from a start: W + s (B A - B_0 A_0), with A_0 and B_0 as buffers beside the factors."""

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel, get_peft_model
from peft.tuners._buffer_dict import BufferDict
from peft.tuners.lora.layer import Linear, LoraVariant
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from rlvr.adapters.family import ADAPTER
from rlvr.adapters.low_rank import (
    InitialisedLoraConfig,
    exported_config,
    lora_layers,
    low_rank_config,
    write_plain_lora,
)
from rlvr.plan.settings import TrainSettings
from rlvr.weights.decompositions import Triples, find_triples
from rlvr.weights.tensors import TensorStore

UNKNOWN_TO_PEFT = "residual"


def start_factors(triples: Triples, with_values: bool, scaling: float) -> tuple[Tensor, Tensor]:
    """A_0 (rank, cols) and B_0 (rows, rank).

    ASSUME: with values, s B_0 A_0 is the product of the triples, as in the code of PiSSA; the equations leave s out.
    Without values both factors are orthonormal and s B_0 A_0 is s U V^T.
    """
    if not with_values:
        return triples.right, triples.left
    roots = (triples.values / scaling).sqrt()
    return roots[:, None] * triples.right, triples.left * roots


class Residual(LoraVariant):
    """PEFT's arithmetic of one adapter, measured from its start."""

    @staticmethod
    def init(module: Any, adapter_name: str, **_: Any) -> None:
        """Give the adapter a start: that of an adapter already there, otherwise its own factors."""
        if not hasattr(module, "lora_start_A"):
            module.lora_start_A = BufferDict({}, persistent=True)
            module.lora_start_B = BufferDict({}, persistent=True)
            module.other_param_names = (*module.other_param_names, "lora_start_A", "lora_start_B")
        known = next(iter(module.lora_start_A.keys()), None)
        for start, factor in ((module.lora_start_A, module.lora_A), (module.lora_start_B, module.lora_B)):
            value = factor[adapter_name].weight.detach() if known is None else start[known]
            start[adapter_name] = value.clone()

    @staticmethod
    def merge_safe(module: Any, active_adapter: str, orig_weight: Tensor) -> Tensor:
        """The merged weight as a new tensor."""
        return orig_weight + module.get_delta_weight(active_adapter).to(orig_weight.dtype)

    @staticmethod
    def merge_unsafe(module: Any, active_adapter: str, orig_weight: Tensor) -> None:
        """Merge in place."""
        orig_weight.data += module.get_delta_weight(active_adapter).to(orig_weight.dtype)

    @staticmethod
    def unmerge(module: Any, active_adapter: str, orig_weight: Tensor) -> Tensor:
        """The weight without the update."""
        return orig_weight - module.get_delta_weight(active_adapter).to(orig_weight.dtype)

    @staticmethod
    def forward(module: Any, active_adapter: str, x: Tensor, result: Tensor, **_: Any) -> Tensor:
        """Output of the base plus that of the update."""
        down, up = module.update_factors(active_adapter)
        kept = module.lora_dropout[active_adapter](module._cast_input_dtype(x, down.dtype))
        inner = functional.linear(kept, down)
        return result + (functional.linear(inner, up) * module.scaling[active_adapter]).to(result.dtype)


class ResidualLinear(Linear):
    """PEFT's LoRA layer whose update is measured from its start."""

    lora_A: Any
    lora_B: Any
    lora_start_A: BufferDict
    lora_start_B: BufferDict

    def resolve_lora_variant(self, *, config: Any, **_: Any) -> LoraVariant:
        """The one variant of this layer; PEFT asks."""
        return Residual()

    def reset_lora_parameters(self, adapter_name: str, init_lora_weights: Any) -> None:
        """Draw both factors as PEFT does for LoRA; ``attach_residual`` sets them."""
        super().reset_lora_parameters(adapter_name, True)

    def update_factors(self, adapter: str) -> tuple[Tensor, Tensor]:
        """Factors of the unscaled update, (2 rank, cols) and (rows, 2 rank): A over A - A_0, B - B_0 beside B_0."""
        down, up = self.lora_A[adapter].weight, self.lora_B[adapter].weight
        down_0, up_0 = self.lora_start_A[adapter], self.lora_start_B[adapter]
        return torch.cat([down, down - down_0]), torch.cat([up - up_0, up_0], dim=1)

    def get_delta_weight(self, adapter: str) -> Tensor:
        """The update (rows, cols)."""
        down, up = self.update_factors(adapter)
        return self.scaling[adapter] * (up @ down)


def attach_residual(
    base: PreTrainedModel, settings: TrainSettings, end: str, with_values: bool, stored: TensorStore | None
) -> PeftModel:
    """The base with LoRA on the target set, both factors from singular triples of the weights.

    Args:
        base: Model; its weights stay as they are.
        settings: Of the run.
        end: Which triples, ``leading`` or ``trailing``.
        with_values: Whether their values are split between both factors.
        stored: The base's singular triples; without them they are computed here.

    Raises:
        InputError: If the rank is above that of a target's weight, or the triples are of another base.
    """
    marks = {"initialisation": settings.method, "init_lora_weights": UNKNOWN_TO_PEFT}
    config = low_rank_config(base, settings, InitialisedLoraConfig, **marks)
    config._register_custom_module({nn.Linear: ResidualLinear})
    model = get_peft_model(base, config)
    for name, layer in lora_layers(model):
        weight = layer.get_base_layer().weight
        if not weight.is_meta:
            triples = find_triples(name, weight, config.r, end, stored)
            set_start(layer, *start_factors(triples, with_values, layer.scaling[ADAPTER]))
    return model


@torch.no_grad()
def set_start(layer: Any, down: Tensor, up: Tensor) -> None:
    """Set both factors and remember them as the start."""
    for factor, start, value in (
        (layer.lora_A[ADAPTER].weight, layer.lora_start_A[ADAPTER], down),
        (layer.lora_B[ADAPTER].weight, layer.lora_start_B[ADAPTER], up),
    ):
        factor.copy_(value)
        start.copy_(value)


def save_as_plain_lora(model: PeftModel, folder: Path) -> None:
    """Write the finished adapter as plain LoRA of twice the rank on the original base."""
    factors = {}
    for name, layer in lora_layers(model):
        factors[f"{name}.lora_A"], factors[f"{name}.lora_B"] = layer.update_factors(ADAPTER)
    write_plain_lora(factors, exported_config(model, factor=2), folder)
