"""Weights with the adapter merged in: for the time of a generation, or as a model of their own."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from huggingface_hub import save_torch_state_dict
from peft import PeftModel
from peft.tuners.ln_tuning.layer import LNTuningLayer
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn
from transformers import PreTrainedModel

PARAMETERS = ("weight", "bias")
FLOAT32_BYTES = 4


@dataclass
class Rounding:
    """How much of an update is lost as its merged weights are rounded to the type that samples."""

    lost: float = 0.0  # squared norms
    moved: float = 0.0

    def add(self, original: Tensor, merged: Tensor, kind: torch.dtype) -> None:
        """Take in a weight: the base's, which its type holds exactly, the merged one, and the type that samples."""
        wide = merged.double()
        self.lost += float((merged.to(kind).double() - wide).square().sum())
        self.moved += float((wide - original.double()).square().sum())

    @property
    def share(self) -> float:
        """Norm of what was lost over that of the update; 0 for an update of nothing."""
        return math.sqrt(self.lost / self.moved) if self.moved else 0.0


@contextmanager
def merged_weights(model: nn.Module, rounding: Rounding | None = None) -> Iterator[None]:
    """Merge every adapter out of place; on leaving, the very tensors of the base are back, bit for bit.

    Merging and unmerging in place moves the base a little each time: by 1e-8 in float32 and by as much as the weights
    themselves in 200 cycles of bfloat16, more for some methods than for others. Here the base is never written to. It
    costs one copy of the adapted weights while it lasts, and spares generation the adapter's arithmetic on every token.

    TRL's own merge within (it merges before it sends weights to vLLM) finds nothing to merge, and its unmerge changes
    the copies only.

    Args:
        model: With an adapter, or without (then nothing happens).
        rounding: Takes in what the cast to each weight's own type loses.

    Raises:
        ValueError: If the merged weights are not finite, which means that the run has diverged.
    """
    layers = [module for module in model.modules() if isinstance(module, BaseTunerLayer)]
    originals = [_parameters(layer) for layer in layers]
    try:
        for layer in layers:
            merge_layer(layer, rounding)
        yield
    finally:
        for layer, original in zip(layers, originals, strict=True):
            _restore(layer, original)


@contextmanager
def rollout_weights(model: nn.Module, rounding: Rounding | None = None) -> Iterator[None]:
    """Weights for generation in the training process, such that it samples from the function that the loss sees.

    On a float32 base that is the adapter merged, which spares its arithmetic on every token. Weights narrower than
    float32 would round most of a small update away (LoRA at a thousandth of the weights' norm loses 0.7 of its change),
    so that there the adapter stays beside them, as in the loss.
    """
    layers = (module for module in model.modules() if isinstance(module, BaseTunerLayer))
    weights = [weight for layer in layers for weight in _parameters(layer).values()]
    if any(weight.is_floating_point() and weight.element_size() < FLOAT32_BYTES for weight in weights):
        yield
        return
    with merged_weights(model, rounding):
        yield


@contextmanager
def merged_in_place(model: nn.Module, rounding: Rounding | None = None) -> Iterator[None]:
    """Merge every adapter into the stored weights of the base, and subtract it from them on leaving, as TRL does.

    Both are rounded to the type of the base, which a cycle therefore leaves elsewhere: in bfloat16 by up to half the
    distance between two numbers, each time. It is the experiment that asks what this moves; nothing else uses it.

    Args:
        model: With an adapter.
        rounding: Takes in what the cast to each weight's own type loses.
    """
    with merged_weights(model, rounding):
        pass
    layers = [module for module in model.modules() if isinstance(module, BaseTunerLayer)]
    for layer in layers:
        layer.merge()
    try:
        yield
    finally:
        for layer in layers:
            layer.unmerge()


def merge_layer(layer: BaseTunerLayer, rounding: Rounding | None = None) -> None:
    """Put merged tensors in the place of a layer's base weights: merged in float32 at least, then cast once.

    PEFT casts the update before it adds it, for some methods; a base in bfloat16 is therefore lifted for the merge.
    """
    parameters = _parameters(layer)
    if isinstance(layer, LNTuningLayer):  # swaps two modules and computes nothing; who samples in its own type casts
        layer.merge()
        for original, gain in zip(parameters.values(), _parameters(layer).values() if rounding else (), strict=False):
            rounding.add(original, gain, original.dtype)  # type: ignore[union-attr]
        return
    try:
        for parameter, tensor in parameters.items():
            parameter.data = tensor.to(torch.promote_types(tensor.dtype, torch.float32))
        layer.merge(safe_merge=True)
        for parameter, tensor in parameters.items():
            if rounding:
                rounding.add(tensor, parameter.data, tensor.dtype)
            parameter.data = parameter.data.to(tensor.dtype)
    except ValueError:
        _restore(layer, parameters)
        raise
    layer.forward = layer.get_base_layer().forward  # type: ignore[attr-defined]  # of a merged layer, unasked per token


def merged_tensors(model: PeftModel, dtype: torch.dtype) -> dict[str, Tensor]:
    """The tensors of the base with the adapter merged in, as a bare model of the same class would load them.

    Args:
        model: With one adapter.
        dtype: Of the result; merged in float32 and cast once. Tensors that no adapter touches are cast, too.

    Returns:
        Tensor by name in the bare base, on the CPU; one layer at a time is held twice.
    """
    layers = {name: module for name, module in _base_modules(model) if isinstance(module, BaseTunerLayer)}
    merged = {
        f"{name}.{kind}": value for name, layer in layers.items() for kind, value in _merged_layer(layer, dtype).items()
    }
    rest = {name: tensor.to("cpu", dtype) for name, tensor in base_tensors(model).items() if name not in merged}
    return rest | merged


def write_merged(model: PeftModel, folder: Path) -> None:
    """Write the base with the adapter merged in, weights and configuration, in Hugging Face layout.

    In float32 whatever the base's type: rounded to bfloat16, small updates would be gone before anyone measured them.
    """
    tensors = merged_tensors(model, torch.float32)
    config = cast("PreTrainedModel", model.get_base_model()).config
    if config.tie_word_embeddings:
        tensors.pop("lm_head.weight", None)  # otherwise one of the two names is left out, and not always this one
    save_torch_state_dict(tensors, folder)
    config.save_pretrained(folder)


def adapted_weights(model: PeftModel) -> dict[str, Tensor]:
    """The base's own weights of every layer that carries an adapter, by their names in the bare base; not copies."""
    layers = [(name, module) for name, module in _base_modules(model) if isinstance(module, BaseTunerLayer)]
    return {
        f"{name}.{kind}": value.data
        for name, layer in layers
        for kind, value in layer.get_base_layer().named_parameters()
        if kind in PARAMETERS
    }


def base_tensors(model: PeftModel) -> dict[str, Tensor]:
    """Every tensor of the base that an adapter is attached to, by its name in the bare base.

    Told apart by place, not by name: whatever a tuner layer holds beside its base layer is the adapter's.
    """
    layers = [name for name, module in _base_modules(model) if isinstance(module, BaseTunerLayer)]
    adapted = {f"{layer}.": f"{layer}.base_layer." for layer in layers}
    tensors = {}
    for name, tensor in model.get_base_model().state_dict().items():
        owner = next((layer for layer in adapted if name.startswith(layer)), None)
        if owner is None or name.startswith(adapted[owner]):
            tensors[base_name(name)] = tensor
    return tensors


def base_name(name: str) -> str:
    """Name that a tensor of an adapted model has in the bare base."""
    return name.removeprefix("base_model.model.").replace(".base_layer.", ".")


def _base_modules(model: PeftModel) -> Iterator[tuple[str, nn.Module]]:
    return model.get_base_model().named_modules()


def _merged_layer(layer: BaseTunerLayer, dtype: torch.dtype) -> dict[str, Tensor]:
    originals = _parameters(layer)
    try:
        for parameter, tensor in originals.items():
            parameter.data = tensor.to(torch.promote_types(tensor.dtype, torch.float32))
        merge_layer(layer)
        return {
            kind: value.detach().to("cpu", dtype, copy=True)
            for kind, value in layer.get_base_layer().named_parameters()
            if kind in PARAMETERS
        }
    finally:
        _restore(layer, originals)


def _parameters(layer: BaseTunerLayer) -> dict[nn.Parameter, Tensor]:
    """The parameters of a layer's base, with the tensors that they hold now."""
    base = layer.get_base_layer()
    return {value: value.data for kind, value in base.named_parameters() if kind in PARAMETERS}


def _restore(layer: BaseTunerLayer, originals: dict[nn.Parameter, Tensor]) -> None:
    if isinstance(layer, LNTuningLayer) and layer.merged:
        layer.unmerge()
    vars(layer).pop("forward", None)
    for parameter, tensor in originals.items():
        parameter.data = tensor
    layer.merged_adapters.clear()
