"""LoRA+: LoRA whose B learns ``rate_ratio`` times faster than its A; PEFT's own optimizer groups."""

from collections.abc import Mapping
from typing import Any

from peft import PeftModel
from peft.optimizers import create_loraplus_optimizer
from torch.optim import Optimizer

from rlvr.adapters.methods.lora import attach
from rlvr.plan.settings import TrainSettings

__all__ = ["attach", "optimizer"]


def optimizer(
    model: PeftModel, settings: TrainSettings, optimizer_class: type[Optimizer], arguments: Mapping[str, Any]
) -> Optimizer:
    """The run's optimizer with group A at the run's rate and group B at ``rate_ratio`` times that.

    Schedules scale both groups alike; the logged rate is that of A. PEFT's empty groups (embeddings, biases) are left
    out.

    Args:
        model: With LoRA attached.
        settings: Of the run.
        optimizer_class: What every other method trains with.
        arguments: Its arguments: ``lr``, betas, eps.
    """
    made = create_loraplus_optimizer(
        model,
        optimizer_class,
        loraplus_lr_ratio=settings.required("rate_ratio"),
        loraplus_weight_decay=settings.weight_decay,
        **arguments,
    )
    made.param_groups = [group for group in made.param_groups if group["params"]]
    return made
