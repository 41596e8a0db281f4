"""Full fine-tuning: every weight of the base is trained."""

from transformers import PreTrainedModel

from rlvr.plan.settings import TrainSettings


def attach(base: PreTrainedModel, settings: TrainSettings) -> PreTrainedModel:
    """The base itself, all parameters trainable."""
    return base.requires_grad_(True)
