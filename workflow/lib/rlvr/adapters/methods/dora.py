"""DoRA, PEFT's own: LoRA with one trained magnitude for every output feature.

PEFT takes the magnitudes from row norms in the type of the base, but divides by norms in that of the factors: on a
bfloat16 base the untrained model is then not the base, and what is measured as its update is rounding (relative norm
1e-3, of high rank). Here the magnitudes are the norms that the forward pass divides by, so the start is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr.adapters.methods.lora import LowRank

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from transformers import PreTrainedModel

    from rlvr.plan.settings import TrainSettings


class Dora(LowRank):
    """LoRA on directions, with magnitudes."""

    name = "dora"
    source = "Liu et al. 2024, arXiv:2402.09353; peft"
    marks = {"use_dora": True, "use_rslora": False}

    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PeftModel:
        """The base with DoRA on the target set, every magnitude the norm of its row in float32.

        Raises:
            InputError: If the rank is above that of a target's weight, or a row of a weight is zero.
        """
        from rlvr.adapters.linears import target_names
        from rlvr.adapters.magnitudes import check_rows, set_magnitudes

        check_rows(base, target_names(base, settings.required("target_modules")))
        model = super().attach(base, settings)
        set_magnitudes(model)
        return model

    def count(self, rows: int, cols: int, module: str, settings: TrainSettings) -> int:
        """LoRA's factors and a magnitude per row."""
        return super().count(rows, cols, module, settings) + rows


METHODS = (Dora(),)
