"""What runs show of themselves while they train, and the line that is made of it."""

import os
import time
from types import SimpleNamespace

import pytest
from test_trainer import LOGGED

from rlvr.core import watch
from rlvr.core.io import read_json, read_table, write_json
from rlvr.core.live import FINISHED, TRAINING, WAITING, RunState, duration, progress_line, read_states
from rlvr.tables import METRICS
from rlvr.train.live import LiveMetrics
from rlvr.train.metrics import ProgressLines


def state(step, history, steps=10):
    return SimpleNamespace(global_step=step, max_steps=steps, is_world_process_zero=True, log_history=history)


@pytest.fixture
def clock(monkeypatch):
    """Seconds that a test sets."""
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(time, "monotonic", lambda: now.seconds)
    return now


def test_table_and_progress_stand_behind_every_written_step(tmp_path, clock):
    live, history = LiveMetrics(tmp_path, "r", 32), [{**LOGGED, "step": 4}]
    live.on_train_begin(None, state(4, history), None)
    for step in (5, 6):
        clock.seconds += 30
        history.append({**LOGGED, "step": step, "step_time": 10.0, "completions/mean_length": 20.0})
        live.on_log(None, state(step, history), None)
        assert read_table(live.metrics, METRICS)["step"].tolist() == list(range(4, step + 1))
    found = read_json(live.progress)
    assert (found["step"], found["steps"], found["first_step"], found["seconds"]) == (6, 10, 4, 60.0)
    assert found["tokens_per_second"] == 32 * 20.0 / 10.0
    live.finish()
    assert not list(tmp_path.iterdir())


def test_quick_steps_are_not_written_one_by_one(tmp_path, clock):
    live, history = LiveMetrics(tmp_path, "r", 32), []
    for step in range(1, 12):
        clock.seconds += 0.5
        history.append({**LOGGED, "step": step})
        live.on_log(None, state(step, history), None)
    assert read_table(live.metrics, METRICS)["step"].tolist() == list(range(1, 10))


def test_states_tell_what_waits_trains_and_is_finished(tmp_path):
    for name in "abcd":
        write_json({"max_steps": 10}, tmp_path / f"specs/{name}.json")
    progress = {"step": 6, "steps": 10, "first_step": 4, "seconds": 60.0, "tokens_per_second": 64.0}
    for name in "bcd":
        write_json(progress, tmp_path / f"train/{name}/progress.json")
    write_json({"steps": 10}, tmp_path / "train/c/run.json")
    old = time.time() - 3600
    os.utime(tmp_path / "train/d/progress.json", (old, old))
    assert read_states(tmp_path) == [
        RunState("a", WAITING, 0, 10),
        RunState("b", TRAINING, 6, 10, 64.0, 30.0),
        RunState("c", FINISHED, 10, 10),
        RunState("d", WAITING, 6, 10),
    ]


def test_line_adds_up_the_pace_of_what_trains():
    runs = [
        RunState("a", WAITING, 0, None),  # takes the steps that the others take
        RunState("b", TRAINING, 6, 10, 64.0, 30.0),
        RunState("c", FINISHED, 10, 10),
        RunState("d", TRAINING, 4, 10, 36.0, 60.0),
    ]
    # 20 steps are left at 1/30 + 1/60 = 1/20 steps per second
    assert progress_line(runs) == "runs 1/4  steps 20/40  2 training at 100 tokens/s  training done in 7 min"


def test_line_without_anything_to_tell():
    assert progress_line([]) == "runs 0/0  steps 0/?"
    assert progress_line([RunState("a", WAITING, 0, None)]) == "runs 0/1  steps 0/?"


def test_watch_prints_once_and_ends(tmp_path, capsys):
    write_json({"max_steps": 10}, tmp_path / "specs/a.json")
    watch.main(tmp_path, once=True)
    assert f"{tmp_path.name}: runs 0/1  steps 0/10" in capsys.readouterr().err


def test_watch_ends_with_its_neighbour_and_with_the_last_run(tmp_path):
    write_json({"max_steps": 10}, tmp_path / "specs/a.json")
    watch.main(tmp_path, every=0.01, beside=2**22 + 1)  # beyond the largest process id
    write_json({"steps": 10}, tmp_path / "train/a/run.json")
    watch.main(tmp_path, every=0.01)
    assert watch.is_alive(os.getpid())


def test_durations_read_like_a_clock():
    assert [duration(seconds) for seconds in (0, 89.6, 100, 3600, 86340)] == [
        "0 s",
        "90 s",
        "2 min",
        "1 h 0 min",
        "23 h 59 min",
    ]


def test_line_of_a_step_has_speed_and_time_left(capsys, clock):
    lines, logged = ProgressLines(32), {**LOGGED, "loss": 0.0, "step_time": 10.0, "completions/mean_length": 20.0}
    lines.on_train_begin(None, state(4, []), None)
    clock.seconds += 60
    lines.on_log(None, state(6, []), None, logged)
    assert capsys.readouterr().out.rstrip().endswith("10.00 s  64 tokens/s  2 min left")
