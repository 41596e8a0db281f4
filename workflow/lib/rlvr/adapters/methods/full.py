"""Full fine-tuning: every weight of the base is trained, in float32 whatever the type in which the base is stored.

``trained_dtype: stored`` leaves the weights as they are, without float32 masters.

At the learning rates of RLVR a step is a small part of the distance between neighbouring bfloat16 numbers: of weights
kept in bfloat16 most would never move. Under mixed precision the forward pass is computed in bfloat16 all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr.adapters.family import Family

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedModel

    from rlvr.plan.settings import TrainSettings


class Full(Family):
    """The base itself."""

    name = "full"
    family = "full"
    takes = frozenset()
    source = "every weight of the base is trained"
    example = {}

    def attach(
        self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None
    ) -> PreTrainedModel:
        """The base itself, all parameters trainable and, unless the settings say otherwise, in float32."""
        return (base.float() if settings.trained_dtype == "float32" else base).requires_grad_(True)

    def trained_names(self, base: PreTrainedModel, settings: TrainSettings) -> None:
        """All modules."""
        return

    def trained_parameters(self, base: PreTrainedModel, settings: TrainSettings) -> dict[str, int | None]:
        """All parameters; a tied output head counts as the embedding that it is."""
        counts: dict[str, int | None] = {}
        for name, parameter in base.named_parameters():
            module = name.rpartition(".")[0]
            counts[module] = (counts.get(module) or 0) + parameter.numel()
        return counts


METHODS = (Full(),)
