"""rsLoRA, PEFT's own: LoRA scaled by alpha / sqrt(rank) instead of alpha / rank."""

from peft import PeftModel, get_peft_model
from transformers import PreTrainedModel

from rlvr.adapters.methods.lora import low_rank_config
from rlvr.plan.settings import TrainSettings


def attach(base: PreTrainedModel, settings: TrainSettings) -> PeftModel:
    """The base with LoRA on the target set, scaled by alpha / sqrt(rank).

    A scale that divides ranks and alphas by d divides this scaling by sqrt(d), while it leaves that of LoRA as it is.
    """
    return get_peft_model(base, low_rank_config(base, settings, use_rslora=True))
