"""Specs of finished runs are dated by their manifests: before them where nothing changed, after them otherwise."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from small_models import settings_of

from rlvr.core.io import read_json, write_json
from rlvr.plan.freshness import spec_content
from rlvr.plan.staleness import settle_samples, settle_specs, stale_lines

RUN = "lora"
SOURCE = Path(__file__)


@pytest.fixture
def settings():
    return settings_of("lora").to_json() | {"run_id": RUN}


@pytest.fixture
def results(tmp_path, settings):
    """A finished run, all of its files touched at the same moment."""
    run = tmp_path / "train" / RUN
    write_json({"settings": settings}, run / "run.json")
    (run / "metrics.parquet").write_bytes(b"")
    write_json(spec_content(settings), tmp_path / "specs" / f"{RUN}.json")
    return tmp_path


def times(results):
    return [(results / part).stat().st_mtime for part in (f"specs/{RUN}.json", f"train/{RUN}/run.json")]


def test_a_run_that_is_asked_for_as_it_was_is_older_than_nothing(results, settings):
    os.utime(results / f"specs/{RUN}.json")
    assert settle_specs({RUN: settings}, results, SOURCE) == {}
    spec, manifest = times(results)
    assert spec < manifest


def test_a_missing_spec_of_an_unchanged_run_is_written_before_its_manifest(results, settings):
    (results / f"specs/{RUN}.json").unlink()
    assert settle_specs({RUN: settings}, results, SOURCE) == {}
    spec, manifest = times(results)
    assert spec < manifest and read_json(results / f"specs/{RUN}.json") == spec_content(settings)


def test_a_changed_row_makes_its_spec_older_than_what_it_is_written_from_and_says_what_changed(results, settings):
    changed = settings | {"alpha": 64}
    for _ in range(2):  # also after what `snakemake --touch` does
        stale = settle_specs({RUN: changed}, results, SOURCE)
        assert times(results)[0] < SOURCE.stat().st_mtime
        assert read_json(results / f"specs/{RUN}.json")["alpha"] == 64
        assert stale_lines(stale) == [f"stale: {RUN} was trained with alpha {settings['alpha']} (today 64)"]
        for path in results.rglob("*.*"):
            os.utime(path)
    assert settle_specs({RUN: settings}, results, SOURCE) == {}  # and back again
    spec, manifest = times(results)
    assert spec < manifest


def test_a_cadence_or_a_printed_number_makes_nothing_stale(results, settings):
    assert (
        settle_specs({RUN: settings | {"checkpoint_every_steps": 1, "printed": {"model": "X"}}}, results, SOURCE) == {}
    )
    spec, manifest = times(results)
    assert spec < manifest


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"settings": 3}'])
def test_an_unreadable_manifest_is_stale(content, results, settings):
    (results / f"train/{RUN}/run.json").write_text(content)
    assert settle_specs({RUN: settings}, results, SOURCE) == {RUN: ["its manifest cannot be read"]}


def test_runs_that_were_never_trained_are_left_alone(tmp_path, settings):
    assert settle_specs({RUN: settings}, tmp_path, SOURCE) == {} and not list(tmp_path.iterdir())


@pytest.fixture
def sampled(results):
    folder = results / "evaluate" / RUN / "main"
    write_json({"settings": {}, "sha256": {"adapter_after": "a"}}, results / "train" / RUN / "run.json")
    write_json({"weights": {"adapter_after": "a"}}, folder / "samples.json")
    (folder / "samples.parquet").write_bytes(b"")
    return folder


@pytest.mark.parametrize("moved", [-100.0, 100.0])
@pytest.mark.parametrize("weights", ["a", "b"])
def test_samples_are_younger_than_the_run_they_were_drawn_from_and_older_than_any_other(
    weights, moved, sampled, results
):
    write_json({"weights": {"adapter_after": weights}}, sampled / "samples.json")
    manifest = (results / "train" / RUN / "run.json").stat().st_mtime
    for name in ("samples.parquet", "samples.json"):
        os.utime(sampled / name, (manifest + moved, manifest + moved))
    settle_samples({RUN: ["main", "other"], "never": ["main"]}, results)
    for name in ("samples.parquet", "samples.json"):
        drawn = (sampled / name).stat().st_mtime
        assert drawn >= manifest if weights == "a" else drawn < manifest


def test_samples_without_a_record_keep_their_times(sampled, results):
    write_json({}, sampled / "samples.json")
    before = (sampled / "samples.json").stat().st_mtime_ns
    settle_samples({RUN: ["main"]}, results)
    assert (sampled / "samples.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_where_nothing_can_be_written_what_differs_is_found_all_the_same(number, results, settings, monkeypatch):
    """Of every run, not only of those before the first that could not be dated."""

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    shutil.copytree(results / "train" / RUN, results / "train" / "second")
    monkeypatch.setattr("rlvr.plan.staleness._date_spec", refuse)
    monkeypatch.setattr("rlvr.plan.staleness._date_samples", refuse)
    changed = {RUN: settings, "second": settings | {"alpha": 64}}
    assert list(settle_specs(changed, results, SOURCE)) == ["second"]
    settle_samples({RUN: ["main"]}, results)


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC])
def test_samples_that_cannot_be_dated_stop_no_plan(number, sampled, results, monkeypatch):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("rlvr.plan.staleness.os.utime", refuse)
    settle_samples({RUN: ["main"]}, results)
