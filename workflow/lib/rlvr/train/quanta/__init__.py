"""QuanTA as a PEFT tuner. Importing this package registers the type ``QUANTA`` with PEFT.

PEFT's own registration needs a member of a closed enumeration; its tables take a plain string just as well.
"""

from peft import mapping

from rlvr.train.quanta.config import PEFT_TYPE, QuantaConfig
from rlvr.train.quanta.layer import QuantaLayer, QuantaLinear
from rlvr.train.quanta.model import QuantaModel

mapping.PEFT_TYPE_TO_CONFIG_MAPPING[PEFT_TYPE] = QuantaConfig
mapping.PEFT_TYPE_TO_TUNER_MAPPING[PEFT_TYPE] = QuantaModel
mapping.PEFT_TYPE_TO_PREFIX_MAPPING[PEFT_TYPE] = QuantaModel.prefix

__all__ = ["QuantaConfig", "QuantaLayer", "QuantaLinear", "QuantaModel"]
