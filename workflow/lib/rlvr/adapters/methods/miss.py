"""MiSS, PEFT's own: one matrix D (rank x out) added to every block of ``rank`` input columns; D starts at zero."""

from peft import MissConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from rlvr.adapters.methods.linears import check_rank, target_names
from rlvr.plan.settings import TrainSettings


def attach(base: PreTrainedModel, settings: TrainSettings) -> PeftModel:
    """The base with MiSS on the target set; a last block narrower than the rank takes the first rows of D.

    Raises:
        InputError: If the rank is above that of a target's weight.
    """
    rank, targets = settings.required("rank"), target_names(base, settings.required("target_modules"))
    check_rank(base, targets, rank)
    config = MissConfig(task_type="CAUSAL_LM", r=rank, miss_dropout=0.0, bias="none", target_modules=targets)
    return get_peft_model(base, config)
