"""What a method adds to a trainer of TRL, whichever it is: optimizer, loss and checkpoint."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from rlvr.adapters.methods import find_method
from rlvr.plan.settings import TrainSettings
from rlvr.train.checkpoints import check_room

if TYPE_CHECKING:
    from transformers import Trainer as Below
else:
    Below = object


class MethodHooks(Below):
    """Mixed into a trainer in front of TRL's class.

    Attributes:
        run: Settings of the run.
        method: Its method.
    """

    def take_method(self, settings: TrainSettings) -> None:
        """To be called before the trainer's own constructor."""
        self.run = settings
        self.method = find_method(settings.run_id, settings.method)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """The method's own optimizer, or the one of all others."""
        if self.optimizer is None:
            adapted = self.accelerator.unwrap_model(self.model if model is None else model)
            made, arguments = self.get_optimizer_cls_and_kwargs(self.args, adapted)
            self.optimizer = self.method.make_optimizer(adapted, self.run, made, arguments)
        return super().create_optimizer(model)

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The trainer's loss plus the method's penalty, a share of it in each of the micro batches of a step."""
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        penalty = self.method.penalty(self.accelerator.unwrap_model(model))
        return loss if penalty is None else loss + penalty / self.current_gradient_accumulation_steps

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        super()._save(output_dir, state_dict)
        if not self.args.should_save:  # transformers 5.23 calls this on every process, 5.17 on the one that writes
            return
        folder = Path(output_dir or str(self.args.output_dir))
        self.method.save_state(self.accelerator.unwrap_model(self.model), folder)

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        check_room(Path(str(self.args.output_dir)))
        super()._save_checkpoint(*args, **kwargs)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        adapted = self.accelerator.unwrap_model(model or self.model)
        if not self.method.load_state(adapted, Path(resume_from_checkpoint)):
            super()._load_from_checkpoint(resume_from_checkpoint, model)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """No card: ``run.json`` says what a run is."""
