"""QuanTA as a PEFT tuner, which PEFT lacks. Importing this package registers the type ``QUANTA`` with PEFT."""

import peft  # noqa: F401 - before our own modules, which would be half imported when PEFT's end registers both

from rlvr.adapters.peft_tuner import register
from rlvr.adapters.quanta.quanta_layer import QuantaLayer, QuantaLinear
from rlvr.adapters.quanta.quanta_tuner import QuantaConfig, QuantaModel

register(QuantaConfig, QuantaModel)

__all__ = ["QuantaConfig", "QuantaLayer", "QuantaLinear", "QuantaModel"]
