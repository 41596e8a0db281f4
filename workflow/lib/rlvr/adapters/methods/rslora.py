"""rsLoRA, PEFT's own: LoRA scaled by alpha / sqrt(rank) instead of alpha / rank.

A scale that divides ranks and alphas by d divides this scaling by sqrt(d), while it leaves that of LoRA as it is.
"""

from rlvr.adapters.methods.lora import LowRank


class Rslora(LowRank):
    """LoRA scaled by alpha / sqrt(rank)."""

    name = "rslora"
    source = "Kalajdzievski 2023, arXiv:2312.03732; peft"
    marks = {"use_dora": False, "use_rslora": True}


METHODS = (Rslora(),)
