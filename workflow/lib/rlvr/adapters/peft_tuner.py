"""Parts that our own PEFT tuners share, QuanTA and MoRA: an update beside ``nn.Linear``, merged with one rounding.

A tuner brings a configuration, a state of its adapters on one module, a layer, and the model that PEFT asks for; the
parts here do not know what an update is.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from peft import PeftConfig, mapping
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer, check_adapters_to_merge
from torch import Tensor, nn

from rlvr.core.errors import InputError


@dataclass
class LinearConfig(PeftConfig):
    """Configuration, stored as ``adapter_config.json``; a tuner adds the size of its update.

    Attributes:
        target_modules: Qualified names or suffixes of the modules to adapt; never chosen by default.
        exclude_modules: Names to leave out; PEFT reads it.
        layers_to_transform: Indices of the layers to adapt, all by default; PEFT reads it.
        layers_pattern: Name of the list of layers; PEFT reads it.
        bias: Only "none"; PEFT reads it.
        modules_to_save: Further modules that are trained and saved whole; PEFT reads it.
    """

    type_name: ClassVar[str]

    target_modules: list[str] | set[str] | str | None = None
    exclude_modules: list[str] | str | None = None
    layers_to_transform: list[int] | int | None = None
    layers_pattern: list[str] | str | None = None
    bias: str = "none"
    modules_to_save: list[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.peft_type = self.type_name
        if isinstance(self.target_modules, list):
            self.target_modules = set(self.target_modules)


class UpdatedLinear(nn.Module, BaseTunerLayer):
    """``nn.Linear`` with the updates of its adapters; a layer also inherits from the state of its tuner.

    The state has ``update_layer``, ``has_update``, ``get_delta_weight`` and ``add_update``.
    """

    base_layer: nn.Linear
    update_layer: Any
    has_update: Any
    get_delta_weight: Any
    add_update: Any

    def merge(self, safe_merge: bool = False, adapter_names: list[str] | None = None) -> None:
        """Add the update to the base weight, accumulated in float32 and cast once.

        Args:
            safe_merge: Put a new tensor in the place of the weight, which stays as it was; refuse non-finite values.
            adapter_names: Adapters to merge; the active ones by default.

        Raises:
            ValueError: If ``safe_merge`` meets a non-finite value.
        """
        for name in check_adapters_to_merge(self, adapter_names):
            weight = self.base_layer.weight
            merged = self._shifted(name, 1.0)
            if safe_merge and not torch.isfinite(merged).all():
                raise ValueError(f"NaNs detected in the merged weights. The adapter {name} seems to be broken")
            if safe_merge:
                weight.data = merged
            else:
                weight.data.copy_(merged)
            self.merged_adapters.append(name)

    def unmerge(self) -> None:
        """Subtract what was merged; exact up to the rounding of the base's dtype."""
        while self.merged_adapters:
            name = self.merged_adapters.pop()
            self.base_layer.weight.data.copy_(self._shifted(name, -1.0))

    @torch.no_grad()
    def _shifted(self, adapter: str, sign: float) -> Tensor:
        weight = self.base_layer.weight
        delta: Tensor = self.get_delta_weight(adapter)
        return (weight.to(torch.promote_types(weight.dtype, delta.dtype)) + sign * delta).to(weight.dtype)

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """The base module's output plus the active adapters' updates."""
        if self.disable_adapters and self.merged:
            self.unmerge()
        result: Tensor = self.base_layer(x, *args, **kwargs)
        if self.disable_adapters or self.merged:
            return result
        for name in self.active_adapters:
            if self.has_update(name):
                result = self.add_update(result, x, name)
        return result


class LinearTuner(BaseTuner):
    """A model whose target modules carry updates of one kind.

    Attributes:
        title: What a message calls the method.
        layer_cls: Its layer, made from (module, adapter, size, name of the module).
        size_field: Field of the configuration that sizes the update.
    """

    title: ClassVar[str]
    layer_cls: ClassVar[Any]
    size_field: ClassVar[str]
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
        size = getattr(peft_config, self.size_field)
        inference_mode = peft_config.inference_mode or adapter_name not in self.active_adapters
        if isinstance(target, self.layer_cls):
            target.update_layer(adapter_name, size, current_key, inference_mode=inference_mode)
            return
        if not isinstance(target, nn.Linear):
            problem = f"is a {type(target).__name__}."
            raise InputError(
                f"module '{current_key}'", problem, f"{self.title} adapts nn.Linear; change target_modules."
            )
        layer = self.layer_cls(target, adapter_name, size, current_key, inference_mode=inference_mode)
        self._replace_module(parent, target_name, layer, target)


def register(config: type[LinearConfig], tuner: type[LinearTuner]) -> None:
    """Tell PEFT of a tuner.

    PEFT's own registration needs a member of a closed enumeration; its tables take a plain string just as well.
    """
    key: Any = config.type_name
    mapping.PEFT_TYPE_TO_CONFIG_MAPPING[key] = config
    mapping.PEFT_TYPE_TO_TUNER_MAPPING[key] = tuner
    mapping.PEFT_TYPE_TO_PREFIX_MAPPING[key] = tuner.prefix
