"""The tuner that puts QuanTA layers into a model."""

from typing import Any

from peft.tuners.tuners_utils import BaseTuner
from torch import nn

from rlvr.core.errors import InputError
from rlvr.train.quanta.layer import QuantaLayer, QuantaLinear


class QuantaModel(BaseTuner):
    """A model whose target modules carry QuanTA updates."""

    prefix = "quanta_"
    tuner_layer_cls = QuantaLayer
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
        if isinstance(target, QuantaLayer):
            target.update_layer(adapter_name, peft_config.dims, current_key, inference_mode=inference_mode)
            return
        if not isinstance(target, nn.Linear):
            problem = f"is a {type(target).__name__}."
            raise InputError(f"module '{current_key}'", problem, "QuanTA adapts nn.Linear; change target_modules.")
        layer = QuantaLinear(target, adapter_name, peft_config.dims, current_key, inference_mode=inference_mode)
        self._replace_module(parent, target_name, layer, target)
