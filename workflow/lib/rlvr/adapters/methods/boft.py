"""BOFT, PEFT's own: the base weight times butterfly factors of block-diagonal rotations (Cayley, starting at identity).

DEVIATION: PEFT replaces any number of factors by one, without a word, where its CUDA extension cannot be compiled; see
``adapters.butterfly``. So the number of factors is the same everywhere. The gain per output that PEFT trains beside the
rotation stays at one: with it the update would not be orthogonal, which is what BOFT is compared for ("Structure Over
Scale", appendix J).

PEFT keeps one dense permutation (inputs x inputs) per factor and module: about 70 GB of float32 for all linear modules
of Qwen3-8B with two factors, on every device. At that size choose `attention`, or one factor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr.adapters.family import Family

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from transformers import PreTrainedModel

    from rlvr.plan.settings import TrainSettings


class Boft(Family):
    """BOFT(m, b), m = ``butterfly_factors``, b = ``block_size``."""

    name = "boft"
    family = "structured"
    takes = frozenset({"block_size", "butterfly_factors", "target_modules"})
    source = "Liu et al. 2023, arXiv:2311.06243; peft"
    example = {"block_size": 4, "butterfly_factors": 2, "target_modules": "no_kv"}
    tuner = "BOFTModel"
    marks = {"boft_block_num": 0}
    fields = {"block_size": "boft_block_size", "butterfly_factors": "boft_n_butterfly_factor"}
    frozen = ("boft_s",)
    exports = True

    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PeftModel:
        """The base with butterfly factors on the target set.

        Raises:
            InputError: If the blocks do not tile the inputs of a target.
        """
        from rlvr.adapters.butterfly import attach_butterflies
        from rlvr.adapters.linears import target_names

        targets = target_names(base, settings.required("target_modules"))
        model = attach_butterflies(
            base, targets, settings.required("block_size"), settings.required("butterfly_factors")
        )
        for name, parameter in model.named_parameters():
            if "boft_s" in name:
                parameter.requires_grad_(False)
        return model

    def count(self, rows: int, cols: int, module: str, settings: TrainSettings) -> int:
        """Every factor's blocks (cols / b, b, b), of which PEFT takes the skew-symmetric part."""
        return settings.required("butterfly_factors") * cols * settings.required("block_size")

    def load_adapter(self, base: PreTrainedModel, folder: Path) -> PeftModel:
        """A base with a finished adapter; plain PEFT makes one factor of it on a machine without the extension."""
        from peft import PeftModel

        from rlvr.adapters.butterfly import butterfly_layers

        with butterfly_layers():
            return PeftModel.from_pretrained(base, str(folder))


METHODS = (Boft(),)
