"""The tuner that puts QuanTA layers into a model."""

from typing import Any, ClassVar

from peft.tuners.tuners_utils import BaseTuner
from torch import nn

from rlvr.core.errors import InputError
from rlvr.train.quanta.config import QuantaConfig
from rlvr.train.quanta.layer import QuantaLayer, QuantaLinear


class QuantaModel(BaseTuner):
    """A model whose target modules carry QuanTA updates."""

    prefix = "quanta_"
    tuner_layer_cls = QuantaLayer
    target_module_mapping: ClassVar[dict[str, list[str]]] = {}  # no silent defaults: a configuration names its targets

    def _create_and_replace(
        self,
        peft_config: QuantaConfig,
        adapter_name: str,
        target: nn.Module,
        target_name: str,
        parent: nn.Module,
        current_key: str,
        **_: Any,
    ) -> None:
        """Wrap one matched module, or add an adapter to it; called by PEFT."""
        inference_mode = peft_config.inference_mode or adapter_name not in self.active_adapters
        if isinstance(target, QuantaLayer):
            target.update_layer(adapter_name, peft_config.dims, current_key, inference_mode=inference_mode)
            return
        if not isinstance(target, nn.Linear):
            problem = f"is a {type(target).__name__}."
            raise InputError(f"module '{current_key}'", problem, "QuanTA adapts nn.Linear; change target_modules.")
        layer = QuantaLinear(target, adapter_name, peft_config.dims, current_key, inference_mode=inference_mode)
        self._replace_module(parent, target_name, layer, target)
