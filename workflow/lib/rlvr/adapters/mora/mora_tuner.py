"""MoRA for PEFT: its configuration, and the tuner that puts its layers into a model."""

from dataclasses import dataclass

from rlvr.adapters.mora.mora_layer import MoraLayer, MoraLinear
from rlvr.adapters.peft_tuner import LinearConfig, LinearTuner


@dataclass
class MoraConfig(LinearConfig):
    """Configuration of a MoRA adapter.

    Attributes:
        r: Rank of the LoRA that has as many parameters.
    """

    type_name = "MORA"

    r: int = 8


class MoraModel(LinearTuner):
    """A model whose target modules carry MoRA updates."""

    prefix = "mora_"
    tuner_layer_cls = MoraLayer
    title, layer_cls, size_field = "MoRA", MoraLinear, "r"
