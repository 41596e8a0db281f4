"""`snakemake verify`: what was flipped, cut, exchanged or made with other settings is found by name."""

import pandas as pd
import pytest
from small_models import settings_of

from rlvr.core.digests import TRAINED_ON, digest_problems, digest_rows
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, sha256_file, write_json, write_table
from rlvr.core.seals import check_run_files, run_digests, seal
from rlvr.plan.freshness import deciding_settings
from rlvr.report.verification import Expected, State, seal_paper, summary, verify, verify_or_fail
from rlvr.tables import METRICS, PROBLEMS

RUN = "lora"
WEIGHTS = {"adapter_after": "1" * 64}
SETTINGS = settings_of("lora").to_json() | {"run_id": RUN, "dataset": "math"}


@pytest.fixture
def results(tmp_path):
    """A base, a run, its samples and a paper, all whole."""
    base, run = tmp_path / "models/base", tmp_path / f"train/{RUN}"
    base.mkdir(parents=True)
    (base / "model.safetensors").write_bytes(b"base weights")
    digests = {"model.safetensors": sha256_file(base / "model.safetensors")}
    write_json({"weights_sha256": digests}, base / "model.json")
    problems = pd.DataFrame(
        [
            {
                "problem_id": "p0",
                "dataset": "math",
                "question": "q",
                "answer": "1",
                "difficulty": 1.0,
                "topic": "t",
                "verifier": "math",
                "meta": "{}",
            }
        ]
    )
    write_table(problems, tmp_path / "data/math/train.parquet", PROBLEMS)
    write_table(problems, tmp_path / "data/math/eval.parquet", PROBLEMS)
    split = {"problems": 1, "sha256": digest_problems(problems)}
    write_json({"splits": {"train": split, "eval": split}}, tmp_path / "data/math/card.json")
    (run / "adapter").mkdir(parents=True)
    (run / "adapter/adapter_model.safetensors").write_bytes(b"trained")
    write_table(metrics(), run / "metrics.parquet", METRICS)
    inputs = {"train_sha256": digest_rows(problems, TRAINED_ON), "base_files": digests}
    content = {"settings": SETTINGS, "inputs": inputs, "files": run_digests(run), "sha256": WEIGHTS}
    write_json(content, run / "run.json")
    samples = tmp_path / f"evaluate/{RUN}/main"
    samples.mkdir(parents=True)
    for name in ("samples", "grades", "scores"):
        rows_of(RUN).to_parquet(samples / f"{name}.parquet")
    record_samples(samples)
    (tmp_path / "paper/study/tables").mkdir(parents=True)
    (tmp_path / "paper/study/tables/table1.csv").write_text("1\n")
    (base / "tokenizer.json").write_text('{"a": 0}')
    seal_again(tmp_path)
    return tmp_path


def rows_of(run_id):
    return pd.DataFrame({"run_id": [run_id], "value": [0.5]})


def record_samples(folder, weights=WEIGHTS):
    content = {"samples_sha256": sha256_file(folder / "samples.parquet"), "weights": weights}
    write_json(content, folder / "samples.json")


def seal_again(results):
    evidence = [f"evaluate/{RUN}/main/scores.parquet", "models/base", "spectra/deleted.parquet"]
    seal_paper(results / "paper/study", "study", results, [str(results / name) for name in evidence])


def metrics():
    columns = {name: 0 if str(column.dtype).startswith("int") else 0.0 for name, column in METRICS.columns.items()}
    return pd.DataFrame([columns | {"run_id": RUN, "step": 1}])


def expected(**changes):
    return {
        "models": ["base"],
        "specs": {RUN: SETTINGS | changes},
        "model_of": {RUN: "base"},
        "suites": {RUN: ["main"]},
        "studies": ["study"],
    }


def states(results, **changes):
    return {found.kind: (found.state, found.detail) for found in verify(results, Expected(**expected(**changes)))}


def test_what_was_left_alone_is_whole(results):
    assert {kind: state for kind, (state, _) in states(results).items()} == dict.fromkeys(
        ("base", "data", "run", "samples", "paper"), State.WHOLE
    )
    verify_or_fail(results, expected())


def edit(path, change):
    content = read_json(path)
    change(content)
    write_json(content, path)


DAMAGES = {
    "flipped base": ("base", State.CHANGED, "models/base/model.safetensors", b"base weighty", "model.safetensors' has"),
    "foreign adapter": (
        "run",
        State.CHANGED,
        f"train/{RUN}/adapter/adapter_model.safetensors",
        b"others",
        "has changed",
    ),
    "surplus weights": ("run", State.CHANGED, f"train/{RUN}/adapter/more.safetensors", b"x", "was not there"),
    "cut metrics": ("run", State.CHANGED, f"train/{RUN}/metrics.parquet", b"PAR1", "not a readable Parquet"),
    "cut manifest": ("run", State.CHANGED, f"train/{RUN}/run.json", b'{"settings": ', "not valid JSON"),
    "other manifest": ("run", State.CHANGED, f"train/{RUN}/run.json", b"[]", "cannot be read"),
    "half of the samples": ("samples", State.CHANGED, f"evaluate/{RUN}/main/samples.parquet", b"sam", "SHA-256"),
    "flipped tokenizer": (
        "paper",
        State.STALE,
        "models/base/tokenizer.json",
        b'{"b": 0}',
        "tokenizer.json' has changed",
    ),
    "edited table": ("paper", State.CHANGED, "paper/study/tables/table1.csv", b"2\n", "table1.csv' has changed"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_and_named(name, results):
    kind, state, path, content, words = DAMAGES[name]
    (results / path).write_bytes(content)
    found = states(results)
    assert found[kind][0] is state and words in found[kind][1]
    assert all(other is State.WHOLE for what, (other, _) in found.items() if what != kind)
    with pytest.raises(InputError, match="1 results are changed or stale"):
        verify_or_fail(results, expected())


def test_other_settings_problems_or_base_are_stale(results):
    assert states(results, alpha=64)["run"] == (State.STALE, f"trained with alpha {SETTINGS['alpha']} (today 64)")
    manifest = results / f"train/{RUN}/run.json"
    edit(manifest, lambda run: run["inputs"].update(train_sha256="0" * 64))
    assert states(results)["run"][0] is State.STALE and "other problems" in states(results)["run"][1]
    edit(manifest, lambda run: run["inputs"].update(base_files={}))
    (results / "data/math/train.parquet").unlink()
    assert "another base" in states(results)["run"][1]


def test_what_is_not_there_is_missing_and_no_failure(results, tmp_path_factory):
    found = states(tmp_path_factory.mktemp("empty"))
    assert {state for state, _ in found.values()} == {State.MISSING}


def test_results_of_an_older_version_are_unrecorded(results):
    edit(results / f"train/{RUN}/run.json", lambda run: run.pop("files"))
    assert states(results)["run"][0] is State.UNRECORDED
    assert summary([*verify(results, Expected(**expected()))])[0].startswith(f"unrecorded: run {RUN}")
    check_run_files(results / f"train/{RUN}")


def test_a_run_whose_adapter_was_exchanged_is_not_read(results):
    (results / f"train/{RUN}/adapter/adapter_model.safetensors").write_bytes(b"foreign")
    with pytest.raises(InputError, match=r"adapter_model\.safetensors' has changed"):
        check_run_files(results / f"train/{RUN}")


def test_the_cadence_of_checkpoints_makes_nothing_stale(results):
    assert deciding_settings(SETTINGS) == deciding_settings(SETTINGS | {"checkpoint_every_steps": 3})
    assert states(results, checkpoint_every_steps=3)["run"][0] is State.WHOLE


def recorded(results):
    """The run with the record that training seals at its end."""
    run = results / f"train/{RUN}"
    (run / ".finished").mkdir()
    for name in ("run.json", "metrics.parquet"):
        (run / ".finished" / name).write_bytes((run / name).read_bytes())
    seal(run / ".finished", {})
    assert states(results)["run"] == (State.WHOLE, "")
    return run


@pytest.mark.parametrize("name", ["run.json", "metrics.parquet"])
def test_a_manifest_or_a_metric_that_was_changed_is_found_by_the_record_of_the_runs_end(name, results):
    """Both can be read after the change: a learning curve has another number, a manifest another wall time."""
    run = recorded(results)
    if name == "run.json":
        write_json({**read_json(run / name), "wall_time_s": 1.0}, run / name)
    else:
        write_table(metrics().assign(reward=0.5), run / name, METRICS)
    assert states(results)["run"] == (State.CHANGED, f"{name} is not what was recorded when the run ended")


def test_a_record_that_was_changed_itself_is_found(results):
    run = recorded(results)
    kept = run / ".finished/metrics.parquet"
    kept.write_bytes(kept.read_bytes() + b" ")
    state, detail = states(results)["run"]
    assert state is State.CHANGED and ".finished" in detail


def test_scores_that_cannot_be_read_or_were_flipped_are_found_with_and_without_a_paper(results):
    scores = results / f"evaluate/{RUN}/main/scores.parquet"
    rows_of(RUN).assign(value=0.75).to_parquet(scores)
    assert states(results)["paper"][0] is State.STALE and "scores.parquet' has" in states(results)["paper"][1]
    scores.write_bytes(b"")
    assert states(results)["paper"][0] is State.STALE and states(results)["samples"][0] is State.CHANGED


@pytest.mark.parametrize("name", ["samples", "grades", "scores"])
def test_tables_of_another_run_are_found(name, results):
    """A whole table, readable and in its place; of samples even the digest was mended."""
    folder = results / f"evaluate/{RUN}/main"
    rows_of("other").to_parquet(folder / f"{name}.parquet")
    record_samples(folder)
    assert states(results)["samples"] == (State.CHANGED, f"{name}.parquet is of other")


def test_samples_of_other_weights_are_found(results):
    record_samples(results / f"evaluate/{RUN}/main", weights={"adapter_after": "2" * 64})
    assert states(results)["samples"] == (State.STALE, "drawn from other weights than the run's")


def test_another_gold_of_a_held_out_problem_is_found(results):
    path = results / "data/math/eval.parquet"
    write_table(pd.read_parquet(path).assign(answer="2"), path, PROBLEMS)
    state, detail = states(results)["data"]
    assert state is State.CHANGED and detail.startswith("eval.parquet has the digest")
    (results / "data/math/card.json").unlink()
    assert states(results)["data"] == (State.UNRECORDED, "it has no card")
