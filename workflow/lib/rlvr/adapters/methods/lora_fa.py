"""LoRA-FA: LoRA whose A stays as drawn.

SOURCE: Zhang et al. 2023 and the table of methods of "Evaluating Parameter Efficient Methods for RLVR": A frozen, B
trained. DEVIATION from PEFT's ``create_lorafa_optimizer``, which goes beyond that: it multiplies the gradient of B by
(r / alpha)^2 (A A^T)^-1, rounds that product to bfloat16 wherever the machine can, and has an epsilon of its own, so
that a comparison of methods would compare optimizers, too. Here B has the optimizer of every other method.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr.adapters.methods.lora import LowRank

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from transformers import PreTrainedModel

    from rlvr.plan.settings import TrainSettings


class LoraFa(LowRank):
    """LoRA with A frozen."""

    name = "lora-fa"
    source = "Zhang et al. 2023, arXiv:2308.03303; peft's LoRA with A frozen"
    frozen = ("lora_A",)

    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PeftModel:
        """The base with LoRA on the target set, A frozen."""
        model = super().attach(base, settings)
        for name, parameter in model.named_parameters():
            if "lora_A" in name:
                parameter.requires_grad_(False)
        return model

    def count(self, rows: int, cols: int, module: str, settings: TrainSettings) -> int:
        """B (rows, rank)."""
        return settings.required("rank") * rows


METHODS = (LoraFa(),)
