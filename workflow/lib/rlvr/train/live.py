"""What a run shows of itself while it trains: the log so far as a table, and how far it is.

Both files are replaced whole, so that a reader never sees half of one and a kill leaves the last ones standing. Neither
is declared to the workflow, which would delete it when the run fails.
"""

import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from rlvr.core.io import write_json, write_table
from rlvr.core.live import LIVE_METRICS, PROGRESS_FILE
from rlvr.tables import METRICS
from rlvr.train.metrics import metrics_frame

WRITE_EVERY_S = 2.0  # ASSUME: seldom enough that steps of a tenth of a second are not slowed down


class LiveMetrics(TrainerCallback):
    """Writes ``live.parquet`` and ``progress.json`` of a run behind its steps, at most every two seconds.

    A run that goes on from a checkpoint begins with the log of that checkpoint, so that no step stands twice.

    Attributes:
        metrics: The table, ``tables.METRICS``.
        progress: ``run_id``, ``step``, ``steps`` (planned), ``tokens_per_second`` (drawn ones, over the seconds of the
            last step), ``seconds`` (of this process since its first step began), ``first_step`` (where it began).
    """

    def __init__(self, folder: Path, run_id: str, completions_per_step: int) -> None:
        self.metrics, self.progress = folder / LIVE_METRICS, folder / PROGRESS_FILE
        self.run_id, self.completions_per_step = run_id, completions_per_step
        self.written_at, self.started_at, self.first_step = -WRITE_EVERY_S, time.monotonic(), 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock."""
        self.started_at, self.first_step = time.monotonic(), state.global_step

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write what the log has by now, if the last time is long enough ago."""
        now = time.monotonic()
        if not state.is_world_process_zero or now - self.written_at < WRITE_EVERY_S:
            return
        frame = metrics_frame(state.log_history, self.run_id)
        if frame.empty:
            return
        self.written_at = now
        write_table(frame, self.metrics, METRICS)
        last = frame.iloc[-1]
        drawn = self.completions_per_step * last["completion_length"]
        write_json(
            {
                "run_id": self.run_id,
                "step": state.global_step,
                "steps": state.max_steps,
                "tokens_per_second": float(drawn / last["seconds"]) if last["seconds"] else None,
                "seconds": now - self.started_at,
                "first_step": self.first_step,
            },
            self.progress,
        )

    def finish(self) -> None:
        """Take both away: a finished run has ``metrics.parquet``."""
        for path in (self.progress, self.metrics):
            path.unlink(missing_ok=True)
