"""Configuration of the QuanTA tuner, stored as ``adapter_config.json``."""

from dataclasses import dataclass, field

from peft import PeftConfig

PEFT_TYPE = "QUANTA"


@dataclass
class QuantaConfig(PeftConfig):
    """What the tuner needs beside the gates.

    Attributes:
        dims: Sizes of the axes; their product is the inputs or the outputs of every adapted module.
        target_modules: Qualified names or suffixes of the modules to adapt; never chosen by default.
        exclude_modules: Names to leave out; PEFT reads it.
        layers_to_transform: Indices of the layers to adapt, all by default; PEFT reads it.
        layers_pattern: Name of the list of layers; PEFT reads it.
        bias: Only "none"; PEFT reads it.
        modules_to_save: Further modules that are trained and saved whole; PEFT reads it.
    """

    dims: list[int] = field(default_factory=list)
    target_modules: list[str] | set[str] | str | None = None
    exclude_modules: list[str] | str | None = None
    layers_to_transform: list[int] | int | None = None
    layers_pattern: list[str] | str | None = None
    bias: str = "none"
    modules_to_save: list[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.peft_type = PEFT_TYPE
        self.dims = list(self.dims)
        if isinstance(self.target_modules, list):
            self.target_modules = set(self.target_modules)
