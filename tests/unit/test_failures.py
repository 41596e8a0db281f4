"""What failed jobs leave undone: who is to blame, and how long that holds."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rlvr.core.failures import NAME, blamed, failed_files, forget_failures, note_failures
from rlvr.plan.program import finished_runs


@st.composite
def halted_calls(draw):
    """Jobs in the order of their files, each after some earlier ones; which of the undone ones failed."""
    count = draw(st.integers(1, 12))
    before = {job: draw(st.sets(st.integers(0, job - 1))) if job else set() for job in range(count)}
    done: set[int] = set()
    for job in range(count):
        if before[job] <= done and draw(st.booleans()):
            done.add(job)
    ready = [job for job in range(count) if job not in done and before[job] <= done]
    failed = {job for job in ready if draw(st.booleans())}
    return before, set(range(count)) - done, failed


@given(halted_calls())
def test_a_job_is_undone_for_the_sake_of_a_failed_one_below_it(call):
    before, waiting, failed = call
    found = blamed(waiting, failed, before.__getitem__)

    def below(job: int) -> set[int]:
        """The slow and obvious way: every undone job that a job waits for, itself among them."""
        return {job}.union(*(below(each) for each in before[job] if each in waiting))

    assert set(found.values()) <= failed
    assert found.keys() == {job for job in waiting if below(job) & failed}
    assert all(culprit in below(job) for job, culprit in found.items())
    assert all(found[job] == job for job in failed)


def test_a_noted_file_counts_until_it_is_made(tmp_path: Path):
    missing, old, made = (str(tmp_path / name) for name in ("missing", "old", "made"))
    Path(old).write_text("of the day before")
    note_failures({missing: "a.log", old: "b.log"}, tmp_path)
    note_failures({made: "c.log"}, tmp_path)
    assert failed_files(tmp_path) == {missing: "a.log", old: "b.log", made: "c.log"}
    Path(made).write_text("made by hand")
    assert failed_files(tmp_path) == {missing: "a.log", old: "b.log"}
    Path(old).write_text("made anew")
    note_failures({}, tmp_path)
    assert failed_files(tmp_path) == {missing: "a.log"}
    forget_failures(tmp_path)
    forget_failures(tmp_path)
    assert failed_files(tmp_path) == {} and not (tmp_path / NAME).exists()


def test_a_run_that_is_not_the_one_asked_for_is_not_finished(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / "train" / name).mkdir(parents=True)
        (tmp_path / "train" / name / "run.json").write_text("{}")
    note_failures({str(tmp_path / "train" / "two" / "checked.json"): "check_run/two.log"}, tmp_path)
    assert finished_runs(tmp_path) == {"one"}
