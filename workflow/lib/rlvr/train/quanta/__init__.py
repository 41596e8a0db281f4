"""QuanTA as a PEFT tuner. Importing this package registers the type ``QUANTA`` with PEFT.

PEFT's own registration needs a member of a closed enumeration; its tables take a plain string just as well.
"""

from typing import Any

from peft import mapping

from rlvr.train.quanta.config import PEFT_TYPE, QuantaConfig
from rlvr.train.quanta.layer import QuantaLayer, QuantaLinear
from rlvr.train.quanta.model import QuantaModel

KEY: Any = PEFT_TYPE  # the tables are declared for members of the enumeration only
mapping.PEFT_TYPE_TO_CONFIG_MAPPING[KEY] = QuantaConfig
mapping.PEFT_TYPE_TO_TUNER_MAPPING[KEY] = QuantaModel
mapping.PEFT_TYPE_TO_PREFIX_MAPPING[KEY] = QuantaModel.prefix

__all__ = ["QuantaConfig", "QuantaLayer", "QuantaLinear", "QuantaModel"]
