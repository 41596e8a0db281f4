"""QuanTA, our own tuner: T(theta) - T(theta_0) with one gate for every pair of axes."""

from peft import PeftModel, get_peft_model
from transformers import PreTrainedModel

from rlvr.adapters.methods.linears import target_names
from rlvr.adapters.quanta import QuantaConfig
from rlvr.plan.settings import TrainSettings


def attach(base: PreTrainedModel, settings: TrainSettings) -> PeftModel:
    """The base with QuanTA on the target set."""
    dims, targets = list(settings.required("dims")), target_names(base, settings.required("target_modules"))
    return get_peft_model(base, QuantaConfig(task_type="CAUSAL_LM", dims=dims, target_modules=targets))
