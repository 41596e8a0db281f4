"""IA3, PEFT's own: a gain of one for every output feature, of ``down_proj`` for every input feature.

Liu et al. rescale keys, values and the hidden activation of the feed-forward layers: that is the target set
``kv_down``. In a gated layer the hidden activation is what ``down_proj`` reads, so its gain is on the inputs.
"""

from peft import IA3Config, PeftModel, get_peft_model
from transformers import PreTrainedModel

from rlvr.adapters.methods.linears import target_names
from rlvr.plan.settings import TrainSettings

SCALED_AT_INPUT = frozenset({"down_proj"})


def attach(base: PreTrainedModel, settings: TrainSettings) -> PeftModel:
    """The base with gains of one on the target set."""
    targets = target_names(base, settings.required("target_modules"))
    config = IA3Config(
        task_type="CAUSAL_LM",
        target_modules=targets,
        feedforward_modules=[name for name in targets if name in SCALED_AT_INPUT],
    )
    return get_peft_model(base, config)
