"""MoRA for PEFT: its configuration, and the tuner that puts its layers into a model."""

from dataclasses import dataclass
from typing import Any

from peft import PeftConfig
from peft.tuners.tuners_utils import BaseTuner
from torch import nn

from rlvr.core.errors import InputError
from rlvr.train.mora.layer import MoraLayer, MoraLinear

PEFT_TYPE = "MORA"


@dataclass
class MoraConfig(PeftConfig):
    """Configuration, stored as ``adapter_config.json``.

    Attributes:
        r: Rank of the LoRA that has as many parameters.
        target_modules: Qualified names or suffixes of the modules to adapt; never chosen by default.
        exclude_modules: Names to leave out; PEFT reads it.
        layers_to_transform: Indices of the layers to adapt, all by default; PEFT reads it.
        layers_pattern: Name of the list of layers; PEFT reads it.
        bias: Only "none"; PEFT reads it.
        modules_to_save: Further modules that are trained and saved whole; PEFT reads it.
    """

    r: int = 8
    target_modules: list[str] | set[str] | str | None = None
    exclude_modules: list[str] | str | None = None
    layers_to_transform: list[int] | int | None = None
    layers_pattern: list[str] | str | None = None
    bias: str = "none"
    modules_to_save: list[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.peft_type = PEFT_TYPE
        if isinstance(self.target_modules, list):
            self.target_modules = set(self.target_modules)


class MoraModel(BaseTuner):
    """A model whose target modules carry MoRA updates."""

    prefix = "mora_"
    tuner_layer_cls = MoraLayer
    target_module_mapping: dict[str, list[str]] = {}  # noqa: RUF012 - no silent defaults; PEFT's own declaration

    def _create_and_replace(
        self,
        peft_config: Any,
        adapter_name: str,
        target: nn.Module,
        target_name: str,
        parent: nn.Module,
        current_key: str,
        parameter_name: str | None = None,
    ) -> None:
        """Wrap one matched module, or add an adapter to it; called by PEFT."""
        inference_mode = peft_config.inference_mode or adapter_name not in self.active_adapters
        if isinstance(target, MoraLayer):
            target.update_layer(adapter_name, peft_config.r, current_key, inference_mode=inference_mode)
            return
        if not isinstance(target, nn.Linear):
            problem = f"is a {type(target).__name__}."
            raise InputError(f"module '{current_key}'", problem, "MoRA adapts nn.Linear; change target_modules.")
        layer = MoraLinear(target, adapter_name, peft_config.r, current_key, inference_mode=inference_mode)
        self._replace_module(parent, target_name, layer, target)
