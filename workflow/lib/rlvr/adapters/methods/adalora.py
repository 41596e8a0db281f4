"""AdaLoRA, PEFT's own layers and rank allocator, driven by a callback: P diag(E) Q whose entries of E are pruned.

``rank`` is the average rank that is left in the end. SOURCE: Zhang et al. 2023, section 3.3: the budget starts above
the final one and falls along a cubic between a warm-up and a final phase of fixed ranks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from rlvr.adapters.family import Family

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from torch import Tensor
    from transformers import PreTrainedModel, TrainerCallback

    from rlvr.adapters.family import Trained
    from rlvr.plan.settings import TrainSettings

INITIAL_SHARE = 1.5  # ASSUME: as PEFT's defaults, 12 and 8; no paper of ours prints either rank


class Adalora(Family):
    """LoRA that moves its ranks between modules while it trains."""

    name = "adalora"
    family = "lora"
    takes = frozenset({"rank", "alpha", "target_modules"})
    source = "Zhang et al. 2023, arXiv:2303.10512; peft"
    example = {"rank": 2, "alpha": 4, "target_modules": "no_kv"}
    tuner = "AdaLoraModel"
    fields = {"rank": "target_r", "alpha": "lora_alpha", "dropout": "lora_dropout"}
    exports = True
    has_dropout = True

    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PeftModel:
        """The base with AdaLoRA on the target set, every module at the initial rank."""
        from rlvr.adapters.rank_allocation import attach_adalora

        return attach_adalora(base, settings, _initial_rank(settings))

    def count(self, rows: int, cols: int, module: str, settings: TrainSettings) -> int:
        """P, E and Q at the initial rank; pruned entries stay in the optimizer."""
        return _initial_rank(settings) * (rows + cols + 1)

    def penalty(self, model: Trained) -> Tensor:
        """Distance of P and Q from orthonormal ones.

        PEFT adds it to the loss that the model returns, which GRPO does not use; so the trainer adds it.
        """
        from rlvr.adapters.rank_allocation import orthogonality_term

        return orthogonality_term(cast("PeftModel", model))

    def callbacks(self, model: Trained, settings: TrainSettings) -> list[TrainerCallback]:
        """The callback that moves the ranks."""
        from rlvr.adapters.rank_allocation import Allocation

        return [Allocation(cast("PeftModel", model), f"run '{settings.run_id}'")]

    def save_state(self, model: Trained, folder: Path) -> None:
        """Write the unpruned factors and the allocator's running means."""
        from rlvr.adapters.rank_allocation import save_allocation

        save_allocation(cast("PeftModel", model), folder)

    def load_state(self, model: Trained, folder: Path) -> bool:
        """Restore factors and means; PEFT's own files hold pruned factors, which do not fit the run's shapes."""
        from rlvr.adapters.rank_allocation import load_allocation

        load_allocation(cast("PeftModel", model), folder)
        return True


def _initial_rank(settings: TrainSettings) -> int:
    return math.ceil(INITIAL_SHARE * settings.required("rank"))


METHODS = (Adalora(),)
