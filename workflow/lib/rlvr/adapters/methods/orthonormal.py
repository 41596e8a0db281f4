"""LoRA from an orthonormal A_0 and B_0 = 0: LoRA-RLPO, LoRA-RLMO, DCT-LoRA and Wavelet-LoRA.

SOURCE: "Geometry-Preserving Orthonormal Initialization for Low-Rank Adaptation in RLVR", section 5.2 and the ablation
of section 6. From there on they are plain LoRA, so PEFT's layers train, merge and save them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr.adapters.methods.lora import LowRank
from rlvr.adapters.methods.residual import PAPER

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from transformers import PreTrainedModel

    from rlvr.plan.settings import TrainSettings


class Orthonormal(LowRank):
    """LoRA whose A has orthonormal rows.

    Attributes:
        rows: Which ones: right singular vectors of the ``leading`` or ``trailing`` end, ``cosine`` or ``wavelet``.
    """

    fields = {**LowRank.fields, "method": "initialisation"}
    rows: str

    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PeftModel:
        """The base with LoRA on the target set; Wavelet-LoRA draws from torch's global generator, as PEFT does."""
        from peft import get_peft_model

        from rlvr.adapters.low_rank import InitialisedLoraConfig, low_rank_config, open_decomposition
        from rlvr.adapters.orthonormal_rows import set_rows

        config = low_rank_config(base, settings, InitialisedLoraConfig, initialisation=self.name)
        model = get_peft_model(base, config)
        set_rows(model, self.rows, open_decomposition(decomposition))
        return model

    def save_adapter(self, model: PeftModel, folder: Path) -> None:
        """Write the finished adapter as plain LoRA."""
        from rlvr.adapters.orthonormal_rows import save_as_plain_lora

        save_as_plain_lora(model, folder)


class LoraRlpo(Orthonormal):
    """Leading right singular vectors."""

    name = "lora-rlpo"
    source = f"{PAPER}, section 5.2"
    decomposes = True
    rows = "leading"


class LoraRlmo(Orthonormal):
    """Trailing right singular vectors."""

    name = "lora-rlmo"
    source = f"{PAPER}, section 5.2"
    decomposes = True
    rows = "trailing"


class DctLora(Orthonormal):
    """First rows of the cosine transform."""

    name = "dct-lora"
    source = f"{PAPER}, section 6"
    rows = "cosine"


class WaveletLora(Orthonormal):
    """Random combinations of wavelets."""

    name = "wavelet-lora"
    source = f"{PAPER}, section 6"
    rows = "wavelet"


METHODS = (LoraRlpo(), LoraRlmo(), DctLora(), WaveletLora())
