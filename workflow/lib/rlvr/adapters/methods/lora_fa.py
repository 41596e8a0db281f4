"""LoRA-FA: LoRA whose A stays as drawn.

SOURCE: Zhang et al. 2023 and the table of methods of "Evaluating Parameter Efficient Methods for RLVR": A frozen, B
trained. DEVIATION from PEFT's ``create_lorafa_optimizer``, which goes beyond that: it multiplies the gradient of B by
(r / alpha)^2 (A A^T)^-1, rounds that product to bfloat16 wherever the machine can, and has an epsilon of its own, so
that a comparison of methods would compare optimizers, too. Here B has the optimizer of every other method.
"""

from peft import PeftModel
from transformers import PreTrainedModel

from rlvr.adapters.methods import lora
from rlvr.plan.settings import TrainSettings


def attach(base: PreTrainedModel, settings: TrainSettings) -> PeftModel:
    """The base with LoRA on the target set, A frozen."""
    model = lora.attach(base, settings)
    for name, parameter in model.named_parameters():
        if "lora_A" in name:
            parameter.requires_grad_(False)
    return model
