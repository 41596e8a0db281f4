"""Tuning of the normalisation gains, PEFT's own: every RMSNorm of the model, by name.

ASSUME: "every norm" includes the final one and the norms of queries and keys where the architecture has them; PEFT's
default would be one of the two norms of a layer for Qwen3 and all but these for Llama.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rlvr.adapters.family import ADAPTER, Family
from rlvr.core.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from rlvr.plan.settings import TrainSettings

NORMS = {
    "qwen2": ("input_layernorm", "post_attention_layernorm", "norm"),
    "qwen3": ("input_layernorm", "post_attention_layernorm", "q_norm", "k_norm", "norm"),
    "llama": ("input_layernorm", "post_attention_layernorm", "norm"),
    "apertus": ("attention_layernorm", "feedforward_layernorm", "q_norm", "k_norm", "norm"),
}


class LnTuning(Family):
    """Gains of the norms."""

    name = "ln-tuning"
    family = "vectors"
    takes = frozenset()
    source = "Qi et al. 2022, arXiv:2211.08682; peft"
    example = {}
    tuner = "LNTuningModel"
    exports = True

    def trained_names(self, base: PreTrainedModel, settings: TrainSettings) -> list[str]:
        """Last names of the norms that are tuned.

        Raises:
            InputError: For an architecture whose norms are not listed.
        """
        if base.config.model_type not in NORMS:
            problem = "its normalisation layers have no names here."
            remedy = "Add them to NORMS in rlvr/adapters/methods/ln_tuning.py."
            raise InputError(f"architecture '{base.config.model_type}', run '{settings.run_id}'", problem, remedy)
        return list(NORMS[base.config.model_type])

    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PeftModel:
        """The base with a trained copy of every norm, in float32 whatever the base's type.

        PEFT copies a bfloat16 base's gains in bfloat16, in which a small step on a gain near one is rounded away.
        """
        import torch
        from peft import LNTuningConfig, get_peft_model
        from peft.tuners.ln_tuning.layer import LNTuningLayer

        config = LNTuningConfig(task_type="CAUSAL_LM", target_modules=self.trained_names(base, settings))
        model = get_peft_model(base, config)
        for layer in model.modules():
            if isinstance(layer, LNTuningLayer):
                tuned = layer.ln_tuning_layers[ADAPTER].to(torch.float32)
                tuned.register_forward_hook(_as_input)
        return model

    def trained_parameters(self, base: PreTrainedModel, settings: TrainSettings) -> dict[str, int | None]:
        """A gain per feature of every norm."""
        names = self.trained_names(base, settings)
        norms = ((name.removesuffix(".base_layer"), module) for name, module in base.named_modules())
        return {name: module.weight.numel() for name, module in norms if name.rpartition(".")[2] in names}


def _as_input(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Any:
    """A float32 gain turns a bfloat16 activation into float32; the next layer expects the former."""
    return output.to(inputs[0].dtype)


METHODS = (LnTuning(),)
