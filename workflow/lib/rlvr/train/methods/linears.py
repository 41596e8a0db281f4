"""Target sets on a loaded model."""

from torch import nn
from transformers import PreTrainedModel

from rlvr.train.methods.targets import resolve_targets


def target_names(base: PreTrainedModel, target_set: str) -> list[str]:
    """Projections of ``base`` that a target set adapts, as suffixes for PEFT."""
    linears = (name for name, module in base.named_modules() if isinstance(module, nn.Linear))
    names = [name.removesuffix(".base_layer") for name in linears]  # as PEFT calls the module that it has wrapped
    return resolve_targets(target_set, base.config.model_type, names)
