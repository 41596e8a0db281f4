"""IA3, PEFT's own: a gain of one for every output feature, of ``down_proj`` for every input feature.

Liu et al. rescale keys, values and the hidden activation of the feed-forward layers: that is the target set
``kv_down``. In a gated layer the hidden activation is what ``down_proj`` reads, so its gain is on the inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr.adapters.family import Family

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from transformers import PreTrainedModel

    from rlvr.plan.settings import TrainSettings

SCALED_AT_INPUT = frozenset({"down_proj"})


class Ia3(Family):
    """Gains of the target set."""

    name = "ia3"
    family = "vectors"
    takes = frozenset({"target_modules"})
    source = "Liu et al. 2022, arXiv:2205.05638; peft"
    example = {"target_modules": "kv_down"}
    tuner = "IA3Model"
    exports = True

    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PeftModel:
        """The base with gains of one on the target set."""
        from peft import IA3Config, get_peft_model

        from rlvr.adapters.linears import target_names

        targets = target_names(base, settings.required("target_modules"))
        config = IA3Config(
            task_type="CAUSAL_LM",
            target_modules=targets,
            feedforward_modules=[name for name in targets if name in SCALED_AT_INPUT],
        )
        return get_peft_model(base, config)

    def count(self, rows: int, cols: int, module: str, settings: TrainSettings) -> int:
        """A gain per output, or per input."""
        return cols if module.rpartition(".")[2] in SCALED_AT_INPUT else rows


METHODS = (Ia3(),)
