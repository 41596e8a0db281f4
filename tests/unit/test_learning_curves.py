"""Learning curves as text, of finished runs and of those in progress, and the command that shows them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_trainer import LOGGED
from typer.testing import CliRunner

from rlvr.cli.app import app
from rlvr.core.errors import InputError
from rlvr.core.io import write_json, write_table
from rlvr.report.learning_curves import SHADES, learning_curves, sparkline, values_of
from rlvr.tables import METRICS
from rlvr.train.metrics import metrics_frame


def frame(rewards):
    return metrics_frame([{**LOGGED, "step": step, "reward": one} for step, one in enumerate(rewards, 1)], "r")


@pytest.fixture
def results(tmp_path):
    """A finished run, one in progress, one that waits."""
    for name in ("done", "going", "waiting"):
        write_json({"max_steps": 4}, tmp_path / f"specs/{name}.json")
    write_json({"steps": 4}, tmp_path / "train/done/run.json")
    write_table(frame([0.0, 1.0, 2.0, 3.0]), tmp_path / "train/done/metrics.parquet", METRICS)
    progress = {"step": 2, "steps": 4, "first_step": 0, "seconds": 20.0, "tokens_per_second": 64.0}
    write_json(progress, tmp_path / "train/going/progress.json")
    write_table(frame([5.0, 7.0]), tmp_path / "train/going/live.parquet", METRICS)
    return tmp_path


def test_curves_of_finished_runs_and_of_those_in_progress(results):
    done, going, waiting = learning_curves(results)
    assert done.values["reward"] == [0.0, 1.0, 2.0, 3.0] and done.latest("reward") == 2.0 and done.left == ""
    assert going.values["reward"] == [5.0, 7.0] and going.latest("reward") == 6.0 and going.left == "20 s"
    assert waiting.values["reward"] == [] and waiting.latest("reward") is None


def test_steps_that_log_no_reward_draw_no_curve(results):
    supervised = frame([0.0, 0.0]).assign(reward=float("nan"), accuracy=float("nan"), format=float("nan"))
    assert values_of(supervised) == {"reward": [], "accuracy": [], "format": []}
    write_json({"max_steps": 2}, results / "specs/empty.json")
    write_json({"steps": 2}, results / "train/empty/run.json")
    shown = CliRunner().invoke(app, ["watch", str(results), "--once"])
    assert shown.exit_code == 0 and "empty" in shown.output


def test_folder_without_specs_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no specs of runs"):
        learning_curves(tmp_path)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.integers(1, 40))
def test_line_is_never_longer_than_asked(values, width):
    line = sparkline(values, width)
    assert 1 <= len(line) <= min(width, len(values)) and set(line) <= set(SHADES)


def test_line_of_a_ramp_rises_and_stays_within_given_limits():
    assert sparkline(list(range(80)), 8) == SHADES
    assert sparkline([0.0, 0.25, 1.0], low=0.0, high=1.0) == "▁▃█"
    assert sparkline([0.5, 0.5]) == "▁▁" and sparkline([]) == ""
    assert sparkline([-1.0, 2.0], low=0.0, high=1.0) == "▁█"


def test_command_shows_a_table_once_and_records_as_json(results):
    shown = CliRunner().invoke(app, ["watch", str(results), "--once"])
    assert shown.exit_code == 0, shown.output
    assert "going" in shown.output and "2/4" in shown.output and "waiting" not in shown.output
    assert "runs 1/3  steps 6/12  1 training at 64 tokens/s  training done in 60 s" in shown.output
    found = CliRunner().invoke(app, ["watch", str(results), "--json"])
    records = {one["run_id"]: one for one in map(json.loads, found.output.splitlines())}
    assert records["going"]["reward"] == [5.0, 7.0] and records["waiting"]["status"] == "waiting"
