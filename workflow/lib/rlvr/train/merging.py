"""Weights with the adapter merged in, for the time of a generation."""

from collections.abc import Iterator
from contextlib import contextmanager

from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn


@contextmanager
def merged_weights(model: nn.Module) -> Iterator[None]:
    """Merge every adapter out of place; on leaving, the very tensors of the base are back, bit for bit.

    Merging and unmerging in place moves the base a little each time: by 1e-8 in float32 and by as much as the weights
    themselves in 200 cycles of bfloat16, more for some methods than for others. Here the base is never written to. It
    costs one copy of the adapted weights while it lasts, and spares generation the adapter's arithmetic on every token.

    Raises:
        ValueError: If the merged weights are not finite, which means that the run has diverged.
    """
    layers = [module for module in model.modules() if isinstance(module, BaseTunerLayer)]
    originals = [layer.get_base_layer().weight.data for layer in layers]
    try:
        for layer in layers:
            layer.merge(safe_merge=True)
        yield
    finally:
        for layer, original in zip(layers, originals, strict=True):
            layer.get_base_layer().weight.data = original
            layer.merged_adapters.clear()
