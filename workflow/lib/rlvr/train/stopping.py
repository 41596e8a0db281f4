"""SIGTERM ends a run in progress behind a sealed checkpoint, so that the next start goes on from there."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from transformers import TrainerCallback

from rlvr.core.locks import JOB_VARIABLE
from rlvr.plan.settings import TrainSettings

LAUNCHED = "TORCHELASTIC_RUN_ID"  # SOURCE: PyTorch's manual of torchrun: set in every process that it starts
STOPPED_STATUS = 128 + signal.SIGTERM  # what a shell reports of a process that the signal ended


class RunStopped(SystemExit):
    """A run was asked to stop and did, with a checkpoint to go on from; its code is ``STOPPED_STATUS``."""

    def __init__(self, run_id: str, step: int) -> None:
        super().__init__(STOPPED_STATUS)
        self.run_id, self.step = run_id, step

    def __str__(self) -> str:
        return f"{self.run_id}: stopped by SIGTERM behind step {self.step}; the next start goes on from there"


class StopWhenAsked(TrainerCallback):
    """After SIGTERM, saves at the next border of a generation and ends training there.

    A resumed run starts with a new generation, so that a checkpoint within one would be followed by other completions
    than an undisturbed run's. Where there is no time until that border (Slurm kills 30 s after the signal by default),
    the run goes on from the checkpoint before.

    Attributes:
        updates_per_generation: Of the settings.
        asked: Whether this process was asked to stop.
        stopped: Whether training ended because of that.
    """

    def __init__(self, settings: TrainSettings) -> None:
        self.updates_per_generation = settings.updates_per_generation
        self.asked = self.stopped = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take SIGTERM as the wish to stop, in the main thread; a second one ends the process at once.

        Not where a launcher started several processes: it passes on what a scheduler has sent to all of them already,
        and ends those itself that take too long (``core.environment``). And not in a job of Slurm, which sends two
        within a moment at a time limit, and SIGKILL when its patience ends.
        """
        before = signal.signal(signal.SIGTERM, self._ask)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # blocked by `core.launching`
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Ask for a checkpoint and the end of training where the run may be taken up again."""
        at_border = state.global_step % self.updates_per_generation == 0
        if at_border and state.global_step < state.max_steps and self._anyone_asked():
            self.stopped = control.should_save = control.should_training_stop = True
        return control

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        repeated = LAUNCHED in os.environ or JOB_VARIABLE in os.environ
        signal.signal(signal.SIGTERM, signal.SIG_IGN if repeated else signal.SIG_DFL)
        print("SIGTERM: this run stops behind its next generation, with a checkpoint", flush=True)

    def _anyone_asked(self) -> bool:
        """Whether any process of the run was asked: all of them have to stop at the same step."""
        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return self.asked
        device = f"cuda:{torch.cuda.current_device()}" if torch.cuda.is_available() else "cpu"
        flag = torch.tensor(int(self.asked), device=device)
        torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
        return bool(flag.item())
