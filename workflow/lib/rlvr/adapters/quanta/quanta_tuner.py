"""QuanTA for PEFT: its configuration, and the tuner that puts its layers into a model."""

from dataclasses import dataclass, field

from rlvr.adapters.peft_tuner import LinearConfig, LinearTuner
from rlvr.adapters.quanta.quanta_layer import QuantaLayer, QuantaLinear


@dataclass
class QuantaConfig(LinearConfig):
    """Configuration of a QuanTA adapter: what the tuner needs beside the gates.

    Attributes:
        dims: Sizes of the axes; their product is the inputs or the outputs of every adapted module.
    """

    type_name = "QUANTA"

    dims: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.dims = list(self.dims)


class QuantaModel(LinearTuner):
    """A model whose target modules carry QuanTA updates."""

    prefix = "quanta_"
    tuner_layer_cls = QuantaLayer
    title, layer_cls, size_field = "QuanTA", QuantaLinear, "dims"
