"""MoRA as a PEFT tuner, which PEFT lacks. Importing this package registers the type ``MORA`` with PEFT."""

from typing import Any

from peft import mapping

from rlvr.train.mora.layer import MoraLayer, MoraLinear
from rlvr.train.mora.tuner import PEFT_TYPE, MoraConfig, MoraModel

KEY: Any = PEFT_TYPE  # PEFT's tables are declared for members of its closed enumeration; plain strings work as well
mapping.PEFT_TYPE_TO_CONFIG_MAPPING[KEY] = MoraConfig
mapping.PEFT_TYPE_TO_TUNER_MAPPING[KEY] = MoraModel
mapping.PEFT_TYPE_TO_PREFIX_MAPPING[KEY] = MoraModel.prefix

__all__ = ["MoraConfig", "MoraLayer", "MoraLinear", "MoraModel"]
