"""MoRA, our own tuner: one square matrix with as many parameters as LoRA of the same rank."""

from peft import PeftModel, get_peft_model
from transformers import PreTrainedModel

from rlvr.adapters.methods.linears import check_rank, target_names
from rlvr.adapters.mora import MoraConfig
from rlvr.plan.settings import TrainSettings


def attach(base: PreTrainedModel, settings: TrainSettings) -> PeftModel:
    """The base with MoRA on the target set.

    Raises:
        InputError: If the rank, or the side of the square matrix, is above a side of a target's weight.
    """
    rank, targets = settings.required("rank"), target_names(base, settings.required("target_modules"))
    check_rank(base, targets, rank)
    return get_peft_model(base, MoraConfig(task_type="CAUSAL_LM", r=rank, target_modules=targets))
