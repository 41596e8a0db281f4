"""`rlvr train` as its help shows it: trains, trains nothing twice, goes on where it was stopped, says what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from test_cli_examples import printed_examples
from train_inputs import RUN, write_inputs
from typer.testing import CliRunner, Result

from rlvr.cli import train as command
from rlvr.cli.app import app
from rlvr.core.errors import InputError
from rlvr.core.io import read_json
from rlvr.train.stopping import StopWhenAsked

IN_RESULTS, BY_PATHS = printed_examples(command)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base, problems and a spec by the names of the second example."""
    folder = tmp_path_factory.mktemp("inputs")
    write_inputs(folder)
    return folder


@pytest.fixture
def place(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with links to the inputs, also where the workflow would have put them."""
    tiny = tmp_path / "results" / "tiny"
    places = {
        "base": inputs / "base", "train.parquet": inputs / "train.parquet", "spec.json": inputs / "spec.json",
        "results/tiny/models/qwen3-8b": inputs / "base",
        "results/tiny/data/deepmath-hard/train.parquet": inputs / "train.parquet",
    }  # fmt: skip
    for name, source in places.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(source)
    (tiny / "specs").mkdir(parents=True)
    (tiny / "specs" / f"{RUN}.json").write_bytes((inputs / "spec.json").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_line(line: str, *further: str) -> Result:
    return CliRunner().invoke(app, [*line.split()[1:], *further])


def test_a_run_is_trained_once_and_a_second_call_trains_nothing(place: Path) -> None:
    first = run_line(IN_RESULTS, "--json")
    assert first.exit_code == 0, first.exception
    run = place / "results" / "tiny" / "train" / RUN
    shown = json.loads(first.stdout)
    assert (shown["run_id"], shown["status"], shown["steps"]) == (RUN, "finished", 4)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in run.rglob("*.safetensors")}
    again = run_line(IN_RESULTS, "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout) == shown
    assert before == {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in run.rglob("*.safetensors")}


def test_a_stopped_training_says_so_and_goes_on_to_the_weights_of_one_that_was_not(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_line(BY_PATHS).exit_code == 0
    whole, weights = read_json(place / "runs/mine/run.json"), "runs/{}/adapter/adapter_model.safetensors"
    on_step_end, stopped = StopWhenAsked.on_step_end, []

    def stop_behind_two(self: Any, args: Any, state: Any, control: Any, **_: Any) -> Any:
        if state.global_step == 2 and not stopped:
            stopped.append(True)
            self.asked = True
        return on_step_end(self, args, state, control)

    monkeypatch.setattr(StopWhenAsked, "on_step_end", stop_behind_two)
    line = BY_PATHS.replace("runs/mine", "runs/cut")
    cut = run_line(line)
    assert cut.exit_code == 75
    assert "step 2" in cut.stderr
    assert not (place / "runs/cut/run.json").exists()
    assert run_line(line).exit_code == 0
    resumed = read_json(place / "runs/cut/run.json")
    assert resumed["resumed_from_step"] == 2
    assert resumed["sha256"] == whole["sha256"]
    assert (place / weights.format("cut")).read_bytes() == (place / weights.format("mine")).read_bytes()


def spec_with(place: Path, text: str | None = None, **changes: Any) -> None:
    content = text if text is not None else json.dumps(read_json(place / "spec.json") | changes)
    (place / "spec.json").unlink()
    (place / "spec.json").write_text(content)


WRONG = {
    "no spec": (lambda place: (place / "spec.json").unlink(), "spec.json: no such file"),
    "no JSON": (lambda place: spec_with(place, "{oops"), "spec.json"),
    "a list": (lambda place: spec_with(place, "[]"), "spec.json"),
    "an unknown setting": (lambda place: spec_with(place, learning_speed=1.0), "learning_speed"),
    "a value of another type": (lambda place: spec_with(place, max_steps="many"), "max_steps"),
    "a method that is none": (lambda place: spec_with(place, method="lorra"), "lorra"),
    "settings that do not fit": (lambda place: spec_with(place, completions_per_step=12), "completions_per_step 12"),
    "no base": (lambda place: (place / "base").unlink(), "base"),
    "no problems": (lambda place: (place / "train.parquet").unlink(), "train.parquet"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_a_sentence_and_nothing_is_written(case: str, place: Path) -> None:
    damage, named = WRONG[case]
    damage(place)
    ended = run_line(BY_PATHS)
    assert ended.exit_code == 1
    assert isinstance(ended.exception, InputError), repr(ended.exception)
    assert named in str(ended.exception)
    assert not (place / "runs" / "mine" / "run.json").exists()


def test_a_setting_that_is_missing_is_named(place: Path) -> None:
    content = read_json(place / "spec.json")
    del content["seed"]
    spec_with(place, json.dumps(content))
    ended = run_line(BY_PATHS)
    assert isinstance(ended.exception, InputError)
    assert "seed" in str(ended.exception)


def test_other_settings_train_anew_and_the_reason_is_said(place: Path) -> None:
    assert run_line(BY_PATHS).exit_code == 0
    before = read_json(place / "runs/mine/run.json")["sha256"]
    spec_with(place, learning_rate=0.5)
    ended = run_line(BY_PATHS)
    assert ended.exit_code == 0
    assert "learning_rate" in ended.stderr
    assert "trained anew" in ended.stderr
    assert read_json(place / "runs/mine/run.json")["sha256"]["adapter_after"] != before["adapter_after"]
