"""MoRA as a PEFT tuner, which PEFT lacks. Importing this package registers the type ``MORA`` with PEFT."""

import peft  # noqa: F401 - before our own modules, which would be half imported when PEFT's end registers both

from rlvr.adapters.mora.mora_layer import MoraLayer, MoraLinear
from rlvr.adapters.mora.mora_tuner import MoraConfig, MoraModel
from rlvr.adapters.peft_tuner import register

register(MoraConfig, MoraModel)

__all__ = ["MoraConfig", "MoraLayer", "MoraLinear", "MoraModel"]
