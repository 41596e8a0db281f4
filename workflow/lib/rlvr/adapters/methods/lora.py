"""LoRA, PEFT's own: W + (alpha / rank) B A with A Kaiming-uniform and B zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr.adapters.family import Family

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from transformers import PreTrainedModel

    from rlvr.plan.settings import TrainSettings


class LowRank(Family):
    """LoRA and relatives that train two factors of a module, beside whatever else they add."""

    family = "lora"
    takes = frozenset({"rank", "alpha", "target_modules"})
    example = {"rank": 2, "alpha": 4, "target_modules": "no_kv"}
    tuner = "LoraModel"
    marks = {"use_dora": False, "use_rslora": False}
    fields = {"rank": "r", "alpha": "lora_alpha", "dropout": "lora_dropout"}
    has_dropout = True

    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PeftModel:
        """The base with LoRA on the target set, as the marks say; without bias."""
        from peft import get_peft_model

        from rlvr.adapters.low_rank import low_rank_config

        return get_peft_model(base, low_rank_config(base, settings, **self.marks))

    def count(self, rows: int, cols: int, module: str, settings: TrainSettings) -> int:
        """A (rank, cols) and B (rows, rank)."""
        return settings.required("rank") * (rows + cols)


class Lora(LowRank):
    """LoRA."""

    name = "lora"
    source = "Hu et al. 2021, arXiv:2106.09685; peft"


METHODS = (Lora(),)
