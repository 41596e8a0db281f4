"""Stages of a workflow and the time that it will take, read from the log of a call while it grows."""

import json
import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_trainer import LOGGED
from typer.testing import CliRunner

from rlvr.cli.app import app
from rlvr.core import watch
from rlvr.core.call_log import Call
from rlvr.core.io import write_json, write_table
from rlvr.core.stages import follow, progress_of, seconds_left, stage_lines, stage_of, stages_line
from rlvr.tables import METRICS
from rlvr.train.metrics import metrics_frame

START = time.mktime((2026, 11, 26, 11, 0, 0, 0, 0, -1))


def at(seconds):
    return f"[{time.asctime(time.localtime(START + seconds))}]"


def table(**jobs):
    rows = [f"{rule:<20}  {count:>5}" for rule, count in jobs.items()]
    return [
        "Building DAG of jobs...",
        "Job stats:",
        "job  count",
        "---  ---",
        *rows,
        f"total  {sum(jobs.values())}",
        "",
    ]


def begun(seconds, rule, job):
    return [
        at(seconds),
        f"localrule {rule}:",
        f"    output: results/tiny/{job}",
        f"    jobid: {job}",
        "    resources: a=1",
    ]


def finished(seconds, rule, job):
    return [at(seconds), f"Finished jobid: {job} (Rule: {rule})", "1 of 9 steps (11%) done"]


def failed(seconds, rule, job):
    return [at(seconds), f"Error in rule {rule}:", "    message: None", f"    jobid: {job}", "    output: x"]


PLANNED = table(write_spec=4, train_run=4, score_run=2, all=1)
# two jobs at a time: four specs of 10 s, two trainings of 100 s
HALF = [*PLANNED]
for _job in (1, 3):
    HALF += [*begun(10 * (_job // 2), "write_spec", _job), *begun(10 * (_job // 2), "write_spec", _job + 1)]
    HALF += [
        *finished(10 + 10 * (_job // 2), "write_spec", _job),
        *finished(10 + 10 * (_job // 2), "write_spec", _job + 1),
    ]
HALF += [*begun(20, "train_run", 5), *begun(20, "train_run", 6)]
TRAINED = [*HALF, *finished(120, "train_run", 5), *finished(120, "train_run", 6)]
CLOSED = ["Complete log(s): /somewhere/.snakemake/log/a.snakemake.log", "Elapsed time: 0:00:01"]


def read(lines):
    call = Call()
    call.feed(lines)
    return call


def counts(call):
    return {stage.name: (stage.done, stage.total, stage.running, stage.failed) for stage in progress_of(call).stages}


def test_stages_are_the_files_that_define_the_rules():
    assert [stage_of(rule) for rule in ("curate_dataset", "train_run", "seal_paper", "paper", "all")] == [
        "data", "train", "verify", "targets", "targets",
    ]  # fmt: skip
    assert stage_of("rlvr_train_run") == "train" and stage_of("table4") == stage_of("my_own") == "other"


def test_jobs_are_counted_by_stage():
    expected = {"train": (4, 8, 2, 0), "evaluate": (0, 2, 0, 0), "targets": (0, 1, 0, 0)}
    assert counts(read(HALF)) == expected
    assert counts(read([*HALF, *finished(120, "train_run", 5)])) == expected | {"train": (5, 8, 1, 0)}


def test_time_left_is_the_work_that_is_left_over_the_jobs_at_work():
    call = read(TRAINED)
    # 2 trainings of 100 s; 2 scorings, not timed, at the median of 10 and 100 s; 240 s of work in 120 s
    assert seconds_left(call, START + 120) == pytest.approx((2 * 100 + 2 * 55) / 2)
    call.feed([*begun(120, "train_run", 7), *begun(120, "train_run", 8)])
    assert seconds_left(call, START + 150) == pytest.approx((2 * 70 + 2 * 55) / 2)
    # a job that takes longer than its like has no work left that is known of
    assert seconds_left(call, START + 320) == pytest.approx(2 * 55 / 2)
    assert progress_of(call, START + 150).left == "about 2 min left"


def test_first_jobs_of_a_rule_count_with_what_they_have_taken():
    call = read(HALF)
    assert seconds_left(call, START + 40) == pytest.approx((4 * 20 - 2 * 20 + 2 * 10) / 2)
    progress = progress_of(call, START + 40)
    assert progress.left.startswith("at least") and progress.untimed == ["train_run", "score_run"]


def test_time_is_unknown_before_a_job_has_finished():
    for lines in ([], PLANNED, [*PLANNED, *begun(0, "write_spec", 1)]):
        assert seconds_left(read(lines), START + 5) is None
    assert progress_of(read(PLANNED)).left == "time left unknown"


def test_failed_jobs_are_counted_until_they_are_restarted():
    call = read([*HALF, *failed(50, "train_run", 5)])
    assert counts(call)["train"] == (4, 8, 1, 1) and call.busy_seconds == 4 * 10 + 30
    call.feed(["Trying to restart job 5."])
    assert counts(call)["train"] == (4, 8, 1, 0)
    call.feed([*begun(60, "train_run", 5), *finished(90, "train_run", 5)])
    assert counts(call)["train"] == (5, 8, 1, 0) and call.seconds["train_run"] == [30.0]


def test_call_that_ended_says_how():
    call = read([*HALF, *failed(50, "train_run", 5), *CLOSED])
    progress = progress_of(call)
    assert not progress.is_open and progress.left == "ended before all was done" and progress.seconds_left is None
    assert progress.whole.running == 0 and progress.whole.failed == 1
    whole = read([*table(write_spec=1), *begun(0, "write_spec", 1), *finished(2, "write_spec", 1), *CLOSED])
    assert progress_of(whole).left == "all done" and progress_of(whole).seconds_left == 0


def test_killed_call_is_silent():
    assert progress_of(read(TRAINED), START + 7320).left.endswith("left, no entry for 2 h 0 min")


def test_another_table_counts_anew_and_a_repeated_one_does_not():
    assert counts(read([*TRAINED, *PLANNED])) == counts(read(TRAINED))
    assert counts(read([*TRAINED, *table(score_run=2)])) == {"evaluate": (0, 2, 0, 0)}


def test_jobs_that_turn_up_on_the_way_count_in_the_total():
    lines = [*table(write_spec=1), *finished(1, "write_spec", 1), *finished(1, "write_spec", 2)]
    assert counts(read([*lines, *begun(2, "check_run", 3)])) == {"train": (2, 3, 1, 0)}


def test_log_without_lines_about_rules_is_counted_without_times():
    call = read([*table(write_spec=2), at(0), "Finished jobid: 1 (Rule: write_spec)"])  # --quiet rules
    assert counts(call) == {"train": (1, 2, 0, 0)} and seconds_left(call, START + 5) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["write_spec", "train_run", "score_run"]), st.integers(0, 50)), min_size=1))
def test_counts_never_exceed_the_total_and_time_falls_to_nothing(jobs):
    names = [rule for rule, _ in jobs]
    call, now = read(table(**{rule: names.count(rule) for rule in names})), 0
    for number, (rule, took) in enumerate(jobs):
        call.feed(begun(now, rule, number))
        now += took
        before = seconds_left(call, START + now)
        call.feed(finished(now, rule, number))
        progress = progress_of(call, START + now)
        assert all(stage.done + stage.running + stage.failed <= stage.total for stage in progress.stages)
        assert progress.whole.done == number + 1 and progress.seconds_left >= 0
        assert before is None or before >= 0
    assert progress.seconds_left == 0 and progress.left == "all done" and call.busy_seconds == now


@pytest.fixture
def project(tmp_path):
    """A folder of results with one run, and a function that writes a log beside it."""
    results = tmp_path / "results/tiny"
    write_json({"max_steps": 1}, results / "specs/a.json")
    write_json({"steps": 1}, results / "train/a/run.json")
    write_table(metrics_frame([{**LOGGED, "step": 1}], "a"), results / "train/a/metrics.parquet", METRICS)

    def write(name, text, age=0.0):
        path = tmp_path / f".snakemake/log/{name}.snakemake.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (time.time() - age,) * 2)
        return path

    return results, write


def test_follower_reads_what_was_appended_and_waits_for_the_end_of_a_line(project):
    results, write = project
    calls, text = follow(results), "\n".join(TRAINED) + "\n"
    assert calls.look() is None
    for cut in range(0, len(text) + 1, 97):
        path = write("a", text[:cut])
        call = calls.look()
        assert call is None or call.done == read(text[:cut].split("\n")[:-1]).done
    write("a", text)
    assert calls.look() == read(TRAINED) and calls.path == path


def test_follower_takes_the_call_for_the_folder_that_was_written_last(project):
    results, write = project
    work = "\n".join(TRAINED) + "\n"
    write("1", work, age=500)
    mine = write("2", work, age=400)
    write("3", work.replace("results/tiny", "results/pocket"), age=300)
    write("4", "\n".join([*table(curves=1), *begun(0, "curves", 0)]) + "\n", age=200)
    write("5", "Building DAG of jobs...\nNothing to be done.\n", age=100)
    write("6", "")
    calls = follow(results)
    assert calls.look() is not None and calls.path == mine
    assert follow(results, since=time.time() - 50).look() is None
    newer = write("7", "\n".join(PLANNED + begun(0, "write_spec", 1)) + "\n")
    assert calls.look().done == {} and calls.path == newer


def test_lines_name_every_stage_and_the_time_left():
    progress = progress_of(read([*HALF, *failed(40, "train_run", 5)]), START + 40)
    assert stage_lines(progress) == [
        "train      4/8  1 running  1 failed",
        "evaluate   0/2",
        "targets    0/1",
        "all       4/11  1 running  1 failed  at least 30 s left (not timed yet: train_run, score_run)",
    ]
    assert stages_line(progress) == "train 4/8  evaluate 0/2  all 4/11  1 running  1 failed  at least 30 s left"


def test_commands_show_the_stages_or_say_that_there_is_no_log(project, capsys):
    results, write = project
    shown = CliRunner().invoke(app, ["watch", str(results), "--once"])
    assert shown.exit_code == 0 and "No log of a call of Snakemake for tiny" in shown.output.replace("\n", " ")
    path = write("a", "\n".join(TRAINED) + "\n")
    shown = CliRunner().invoke(app, ["watch", str(results), "--once"])
    assert "train      6/8" in shown.output and "runs 1/1" in shown.output
    found = CliRunner().invoke(app, ["watch", str(results), "--json"])
    run, last = map(json.loads, found.output.splitlines())
    assert run["run_id"] == "a" and last["workflow"]["log"] == str(path)
    assert last["workflow"]["stages"][0] == {"name": "train", "total": 8, "done": 6, "running": 0, "failed": 0}
    watch.main(results, once=True)
    assert "tiny: train 6/8  evaluate 0/2  all 6/11" in capsys.readouterr().err
