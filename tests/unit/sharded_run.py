"""One process of a run on several processors: ``main(SPEC, INPUTS, OUT, [KILLED_BEHIND_STEP])``.

Accelerate divides weights (FSDP2) on accelerators only: its state takes the plugin for MULTI_GPU and its relatives, and
not for MULTI_CPU. That one decision is taken here for processors, too; everything else is what a card would run.

Completions are drawn by prompt and place in the batch, not by a process's generator: the run is then the same function
however many processes share it.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import torch
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType
from small_runs import length_reward

import rlvr.train.trainer as trainer_module
from rlvr.train.run import train_run

LETTERS = "abcdefgh 0123456789"


def divide_on_processors() -> None:
    """Let accelerate take its FSDP plugin where processes run on processors."""
    plain = AcceleratorState.__init__

    def init(self: Any, *args: Any, fsdp_plugin: Any = None, **kwargs: Any) -> None:
        plain(self, *args, fsdp_plugin=fsdp_plugin, **kwargs)
        if fsdp_plugin is not None and self.distributed_type == DistributedType.MULTI_CPU:
            self.distributed_type, self.fsdp_plugin = DistributedType.FSDP, fsdp_plugin
            PartialState._shared_state["distributed_type"] = self.distributed_type  # as it does itself, at its end

    AcceleratorState.__init__ = init  # type: ignore[method-assign]


def text_of(prompt: str, place: int, step: int) -> str:
    """A completion of 1 to 8 letters that prompt, place in the batch of all processes and step decide."""
    digest = hashlib.sha256(f"{prompt} {place} {step}".encode()).digest()
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[: 1 + digest[-1] % 8])


class Trainer(trainer_module.Trainer):
    """Samples as a run does, then takes completions that do not depend on which process draws them."""

    killed_behind: int | None = None

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        if self.state.global_step == self.killed_behind:
            os._exit(9)
        return super().training_step(*args, **kwargs)

    def _generate_single_turn(self, prompt_ids: Any, *args: Any, **kwargs: Any) -> Any:
        completions, _ = super()._generate_single_turn(prompt_ids, *args, **kwargs)
        first, step = self.accelerator.process_index * len(completions), self.state.global_step
        texts = [text_of(str(ids), first + index, step) for index, ids in enumerate(prompt_ids)]
        end = self.processing_class.eos_token_id
        fixed = [[*self.processing_class(text, add_special_tokens=False)["input_ids"], end] for text in texts]
        return fixed, [[-1.0] * len(tokens) for tokens in fixed]


def main(spec: str, inputs: str, out: str, killed_behind: str = "") -> None:
    divide_on_processors()
    Trainer.killed_behind = int(killed_behind) if killed_behind else None
    trainer_module.Trainer = Trainer  # type: ignore[misc]
    trainer_module.make_reward = lambda *_: length_reward
    folder = Path(inputs)
    train_run(Path(spec), folder / "base", folder / "train.parquet", Path(out))
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
