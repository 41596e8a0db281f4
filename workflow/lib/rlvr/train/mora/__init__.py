"""MoRA as a PEFT tuner, which PEFT lacks. Importing this package registers the type ``MORA`` with PEFT."""

from rlvr.train.mora.layer import MoraLayer, MoraLinear
from rlvr.train.mora.tuner import MoraConfig, MoraModel
from rlvr.train.tuner import register

register(MoraConfig, MoraModel)

__all__ = ["MoraConfig", "MoraLayer", "MoraLinear", "MoraModel"]
