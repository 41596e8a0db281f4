"""Many grades at once: the verdicts of one by one, whatever the answers do to the processes that compare them."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from diskcache import Cache

from rlvr.core.errors import InputError
from rlvr.core.provenance import LIBRARY
from rlvr.grading import batches, grade_cache, grader, workers
from rlvr.grading.batches import Completion, Resources, grade_all
from rlvr.grading.grade_cache import cache_key, load_grades, store_grades
from rlvr.grading.grader import grade
from rlvr.grading.mathematics import math_answers
from rlvr.grading.verdicts import Grade
from rlvr.grading.workers import Asked, grade_in_workers

HARD = [  # what only computer algebra compares
    (r"\sin(x)", r"\sin x"), (r"\sin(x)", r"\cos x"), (r"3e^{2}", r"3 \cdot e^2"), (r"[1,2)", r"1 \leq x < 2"),
    (r"[1,2)", "1 < x < 2"), (r"\log 8", r"3\log 2"),
]  # fmt: skip
EASY = [("5", "5"), ("5", "6"), ("Yes", "no"), ("(1,2)", "(1, 2)"), ("x+1", "1+x")]


def completions(pairs: list[tuple[str, str]], repeats: int = 1) -> list[Completion]:
    return [Completion(rf"so \boxed{{{answer}}}", gold, "math") for gold, answer in pairs] * repeats


def one_by_one(asked: list[Completion]) -> list[Grade]:
    return [grade(one.text, one.gold, one.verifier) for one in asked]


def test_grades_are_those_of_one_by_one() -> None:
    asked = [*completions(HARD + EASY, repeats=3), Completion("no box", "5", "math")]
    assert grade_all(asked, Resources(workers=2)) == one_by_one(asked)


def test_easy_and_tame_answers_start_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "grade_in_workers", lambda *_: pytest.fail("a worker was started"))
    asked = completions([*EASY, ("5", "82626h"), ("5", "2667$6"), ("5", "9:7")], repeats=50)
    assert grade_all(asked, Resources()) == one_by_one(asked)


def test_equal_answers_are_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Asked] = []

    def watch(questions: list[Asked], _: int) -> dict[Asked, Grade]:
        seen.extend(questions)
        return {question: Grade("wrong", question.essence, "match") for question in questions}

    monkeypatch.setattr(batches, "grade_in_workers", watch)
    grade_all(completions(HARD, repeats=10), Resources())
    assert len(seen) == len(set(seen)) == len(HARD)


def test_unreadable_gold_and_unknown_verifier_stop_the_run() -> None:
    with pytest.raises(InputError, match="cannot be read"):
        grade_all([Completion(r"\boxed{x}", r"\text{ }", "math")], Resources())
    with pytest.raises(InputError, match="verifier 'chess'"):
        grade_all([Completion("x", "5", "chess")], Resources())


def test_verifier_that_cannot_be_imported_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ImportError("no such package")

    monkeypatch.setitem(grader.FAMILIES, "broken", broken)
    with pytest.raises(ImportError):
        grade_all([Completion("x", "5", "broken/one")], Resources())
    monkeypatch.setattr(math_answers, "same", broken)
    with pytest.raises(ImportError):
        grade(r"\boxed{\sin 71}", r"\cos 71", "math")


def misbehave(essence: str | None, gold: str, _meta: str) -> Grade:
    """A verifier that does what the answer says; runs in workers only."""
    if essence == "spin":
        while True:
            time.sleep(0.05)
    if essence == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if essence == "hoard":
        try:
            bytearray(8 * 2**30)
        except MemoryError:
            return Grade("unparsed", essence, "match")
    return Grade("correct" if essence == gold else "wrong", essence, "match")


@pytest.fixture
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that judge by ``misbehave``; they must see it, so they are forked from this process."""
    verifier = replace(grader.MATH, grade=misbehave, quick=lambda *_: None, limit_s=1.0)
    monkeypatch.setitem(grader.FAMILIES, "misbehaving", lambda: {"misbehaving": verifier})
    fork = partial(workers.ProcessPool, context=workers.multiprocessing.get_context("fork"))
    start = partial(fork, initializer=workers._limit_memory)
    monkeypatch.setattr(workers, "_start_pool", lambda count: start(max_workers=count))


@pytest.mark.usefixtures("misbehaving")
def test_every_answer_has_a_verdict_whatever_its_neighbours_do() -> None:
    texts = ["5", "6", "spin", "7", "die", "5 ", "hoard", "8"]
    questions = [Asked("misbehaving", gold, "{}", text) for gold in ("5", "6") for text in texts]
    start = time.monotonic()
    grades = grade_in_workers(questions, workers=2)
    assert time.monotonic() - start < 25
    assert set(grades) == set(questions)
    verdicts = {(question.gold, question.essence): grades[question].verdict for question in questions}
    for gold in ("5", "6"):
        assert [verdicts[gold, text] for text in ("spin", "die", "hoard")] == ["timed_out", "timed_out", "unparsed"]
        assert verdicts[gold, gold] == "correct" and verdicts[gold, "7"] == verdicts[gold, "8"] == "wrong"


ASKED_TO_STOP = """
import os
import signal
signal.signal(signal.SIGTERM, lambda *_: None)  # a trainer finishes its step first
print("ready", flush=True)
from rlvr.grading.workers import Asked, grade_in_workers
questions = [Asked("math", gold, "{}", answer) for gold, answer in PAIRS]
for _ in range(3):
    grades = grade_in_workers(questions, workers=2)
    print(*(grades[question].verdict for question in questions), flush=True)
os._exit(0)  # an interpreter that ends hears SIGTERM again
"""


def test_a_scheduler_that_asks_every_process_of_a_job_to_stop_costs_no_grade() -> None:
    code = ASKED_TO_STOP.replace("PAIRS", repr(HARD))
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(LIBRARY)},
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
    ) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == "ready\n"
        while job.poll() is None:
            os.killpg(job.pid, signal.SIGTERM)
            time.sleep(0.01)
        expected = [grade(rf"\boxed{{{answer}}}", gold, "math").verdict for gold, answer in HARD]
        assert job.returncode == 0 and job.stdout.read() == 3 * (" ".join(expected) + "\n")


def question(number: int) -> Asked:
    return Asked("math", f"x+{number}", "{}", f"y+{number}")


def test_cached_grades_are_not_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = Resources(workers=1, cache_dir=str(tmp_path / "grades"))
    first = grade_all(completions(HARD), resources)
    monkeypatch.setattr(batches, "grade_in_workers", lambda *_: pytest.fail("a known grade was found again"))
    assert grade_all(completions(HARD), resources) == first == one_by_one(completions(HARD))


def test_another_version_or_problem_is_another_grade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_grades(tmp_path, {question(1): Grade("wrong", "y+1", "match")})
    assert load_grades(tmp_path, [question(1), question(2)]) == {question(1): Grade("wrong", "y+1", "match")}
    keys = {cache_key(replace(question(1), **{name: "other"})) for name in ("verifier", "gold", "meta", "essence")}
    assert len(keys | {cache_key(question(1))}) == 5
    monkeypatch.setattr(grade_cache, "GRADER_VERSION", "another")
    assert load_grades(tmp_path, [question(1)]) == {}


def test_time_outs_are_not_kept(tmp_path: Path) -> None:
    store_grades(tmp_path, {question(1): Grade("timed_out", None, "match")})
    assert load_grades(tmp_path, [question(1)]) == {}


def test_several_jobs_may_write_at_once(tmp_path: Path) -> None:
    def job(number: int) -> None:
        for place in range(5):
            one = question(10 * number + place)
            store_grades(
                tmp_path, {one: Grade("wrong", one.essence, "match"), question(0): Grade("wrong", "0", "match")}
            )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(job, range(1, 5)))
    assert len(load_grades(tmp_path, [question(number) for number in range(60)])) == 21


@pytest.mark.parametrize("damage", ["garbage", "truncated", "file", "impossible"])
def test_a_folder_that_cannot_be_used_costs_a_warning_and_no_grade(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "grades"
    store_grades(folder, {question(1): Grade("wrong", "y+1", "match")})
    database = folder / "cache.db"
    if damage == "garbage":
        database.write_bytes(b"no database " * 1000)
    elif damage == "truncated":
        database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])
    else:
        (tmp_path / "file").write_text("in the way")
        folder = tmp_path / "file" / ("" if damage == "file" else "below")
    asked = completions(HARD[:1]) * 40
    assert grade_all(asked, Resources(1, str(folder))) == one_by_one(asked)
    store_grades(folder, {question(2): Grade("wrong", "y+2", "match")})
    assert load_grades(folder, [question(1), question(2)]) == {}
    assert str(folder) in caplog.text


@pytest.mark.parametrize("stored", ["no JSON", "{}", '["correct"]', '["right", "5", "rule"]', "[1]", b"x", 5, "5"])
def test_a_damaged_entry_is_found_again(stored: object, tmp_path: Path) -> None:
    with Cache(str(tmp_path)) as cache:
        cache.set(cache_key(question(1)), stored)
    assert load_grades(tmp_path, [question(1)]) == {}
    grades = {question(1): Grade("wrong", "y+1", "match")}
    store_grades(tmp_path, grades)
    assert load_grades(tmp_path, [question(1)]) == grades


def test_lone_surrogates_have_a_key() -> None:
    assert cache_key(Asked("math", "5", "{}", "\ud800"))
