"""LoRA from factors that are not zero: PiSSA, MiLoRA, OLoRA and OLoRA-tail.

The effective weight is W_0 + s (B A - B_0 A_0), s = alpha / rank. Others put the residual W_0 - s B_0 A_0 in the place
of the base; here the base stays as it is and the start is a pair of buffers, so that the base's hash holds, the model
with its adapter off is the base (the reference of a KL term), a bfloat16 base is not rounded again, and a file of the
adapter never depends on a second decomposition. The update is formed as (B - B_0) A + B_0 (A - A_0): exactly zero at
the start, without the cancellation of two large products.

A finished adapter is written as plain LoRA of twice the rank on the original base, which any PEFT reads. A checkpoint
holds the factors and their start; PEFT alone refuses to load it, for it does not know the initialisation.

SOURCE: "Geometry-Preserving Orthonormal Initialization", equations 3, 4 and 7 and the one after 8.
DEVIATION: OLoRA there is from singular vectors, as here; PEFT's "olora" takes the factors of a QR decomposition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr.adapters.methods.lora import LowRank

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from transformers import PreTrainedModel

    from rlvr.plan.settings import TrainSettings

PAPER = "Geometry-Preserving Orthonormal Initialization for Low-Rank Adaptation in RLVR"


class Residual(LowRank):
    """LoRA measured from a start of singular triples.

    Attributes:
        end: Which triples, ``leading`` or ``trailing``.
        with_values: Whether their values are split between both factors; without them both are orthonormal.
    """

    fields = {**LowRank.fields, "method": "initialisation"}
    decomposes = True
    end: str
    with_values: bool

    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PeftModel:
        """The base with LoRA on the target set, both factors from singular triples of the weights."""
        from rlvr.adapters.low_rank import open_decomposition
        from rlvr.adapters.residual_layer import attach_residual

        return attach_residual(base, settings, self.end, self.with_values, open_decomposition(decomposition))

    def save_adapter(self, model: PeftModel, folder: Path) -> None:
        """Write the finished adapter as plain LoRA of twice the rank on the original base."""
        from rlvr.adapters.residual_layer import save_as_plain_lora

        save_as_plain_lora(model, folder)


class Pissa(Residual):
    """Leading triples with their values."""

    name = "pissa"
    source = "Meng et al. 2024, arXiv:2404.02948"
    end = "leading"
    with_values = True


class Milora(Residual):
    """Trailing triples with their values."""

    name = "milora"
    source = "Wang et al. 2024, arXiv:2406.09044"
    end = "trailing"
    with_values = True


class Olora(Residual):
    """Leading singular vectors."""

    name = "olora"
    source = f"{PAPER}, equation 7, after arXiv:2406.01775"
    end = "leading"
    with_values = False


class OloraTail(Residual):
    """Trailing singular vectors."""

    name = "olora-tail"
    source = f"{PAPER}, section 4"
    end = "trailing"
    with_values = False


METHODS = (Pissa(), Milora(), Olora(), OloraTail())
