"""DoRA, PEFT's own: LoRA with one trained magnitude for every output feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr.adapters.methods.lora import LowRank

if TYPE_CHECKING:
    from rlvr.plan.settings import TrainSettings


class Dora(LowRank):
    """LoRA on directions, with magnitudes."""

    name = "dora"
    source = "Liu et al. 2024, arXiv:2402.09353; peft"
    marks = {"use_dora": True, "use_rslora": False}

    def count(self, rows: int, cols: int, module: str, settings: TrainSettings) -> int:
        """LoRA's factors and a magnitude per row."""
        return super().count(rows, cols, module, settings) + rows


METHODS = (Dora(),)
