"""The log of a run at every step, as a table and as lines in the job log."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from rlvr.core.live import duration

KL, KL_ROLLOUT, CLIPPED = "divergence/base", "divergence/sampler", "clip_ratio/region_mean"
LOST, EXTRA = "sampling/lost_share", "sampling/extra_rollouts"
LENGTH, SECONDS = "completions/mean_length", "step_time"
OF_LENGTHS = (LENGTH, "completions/clipped_ratio")
LOGGED_AS = {
    "step": "step",
    "loss": "loss",
    "reward": "reward",
    "accuracy": "accuracy",
    "format": "format",
    "kl": KL,
    "kl_rollout": KL_ROLLOUT,
    "entropy": "entropy",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
    "ratio_clipped_share": CLIPPED,
    "completion_length": LENGTH,
    "clipped_share": "completions/clipped_ratio",
    "zero_std_share": "frac_reward_zero_std",
    "rollout_lost_share": LOST,
    "extra_rollouts": EXTRA,
    "seconds": SECONDS,
}

OF_TOKENS = ("entropy", CLIPPED)  # the trainer's names of what it measures per token, micro batch by micro batch
OF_GENERATIONS = (
    "reward",
    "accuracy",
    "format",
    "completion_length",
    "clipped_share",
    "zero_std_share",
    "rollout_lost_share",
    "extra_rollouts",
)


def metrics_frame(log_history: Sequence[Mapping[str, Any]], run_id: str) -> pd.DataFrame:
    """The trainer's log as rows of ``tables.METRICS``.

    Where one generation serves several optimizer steps, what its completions measure stands in each of these steps.

    Args:
        log_history: Of the trainer's state, which a resumed run inherits from its checkpoint.
        run_id: Value of the first column.
    """
    steps = [entry for entry in log_history if SECONDS in entry]
    rows = [{column: entry.get(key) for column, key in LOGGED_AS.items()} for entry in steps]
    frame = pd.DataFrame(rows, columns=list(LOGGED_AS))
    frame[list(OF_GENERATIONS)] = frame[list(OF_GENERATIONS)].ffill()
    return frame.astype({column: float for column in LOGGED_AS if column != "step"}).assign(run_id=run_id)


def weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """Mean of the means of parts of a batch: that of the whole batch, however it was cut.

    Args:
        values: Mean of every part.
        weights: What each is the mean of, e.g. numbers of tokens.

    Raises:
        ValueError: If their numbers differ.
    """
    total = sum(weights)
    parts = [value * weight for value, weight in zip(values, weights, strict=True) if weight]  # of no token: no number
    return sum(parts) / total if total else math.nan


class ProgressLines(TrainerCallback):
    """Prints a line for about twenty steps of a run, with its speed and the time that is left at that speed."""

    def __init__(self, completions_per_step: int = 0) -> None:
        self.completions_per_step = completions_per_step
        self.started_at, self.first_step = time.monotonic(), 0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Start the clock."""
        self.started_at, self.first_step = time.monotonic(), state.global_step

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Called by the trainer after every logged step."""
        every = max(state.max_steps // 20, 1)
        if state.is_world_process_zero and logs and LENGTH in logs and state.global_step % every == 0:
            learned = f"loss {logs['loss']:.3f}"
            if "reward" in logs:
                shares = f"accuracy {logs['accuracy']:.3f}  format {logs['format']:.3f}"
                learned = f"reward {logs['reward']:.3f}  {shares}"
            print(
                f"step {state.global_step}/{state.max_steps}  {learned}  "
                f"length {logs[LENGTH]:.1f}  rate {logs['learning_rate']:.2e}  "
                f"{logs['step_time']:.2f} s  {self._speed(logs)}{self._left(state)} left",
                flush=True,
            )

    def _speed(self, logs: Mapping[str, Any]) -> str:
        """Drawn tokens of the step over its seconds."""
        drawn = self.completions_per_step * logs["completions/mean_length"]
        return f"{drawn / logs['step_time']:.0f} tokens/s  " if drawn and logs["step_time"] else ""

    def _left(self, state: TrainerState) -> str:
        """Time that the other steps take at the mean pace of this process."""
        pace = (time.monotonic() - self.started_at) / max(state.global_step - self.first_step, 1)
        return duration(pace * (state.max_steps - state.global_step))
