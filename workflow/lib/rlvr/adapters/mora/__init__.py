"""MoRA as a PEFT tuner, which PEFT lacks. Importing this package registers the type ``MORA`` with PEFT."""

from rlvr.adapters.mora.mora_layer import MoraLayer, MoraLinear
from rlvr.adapters.mora.mora_tuner import MoraConfig, MoraModel
from rlvr.adapters.peft_tuner import register

register(MoraConfig, MoraModel)

__all__ = ["MoraConfig", "MoraLayer", "MoraLinear", "MoraModel"]
