"""TRL's trainer of supervised fine-tuning, with the adapters, checkpoints and log of reinforcement learning."""

import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PrinterCallback
from trl import SFTTrainer

from rlvr.adapters.methods import find_method
from rlvr.plan.settings import TrainSettings
from rlvr.train.arguments import sft_config
from rlvr.train.divergence import TokenMeans
from rlvr.train.method_hooks import MethodHooks
from rlvr.train.metrics import LENGTH, SECONDS, ProgressLines
from rlvr.train.sharding import set_precision

IGNORED = -100  # label of tokens without loss


class Solver(MethodHooks, SFTTrainer):
    """Cross entropy of worked solutions, averaged over all of their tokens in a step."""

    def __init__(self, *args: Any, settings: TrainSettings, **kwargs: Any) -> None:
        self.take_method(settings)
        self._means = TokenMeans()
        self._began = time.perf_counter()
        super().__init__(*args, **kwargs)
        set_precision(self.accelerator)

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The loss of TRL with the method's penalty; lengths of solutions are logged."""
        counts = (inputs["labels"] != IGNORED).sum(dim=1).double()
        local = torch.stack([counts.sum(), torch.tensor(float(len(counts)), device=counts.device, dtype=counts.dtype)])
        tokens, rows = self.accelerator.reduce(local, reduction="sum").tolist()
        self._means.add(LENGTH, tokens, rows)
        return super().compute_loss(model, inputs, *args, **kwargs)

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log as TRL does, and the seconds of a step."""
        if "loss" in logs:
            now = time.perf_counter()
            logs |= {SECONDS: now - self._began, **self._means.drain()}
            self._began = now
        super().log(logs, *args, **kwargs)


def make_solver(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Dataset,
    settings: TrainSettings,
    checkpoints: Path,
) -> Solver:
    """The trainer of one run of supervised fine-tuning.

    Args:
        model: Base with its adapter attached, or the base itself for full fine-tuning.
        tokenizer: Of the base.
        examples: Columns ``input_ids`` and ``completion_mask``, see ``train.solutions``.
        settings: Resolved settings.
        checkpoints: Folder for checkpoints.
    """
    method = find_method(settings.run_id, settings.method)
    trainer = Solver(
        settings=settings,
        model=model,
        args=sft_config(settings, checkpoints),
        train_dataset=examples,
        processing_class=tokenizer,
        callbacks=[ProgressLines(settings.completions_per_step), *method.callbacks(model, settings)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer
