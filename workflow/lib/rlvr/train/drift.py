"""What merging adapters in place does to a base: measured, and kept with every checkpoint."""

import math
from pathlib import Path
from typing import Any

from peft import PeftModel
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import TrainerCallback

from rlvr.adapters.merging import adapted_weights
from rlvr.plan.settings import IN_PLACE, TrainSettings

FILE = "drifted_base.safetensors"


class BaseDrift(TrainerCallback):
    """Weights under an adapter that merging in place has moved since the run began.

    Checkpoints of PEFT hold the adapter only, so that a resumed run would go on from the base of the beginning.
    """

    def __init__(self, model: PeftModel) -> None:
        """Keep the weights as they are now, in the host's memory, each in its own type."""
        self._model = model
        self._start = {name: weight.to("cpu", copy=True) for name, weight in adapted_weights(model).items()}

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Put the weights into the checkpoint that was just written; has to come before its seal."""
        if state.is_world_process_zero:
            weights = {name: weight.cpu().contiguous() for name, weight in adapted_weights(self._model).items()}
            save_file(weights, Path(args.output_dir) / f"checkpoint-{state.global_step}" / FILE)

    def load(self, checkpoint: Path) -> None:
        """Bring the weights of a checkpoint back."""
        saved = load_file(checkpoint / FILE)
        for name, weight in adapted_weights(self._model).items():
            weight.copy_(saved[name])

    def share(self) -> float:
        """Norm of the change over the norm of the weights at the beginning."""
        moved = total = 0.0
        for name, weight in adapted_weights(self._model).items():
            start = self._start[name].double()
            moved += float((weight.cpu().double() - start).square().sum())
            total += float(start.square().sum())
        return math.sqrt(moved / total)


def drift_of(model: nn.Module, settings: TrainSettings) -> BaseDrift | None:
    """The record of a base that training will move by merging in place; ``None`` for any other run."""
    if settings.rollout_weights != IN_PLACE:
        return None
    assert isinstance(model, PeftModel), "checked when the row was bound"
    return BaseDrift(model)
