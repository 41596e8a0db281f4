"""LoRA+: LoRA whose B learns ``rate_ratio`` times faster than its A; PEFT's own optimizer groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rlvr.adapters.methods.lora import LowRank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from peft import PeftModel
    from torch.optim import Optimizer

    from rlvr.adapters.family import Trained
    from rlvr.plan.settings import TrainSettings


class LoraPlus(LowRank):
    """LoRA with a rate for each factor."""

    name = "lora-plus"
    source = "Hayou et al. 2024, arXiv:2402.12354; peft's optimizer"
    takes = LowRank.takes | {"rate_ratio"}
    example = {**LowRank.example, "rate_ratio": 4}

    def make_optimizer(
        self,
        model: Trained,
        settings: TrainSettings,
        optimizer_class: type[Optimizer],
        arguments: Mapping[str, Any],
    ) -> Optimizer:
        """The run's optimizer with group A at the run's rate and group B at ``rate_ratio`` times that.

        Schedules scale both groups alike; the logged rate is that of A. PEFT's empty groups (embeddings, biases) are
        left out.
        """
        from peft.optimizers import create_loraplus_optimizer

        made = create_loraplus_optimizer(
            cast("PeftModel", model),
            optimizer_class,
            loraplus_lr_ratio=settings.required("rate_ratio"),
            loraplus_weight_decay=settings.weight_decay,
            **arguments,
        )
        made.param_groups = [group for group in made.param_groups if group["params"]]
        return made


METHODS = (LoraPlus(),)
