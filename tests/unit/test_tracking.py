"""Logs of training go to the tracker that the user chose, and to no other."""

from types import SimpleNamespace

import pytest

from rlvr.core.errors import InputError
from rlvr.train import tracking
from rlvr.train.tracking import TRACKERS, VARIABLE, track


@pytest.fixture
def trainer():
    """A trainer that remembers its callbacks."""
    added = []
    return SimpleNamespace(args=SimpleNamespace(), added=added, add_callback=added.append)


def test_without_a_name_nothing_is_added(trainer, tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    track(trainer, "r", tmp_path)
    monkeypatch.setenv(VARIABLE, "")
    track(trainer, "r", tmp_path)
    assert trainer.added == [] and not vars(trainer.args)


def test_unknown_names_and_missing_packages_are_refused_with_a_remedy(trainer, tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"tracker 'mlflow'.*not known.*tensorboard, trackio, wandb"):
        track(trainer, "r", tmp_path, "mlflow")
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    for name in TRACKERS:
        monkeypatch.setenv(VARIABLE, name)
        with pytest.raises(InputError, match=rf"tracker '{name}'.*not installed.*pip install {name}"):
            track(trainer, "r", tmp_path)
    assert trainer.added == []


def test_every_name_is_one_of_transformers_and_runs_keep_their_ids(trainer, tmp_path, monkeypatch):
    from transformers.integrations import integration_utils

    monkeypatch.setattr(tracking, "find_spec", lambda name: name)
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "")
    for name in TRACKERS:
        track(trainer, "r", tmp_path / "train" / "r", name)
    assert trainer.added == [integration_utils.INTEGRATION_TO_CALLBACK[name] for name in TRACKERS]
    assert vars(trainer.args) == {"run_name": "r", "project": "rlvr", "trackio_space_id": None}


def test_tensorboard_has_the_scalars_of_every_step(trainer, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "")
    track(trainer, "r", tmp_path / "train" / "r", "tensorboard")
    callback = trainer.added[0]()
    args = SimpleNamespace(output_dir=str(tmp_path), to_json_string=lambda: "{}")
    state = SimpleNamespace(is_world_process_zero=True, is_hyper_param_search=False, global_step=0)
    callback.on_train_begin(args, state, None)
    for step in (1, 2):
        state.global_step = step
        callback.on_log(args, state, None, logs={"reward": step / 2})
    callback.on_train_end(args, state, None)
    found = EventAccumulator(str(tmp_path / "tracking" / "r")).Reload()
    assert [(event.step, event.value) for event in found.Scalars("train/reward")] == [(1, 0.5), (2, 1.0)]
