"""How far the runs of a folder of results are, read from what they write while they train; imports nothing heavy."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rlvr.core.io import read_json

PROGRESS_FILE, LIVE_METRICS = "progress.json", "live.parquet"  # beside the checkpoints of a run in progress
WAITING, TRAINING, FINISHED = "waiting", "training", "finished"
QUIET_S = 900.0  # a run that has not written for so long is not counted as training


@dataclass(frozen=True)
class RunState:
    """How far one run is.

    Attributes:
        run_id: Its id.
        status: ``waiting``, ``training`` or ``finished``.
        step: Steps done.
        steps: Steps planned; ``None`` for a run that is waiting and whose spec leaves them to the epochs.
        tokens_per_second: Drawn tokens of the last step over its seconds; ``None`` where nothing trains.
        step_seconds: Mean over the steps of the present process; ``None`` where nothing trains.
    """

    run_id: str
    status: str
    step: int
    steps: int | None
    tokens_per_second: float | None = None
    step_seconds: float | None = None


def read_states(results: str | Path, run_ids: Iterable[str] | None = None) -> list[RunState]:
    """The runs of a folder of results, in the order of their ids.

    Args:
        results: ``results/<scale>``.
        run_ids: Which; by default every run that has a spec.
    """
    folder = Path(results)
    names = sorted(path.stem for path in (folder / "specs").glob("*.json")) if run_ids is None else sorted(run_ids)
    return [read_state(folder, name) for name in names]


def read_state(results: Path, run_id: str) -> RunState:
    """How far one run is; files that vanish while they are read count as not there."""
    run = results / "train" / run_id
    manifest = _read(run / "run.json")
    if manifest is not None:
        return RunState(run_id, FINISHED, manifest["steps"], manifest["steps"])
    spec = _read(results / "specs" / f"{run_id}.json") or {}
    progress = _read(run / PROGRESS_FILE)
    if progress is None:
        return RunState(run_id, WAITING, 0, spec.get("max_steps") or None)
    alive = time.time() - (run / PROGRESS_FILE).stat().st_mtime < QUIET_S
    done = progress["step"] - progress["first_step"]
    return RunState(
        run_id,
        TRAINING if alive else WAITING,
        progress["step"],
        progress["steps"],
        progress["tokens_per_second"] if alive else None,
        progress["seconds"] / done if alive and done else None,
    )


def _read(path: Path) -> dict | None:
    try:
        return dict(read_json(path))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def planned_steps(states: Iterable[RunState]) -> int | None:
    """Steps of all runs together; ``None`` where one that waits does not say, and no other run tells its like."""
    runs = list(states)
    known = [run.steps for run in runs if run.steps]
    if not known:
        return None
    usual = max(set(known), key=known.count)
    return sum(run.steps or usual for run in runs)


def progress_line(states: Iterable[RunState]) -> str:
    """One line: runs and steps done of all, what trains at which speed, and the time that training will still take.

    The time is that of the steps that are left at the pace of the runs that train now: their steps per second in sum.
    """
    runs = list(states)
    finished = sum(run.status == FINISHED for run in runs)
    training = [run for run in runs if run.status == TRAINING]
    done, planned = sum(run.step for run in runs), planned_steps(runs)
    parts = [f"runs {finished}/{len(runs)}", f"steps {done}/{planned if planned is not None else '?'}"]
    if training:
        speed = sum(run.tokens_per_second or 0.0 for run in training)
        parts.append(f"{len(training)} training at {speed:.0f} tokens/s")
    pace = sum(1 / run.step_seconds for run in training if run.step_seconds)
    if pace and planned is not None:
        parts.append(f"training done in {duration((planned - done) / pace)}")
    return "  ".join(parts)


def duration(seconds: float) -> str:
    """Seconds in words of a clock.

    >>> duration(42), duration(600), duration(7260)
    ('42 s', '10 min', '2 h 1 min')
    """
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
