"""QuanTA, our own tuner: T(theta) - T(theta_0) with one gate for every pair of axes."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from rlvr.adapters.family import Family

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from transformers import PreTrainedModel

    from rlvr.plan.settings import TrainSettings


class Quanta(Family):
    """Gates between the axes of a reshaped vector."""

    name = "quanta"
    family = "structured"
    takes = frozenset({"axes", "target_modules"})
    source = "Chen et al. 2024, arXiv:2406.00132; rlvr.adapters.quanta"
    example = {"axes": 3, "target_modules": "no_kv"}
    tuner = "QuantaModel"
    fields = {"dims": "dims"}

    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PeftModel:
        """The base with QuanTA on the target set.

        Raises:
            InputError: If the product of the dims is neither side of a target's weight.
        """
        from peft import get_peft_model

        from rlvr.adapters.linears import target_names
        from rlvr.adapters.quanta import QuantaConfig

        dims, targets = list(settings.required("dims")), target_names(base, settings.required("target_modules"))
        return get_peft_model(base, QuantaConfig(task_type="CAUSAL_LM", dims=dims, target_modules=targets))

    def count(self, rows: int, cols: int, module: str, settings: TrainSettings) -> int:
        """A square gate for every pair of axes."""
        return sum((one * other) ** 2 for one, other in combinations(settings.required("dims"), 2))


METHODS = (Quanta(),)
