"""MiSS, PEFT's own: one matrix D (rank x out) added to every block of ``rank`` input columns; D starts at zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr.adapters.family import Family

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from transformers import PreTrainedModel

    from rlvr.plan.settings import TrainSettings


class Miss(Family):
    """One block, repeated over the inputs."""

    name = "miss"
    family = "structured"
    takes = frozenset({"rank", "target_modules"})
    source = "Kang and Yin 2024, arXiv:2409.15371; peft"
    example = {"rank": 3, "target_modules": "no_kv"}  # does not divide the inputs
    tuner = "MissModel"
    marks = {"init_weights": True}
    fields = {"rank": "r", "dropout": "miss_dropout"}
    exports = True
    has_dropout = True

    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PeftModel:
        """The base with MiSS on the target set; a last block narrower than the rank takes the first rows of D.

        Raises:
            InputError: If the rank is above that of a target's weight.
        """
        from peft import MissConfig, get_peft_model

        from rlvr.adapters.linears import check_rank, target_names

        rank, targets = settings.required("rank"), target_names(base, settings.required("target_modules"))
        check_rank(base, targets, rank)
        config = MissConfig(
            task_type="CAUSAL_LM", r=rank, miss_dropout=settings.dropout, bias="none", target_modules=targets
        )
        return get_peft_model(base, config)

    def count(self, rows: int, cols: int, module: str, settings: TrainSettings) -> int:
        """D."""
        return settings.required("rank") * rows


METHODS = (Miss(),)
