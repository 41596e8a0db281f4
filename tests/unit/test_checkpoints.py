"""Seals, locks, checkpoints and records of finished runs: what is damaged, foreign or held by another is not taken."""

import json
import multiprocessing
import os
import shutil
import signal
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.core.errors import InputError
from rlvr.core.io import write_json
from rlvr.core.locks import sole_writer
from rlvr.core.seals import SEAL, run_digests, seal, sealed_facts
from rlvr.train.checkpoints import check_room, resumable_checkpoint
from rlvr.train.finished import RECORD, record_finished, restore_finished

ORIGIN = {"settings": {"alpha": 16, "learning_rate": 1e-5}, "inputs": {"train_sha256": "a" * 64, "problems": 160}}
FILES = {"adapter_model.safetensors": b"weights", "optimizer.pt": b"moments", "trainer_state.json": b"{}"}


def checkpoint(folder: Path, step: int, origin=ORIGIN) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    for name, content in FILES.items():
        (path / name).write_bytes(content)
    seal(path, {**origin, "step": step})
    return path


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "flipped weights": (
        lambda path: flip(path / "adapter_model.safetensors"),
        "adapter_model.safetensors' has changed",
    ),
    "no optimizer": (lambda path: (path / "optimizer.pt").unlink(), "optimizer.pt' is missing"),
    "cut file": (lambda path: (path / "optimizer.pt").write_bytes(b"mom"), "optimizer.pt' has changed"),
    "file of length zero": (lambda path: (path / "trainer_state.json").write_bytes(b""), "trainer_state.json' has"),
    "surplus file": (lambda path: (path / "rng_state.pth").write_bytes(b"x"), "rng_state.pth' was not there"),
    "no seal": (lambda path: (path / SEAL).unlink(), "has no seal.json"),
    "cut seal": (lambda path: (path / SEAL).write_text('{"files": {'), "not valid JSON"),
    "empty seal": (lambda path: (path / SEAL).write_text("[]"), "is not a seal"),
    "other step": (lambda path: seal(path, {**ORIGIN, "step": 999}), "name says step 20, its seal 999"),
    "other settings": (
        lambda path: seal(path, {**ORIGIN, "settings": {**ORIGIN["settings"], "alpha": 32}, "step": 20}),
        "alpha 32 (today 16)",
    ),
    "other problems": (lambda path: seal(path, {**ORIGIN, "inputs": {"problems": 159}, "step": 20}), "problems 159"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_checkpoint_is_refused_by_name_and_the_older_one_is_taken(name, tmp_path, capsys):
    damage, words = DAMAGES[name]
    older, newer = checkpoint(tmp_path, 10), checkpoint(tmp_path, 20)
    damage(newer)
    assert resumable_checkpoint(tmp_path, ORIGIN) == older
    printed = capsys.readouterr().out
    assert "checkpoint-20: refused" in printed and words in printed
    assert not newer.exists()


def test_a_disk_without_room_is_named_before_a_checkpoint_is_written(tmp_path, monkeypatch):
    folder = tmp_path / "checkpoints"
    check_room(folder)  # of the first one the size is not known
    size = sum(path.stat().st_size for path in checkpoint(folder, 10).iterdir())
    for free, fits in ((size, True), (size - 1, False)):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, free=free: SimpleNamespace(free=free))
        with nullcontext() if fits else pytest.raises(OSError, match=f"it takes {size:,} bytes, {free:,} are free"):
            check_room(folder)


def test_the_newest_whole_checkpoint_is_taken(tmp_path, capsys):
    checkpoint(tmp_path, 9)
    assert resumable_checkpoint(tmp_path, ORIGIN).name == "checkpoint-9"
    checkpoint(tmp_path, 10)
    assert resumable_checkpoint(tmp_path, ORIGIN).name == "checkpoint-10"
    assert capsys.readouterr().out == ""


def test_without_a_whole_checkpoint_a_run_starts_anew_and_says_so(tmp_path, capsys):
    assert resumable_checkpoint(tmp_path / "absent", ORIGIN) is None and capsys.readouterr().out == ""
    (tmp_path / "checkpoint-10").mkdir()
    assert resumable_checkpoint(tmp_path, ORIGIN) is None
    assert "WARNING: no checkpoint can be used" in capsys.readouterr().out


def test_the_cadence_of_checkpoints_is_no_other_setting(tmp_path):
    path = checkpoint(tmp_path, 10, {**ORIGIN, "settings": {**ORIGIN["settings"], "checkpoint_every_steps": 5}})
    assert resumable_checkpoint(tmp_path, ORIGIN) == path


@settings(max_examples=40, deadline=None)
@given(content=st.binary(min_size=1, max_size=64), where=st.integers(0, 63), bit=st.integers(0, 7))
def test_any_flipped_bit_breaks_a_seal(content, where, bit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sealed")
    (folder / "file").write_bytes(content)
    seal(folder, {"x": 1})
    assert sealed_facts(folder) == {"x": 1}
    changed = bytearray(content)
    changed[where % len(content)] ^= 1 << bit
    (folder / "file").write_bytes(changed)
    with pytest.raises(InputError, match="'file' has changed"):
        sealed_facts(folder)


def finish(out: Path) -> None:
    (out / "adapter").mkdir(parents=True)
    (out / "adapter/adapter_model.safetensors").write_bytes(b"trained")
    (out / "metrics.parquet").write_bytes(b"metrics")
    write_json({"status": "finished", "files": run_digests(out)}, out / "run.json")
    record_finished(out, ORIGIN)


def test_a_finished_run_whose_outputs_were_deleted_gets_them_back(tmp_path, capsys):
    finish(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in ("run.json", "metrics.parquet")}
    for name in before:
        (tmp_path / name).unlink()
    assert restore_finished(tmp_path, ORIGIN)
    assert before == {name: (tmp_path / name).read_bytes() for name in before}
    assert "nothing to train" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda out: flip(out / "adapter/adapter_model.safetensors"), "adapter_model.safetensors' has changed"),
        (lambda out: shutil.rmtree(out / "adapter"), "adapter_model.safetensors' is missing"),
        (lambda out: flip(out / RECORD / "metrics.parquet"), "metrics.parquet' has changed"),
        (lambda out: (out / RECORD / SEAL).unlink(), "has no seal.json"),
    ],
)
def test_a_finished_run_that_is_not_whole_is_trained_anew(damage, words, tmp_path, capsys):
    finish(tmp_path)
    damage(tmp_path)
    assert not restore_finished(tmp_path, ORIGIN)
    assert words in capsys.readouterr().out


def test_a_finished_run_of_other_settings_is_trained_anew(tmp_path, capsys):
    finish(tmp_path)
    asked = {**ORIGIN, "settings": {**ORIGIN["settings"], "alpha": 64}}
    assert not restore_finished(tmp_path, asked)
    assert "alpha 16 (today 64)" in capsys.readouterr().out
    assert not restore_finished(tmp_path / "absent", ORIGIN)


def hold(folder: Path, ready) -> None:
    with sole_writer(folder):
        ready.set()
        time.sleep(60)


def test_two_writers_of_one_folder_the_second_is_told_who_the_first_is(tmp_path):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    first = context.Process(target=hold, args=(tmp_path, ready))
    first.start()
    try:
        assert ready.wait(20)
        with pytest.raises(InputError, match=rf"is being written by process {first.pid} on "), sole_writer(tmp_path):
            pass
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.join()
    with sole_writer(tmp_path):  # a killed holder holds nothing
        assert json.loads((tmp_path / ".holder.json").read_text())["pid"] == os.getpid()
    assert not (tmp_path / ".holder.json").exists()


def test_what_killed_writers_left_is_swept_and_nothing_else(tmp_path):
    (tmp_path / ".adapter.123.tmp").mkdir()
    (tmp_path / ".adapter.123.tmp/part").write_bytes(b"x")
    (tmp_path / ".metrics.parquet.9.tmp").write_bytes(b"x")
    finish(tmp_path)
    with sole_writer(tmp_path):
        pass
    assert not list(tmp_path.glob(".*.tmp"))
    assert restore_finished(tmp_path, ORIGIN)
