"""Tuning of the normalisation gains, PEFT's own: every RMSNorm of the model, by name.

ASSUME: "every norm" includes the final one and the norms of queries and keys where the architecture has them; PEFT's
default would be one of the two norms of a layer for Qwen3 and all but these for Llama.
"""

from typing import Any

import torch
from peft import LNTuningConfig, PeftModel, get_peft_model
from peft.tuners.ln_tuning.layer import LNTuningLayer
from torch import Tensor, nn
from transformers import PreTrainedModel

from rlvr.core.errors import InputError
from rlvr.plan.settings import TrainSettings

NORMS = {
    "qwen2": ("input_layernorm", "post_attention_layernorm", "norm"),
    "qwen3": ("input_layernorm", "post_attention_layernorm", "q_norm", "k_norm", "norm"),
    "llama": ("input_layernorm", "post_attention_layernorm", "norm"),
    "apertus": ("attention_layernorm", "feedforward_layernorm", "q_norm", "k_norm", "norm"),
}


def trained_names(base: PreTrainedModel, settings: TrainSettings) -> list[str]:
    """Last names of the norms that are tuned.

    Raises:
        InputError: For an architecture whose norms are not listed.
    """
    if base.config.model_type not in NORMS:
        problem = "its normalisation layers have no names here."
        remedy = "Add them to NORMS in rlvr/adapters/methods/ln_tuning.py."
        raise InputError(f"architecture '{base.config.model_type}', run '{settings.run_id}'", problem, remedy)
    return list(NORMS[base.config.model_type])


def attach(base: PreTrainedModel, settings: TrainSettings) -> PeftModel:
    """The base with a trained copy of every norm, in float32 whatever the base's type.

    PEFT copies a bfloat16 base's gains in bfloat16, in which a small step on a gain near one is rounded away.
    """
    config = LNTuningConfig(task_type="CAUSAL_LM", target_modules=trained_names(base, settings))
    model = get_peft_model(base, config)
    for layer in model.modules():
        if isinstance(layer, LNTuningLayer):
            tuned = layer.ln_tuning_layers["default"].to(torch.float32)
            tuned.register_forward_hook(_as_input)
    return model


def _as_input(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Any:
    """A float32 gain turns a bfloat16 activation into float32; the next layer expects the former."""
    return output.to(inputs[0].dtype)
