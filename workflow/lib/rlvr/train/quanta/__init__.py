"""QuanTA as a PEFT tuner, which PEFT lacks. Importing this package registers the type ``QUANTA`` with PEFT."""

from rlvr.train.quanta.layer import QuantaLayer, QuantaLinear
from rlvr.train.quanta.tuner import QuantaConfig, QuantaModel
from rlvr.train.tuner import register

register(QuantaConfig, QuantaModel)

__all__ = ["QuantaConfig", "QuantaLayer", "QuantaLinear", "QuantaModel"]
