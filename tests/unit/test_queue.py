"""Jobs of a killed driver are waited for."""

from pathlib import Path

import pytest

from rlvr.core import queue

SQUEUE = """#!/bin/sh
cat "{answers}/$(cat {answers}/next)"
echo $(( $(cat {answers}/next) + 1 )) > {answers}/next
"""


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `squeue` that gives one prepared answer after another."""
    program = tmp_path / "bin" / "squeue"
    program.parent.mkdir()
    program.write_text(SQUEUE.format(answers=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    (tmp_path / "next").write_text("0")
    return tmp_path


def test_jobs_of_other_folders_and_without_a_rule_are_no_concern(answers: Path, tmp_path: Path) -> None:
    lines = [
        f"1|{tmp_path}|rule_train_run_wildcards_x",
        "2|/elsewhere|rule_train_run_wildcards_x",
        f"3|{tmp_path}|(null)",
    ]
    (answers / "0").write_text("\n".join(lines) + "\n")
    assert queue.running_jobs(tmp_path) == ["1 rule_train_run_wildcards_x"]


def test_a_driver_that_is_a_job_itself_does_not_wait_for_itself(
    answers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    (answers / "0").write_text(f"1|{tmp_path}|rule_driver\n")
    assert queue.running_jobs(tmp_path) == []


def test_it_waits_until_none_is_left_and_says_for_which(
    answers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "announce", print)
    for name in ("0", "1"):
        (answers / name).write_text(f"7|{tmp_path}|rule_train_run_wildcards_x\n")
    (answers / "2").write_text("")
    waited: list[float] = []
    assert queue.await_running_jobs(tmp_path, waited.append) == 2
    assert waited == [queue.ASK_EVERY_S] * 2
    assert "7 rule_train_run_wildcards_x" in capsys.readouterr().out


def test_without_a_scheduler_nothing_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert queue.await_running_jobs(tmp_path) == 0


def test_a_scheduler_that_stops_answering_is_asked_again(
    answers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cat` fails where there is no answer, as squeue fails while its controller is down."""
    monkeypatch.setattr(queue, "announce", print)
    (answers / "0").write_text(f"7|{tmp_path}|rule_train_run_wildcards_x\n")
    (answers / "2").write_text(f"7|{tmp_path}|rule_train_run_wildcards_x\n")
    (answers / "3").write_text("")
    program = answers / "bin" / "squeue"
    program.write_text(program.read_text() + f"[ $(cat {answers}/next) != 2 ]\n")
    assert queue.running_jobs(tmp_path) == ["7 rule_train_run_wildcards_x"]
    assert queue.running_jobs(tmp_path) is None
    (answers / "next").write_text("0")
    assert queue.await_running_jobs(tmp_path, lambda _: None) == 3


def test_a_scheduler_that_never_answered_is_not_waited_for(answers: Path, tmp_path: Path) -> None:
    (answers / "bin" / "squeue").write_text("#!/bin/sh\nexit 1\n")
    assert queue.await_running_jobs(tmp_path) == 0


def test_nobody_waits_for_a_job_that_never_comes_back() -> None:
    watch = queue.Watch()
    assert watch.settled({"1": "RUNNING", "2": "PENDING"}) == {"1": "RUNNING", "2": "PENDING"}
    assert watch.settled({"1": "PREEMPTED", "3": "RUNNING"}) == {"1": "CANCELLED", "2": "COMPLETED", "3": "RUNNING"}
    assert watch.settled({"2": "RUNNING"}) == {"1": "COMPLETED", "2": "RUNNING", "3": "COMPLETED"}


def test_a_controller_without_an_answer_is_taken_to_forget_as_before() -> None:
    watch = queue.Watch()
    assert [watch.age(asked) for asked in (None, 600, None, 20)] == [300, 600, 600, 20]
