"""MoRA, our own tuner: one square matrix with as many parameters as LoRA of the same rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr.adapters.family import Family

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from transformers import PreTrainedModel

    from rlvr.plan.settings import TrainSettings


class Mora(Family):
    """A square matrix between fixed operators."""

    name = "mora"
    family = "structured"
    takes = frozenset({"rank", "target_modules"})
    source = "Jiang et al. 2024, arXiv:2405.12130, with rotation; rlvr.adapters.mora"
    example = {"rank": 2, "target_modules": "no_kv"}
    tuner = "MoraModel"
    fields = {"rank": "r"}
    exports = True

    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PeftModel:
        """The base with MoRA on the target set.

        Raises:
            InputError: If the rank, or the side of the square matrix, is above a side of a target's weight.
        """
        from peft import get_peft_model

        from rlvr.adapters.linears import check_rank, target_names
        from rlvr.adapters.mora import MoraConfig

        rank, targets = settings.required("rank"), target_names(base, settings.required("target_modules"))
        check_rank(base, targets, rank)
        return get_peft_model(base, MoraConfig(task_type="CAUSAL_LM", r=rank, target_modules=targets))

    def count(self, rows: int, cols: int, module: str, settings: TrainSettings) -> int:
        """The square of the side."""
        from rlvr.adapters.square import side

        return side(settings.required("rank"), rows, cols) ** 2


METHODS = (Mora(),)
