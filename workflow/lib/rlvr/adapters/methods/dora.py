"""DoRA, PEFT's own: LoRA with one trained magnitude for every output feature."""

from peft import PeftModel, get_peft_model
from transformers import PreTrainedModel

from rlvr.adapters.methods.lora import low_rank_config
from rlvr.plan.settings import TrainSettings


def attach(base: PreTrainedModel, settings: TrainSettings) -> PeftModel:
    """The base with DoRA on the target set; without dropout or bias."""
    return get_peft_model(base, low_rank_config(base, settings, use_dora=True))
