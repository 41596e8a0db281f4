"""LoRA, PEFT's own: W + (alpha / rank) B A with A Kaiming-uniform and B zero."""

from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from rlvr.adapters.methods.linears import check_rank, target_names
from rlvr.plan.settings import TrainSettings


def attach(base: PreTrainedModel, settings: TrainSettings) -> PeftModel:
    """The base with LoRA on the target set; without dropout or bias."""
    return get_peft_model(base, low_rank_config(base, settings))


def low_rank_config(
    base: PreTrainedModel, settings: TrainSettings, kind: type[LoraConfig] = LoraConfig, **changes: Any
) -> LoraConfig:
    """What all relatives of LoRA share; ``changes`` is what one of them adds, ``kind`` the class that knows it.

    Raises:
        InputError: If the rank is above that of a target's weight.
    """
    rank, targets = settings.required("rank"), target_names(base, settings.required("target_modules"))
    check_rank(base, targets, rank)
    return kind(
        task_type="CAUSAL_LM",
        r=rank,
        lora_alpha=settings.required("alpha"),
        lora_dropout=0.0,  # ASSUME: not printed
        bias="none",
        target_modules=targets,
        **changes,
    )
