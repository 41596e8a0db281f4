"""Programs as answers: what counts as the program, what the tests decide, and the way through grader and reward."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from rlvr.core.errors import InputError
from rlvr.data.gold_grades import judge_gold
from rlvr.data.readers import read_problems
from rlvr.evaluate.grades import grade_samples
from rlvr.grading.batches import Completion, Resources, grade_all
from rlvr.grading.code import solutions
from rlvr.grading.code.sandbox import launch
from rlvr.grading.code.sandbox.launch import Cases, run_tests
from rlvr.grading.code.sandbox.limits import Limits
from rlvr.grading.grader import check_gold, grade
from rlvr.grading.verdicts import Grade
from rlvr.rewards.reward import RewardRule, reward_for

# Records in the shape of MBPP, written for these tests: line ends, blanks and set-up code as they occur there.
RECORDS = (
    {
        "text": "Write a function that adds two numbers.",
        "code": "def add(a, b): \r\n\treturn (a + b)",
        "test_setup_code": "",
        "test_list": ["assert add(1, 2) == 3", "assert add(-1,  1)==0", "assert (add(2.5, 1)) == 3.5 "],
        "challenge_test_list": ["assert add('a', 'b') == 'ab'"],
    },
    {
        "text": "Write a function to count the values in a tree.",
        "code": "class Node:\r\n  def __init__(self, v):\r\n    self.v = v\r\n    self.left = self.right = None\r\n"
        "def count(n):\r\n  if n is None:\r\n    return 0\r\n  return 1 + count(n.left) + count(n.right)",
        "test_setup_code": "root = Node(1) \r\nroot.left = Node(2) \r\nroot.right = Node(3)",
        "test_list": ["assert (count(root)) == 3", "assert count(Node(5)) == 1"],
        "challenge_test_list": [],
    },
    {
        "text": "Write a function for the size of an object.",
        "code": "import sys\r\ndef size(t):\r\n  return sys.getsizeof(t)",
        "test_setup_code": "",
        "test_list": ["assert size((1, 'A')) == sys.getsizeof((1, 'A'))"],
        "challenge_test_list": [],
    },
    {
        "text": "Write a function for the sum of the common divisors.",
        "code": "def sum(a, b):\r\n  s = 0\r\n  for i in range(1, min(a, b) + 1):\r\n    if a % i == b % i == 0:\r\n"
        "      s += i\r\n  return s",
        "test_setup_code": "",
        "test_list": ["assert sum(10, 15) == 6", "assert sum(4, 6) == 3"],
        "challenge_test_list": [],
    },
)
ADD = RECORDS[0]["code"]


def meta(record: dict = RECORDS[0], **changes: object) -> str:
    kept = {name: record[name] for name in ("test_setup_code", "test_list", "challenge_test_list")}
    return json.dumps(kept | changes)


def fenced(program: str, label: str = "python") -> str:
    return f"<think>Let me see.</think>\n```{label}\n{program}\n```\nThat is all."


@pytest.fixture(scope="module", autouse=True)
def walled_or_skipped():
    """Walled off whatever the environment says."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the sandbox needs Linux")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(launch.WALLS, raising=False)
        try:
            run_tests("", Cases(("pass",)), solutions.LIMITS)
        except InputError as error:
            pytest.skip(str(error))
        yield


USES = ["print(add(1, 2))", "from solution import add\nassert add(1, 2) == 3", "x = 3", "add(1,", "class Test: pass"]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("label", ["python", ""])
def test_an_example_may_follow_the_program(use, label):
    text = f"{fenced(ADD)}\nFor example:\n```{label}\n{use}\n```"
    assert grade(text, ADD, "code", meta()).verdict == "correct"


def test_the_last_definition_is_the_answer_even_if_it_is_broken():
    assert grade(fenced(ADD) + fenced("def add(a, b): return 0"), ADD, "code", meta()).verdict == "wrong"
    assert grade(fenced(ADD) + fenced("def add(a, b): return a +"), ADD, "code", meta()).verdict == "unparsed"
    assert grade(f"```python\nadd = 3\n```\n```\n{ADD}\n```", ADD, "code", meta()).verdict == "wrong"


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["text"])
def test_reference_programs_pass_their_tests(record):
    check_gold(record["code"], "code", meta(record))
    assert judge_gold(record["code"], "code", meta(record)) == ("correct", None)
    assert grade(fenced("x = 1"), record["code"], "code", meta(record)).verdict == "wrong"


@pytest.mark.parametrize(
    ("program", "verdict", "stage"),
    [
        ("def add(x, y):\n    return x - -y", "correct", "match"),
        ("add = lambda *a: __import__('builtins').sum(a)", "correct", "match"),
        ("def add(a, b):\n    return 3", "wrong", "match"),
        ("def plus(a, b):\n    return a + b", "wrong", "match"),
        ("import os\nos._exit(0)", "wrong", "match"),
        ("def add(a, b)\n    return a + b", "unparsed", "parse"),
        ("x = 0" + " " * 100_000, "unparsed", "parse"),
    ],
)
def test_verdicts(program, verdict, stage):
    found = grade(fenced(program), ADD, "code", meta())
    assert found == Grade(verdict, program[: solutions.MAX_STORED], stage)


def test_no_block_is_no_answer():
    assert grade("return a + b", ADD, "code", meta()) == Grade("unparsed", None, "extract")


def test_time_runs_out(monkeypatch):
    monkeypatch.setattr(solutions, "LIMITS", Limits(wall_s=1.0, cpu_s=1))
    assert grade(fenced("while True: pass"), ADD, "code", meta()).verdict == "timed_out"


def test_tests_use_python_and_not_what_the_program_made_of_it():
    tests = meta(test_list=["assert set(add(1, 2)) == {3}", "assert sorted(add(1, 2)) == [3]"])
    good, gold = "def add(a, b): return [a + b]", "def add(a, b): return [a + b, a + b][:1]"
    cheat = "def add(a, b): return []\ndef set(x): return {3}\ndef sorted(x): return [3]"
    assert grade(fenced(good), gold, "code", tests).verdict == "correct"
    assert grade(fenced(cheat), gold, "code", tests).verdict == "wrong"


def test_imports_of_the_reference_serve_tests_even_if_the_program_forges_them():
    record = RECORDS[2]
    forged = "class sys: getsizeof = staticmethod(lambda t: 0)\ndef size(t): return 0"
    assert grade(fenced(forged), record["code"], "code", meta(record)).verdict == "wrong"


def test_challenge_tests_are_not_part_of_the_criterion():
    assert grade(fenced("def add(a, b): return 0 + a + b"), ADD, "code", meta()).verdict == "correct"


@pytest.mark.parametrize(
    ("gold", "changes", "message"),
    [
        (ADD, {"test_list": []}, "no 'test_list'"),
        (ADD, {"test_list": None}, "no 'test_list'"),
        (ADD, {"test_list": ["assert add(1"]}, "a test: is not Python: 'assert add"),
        (ADD, {"test_list": [3]}, "a test: is not Python: '3'"),
        (ADD, {"test_setup_code": "("}, "a test: is not Python"),
        ("def add(a, b) return", {}, "the reference program: is not Python"),
        (
            ADD,
            {"test_list": ["assert add(1, 2) == 3", "assert add(1, 1) == 3"]},
            "failed after passing 1 of its own tests",
        ),
        (ADD, {"test_setup_code": "1 / 0"}, "failed after passing 0"),
    ],
)
def test_records_that_cannot_be_graded_against_stop_the_run(gold, changes, message):
    with pytest.raises(InputError, match=re.escape(message)):
        check_gold(gold, "code", meta(**changes))


RETURNED = [
    ("from fractions import Fraction", "Fraction(1, 2)", "Fraction(1, 3)"),
    ("from decimal import Decimal", "Decimal(1) / 3", "Decimal('NaN')"),
    ("from datetime import date", "date(2020, 1, 2)", "date(2020, 1, 3)"),
    ("from datetime import datetime, timezone", "datetime(2020, 1, 2, tzinfo=timezone.utc)", "datetime(2020, 1, 2)"),
    ("from datetime import time, timedelta", "[time(3, 4), timedelta(hours=30)]", "[time(3, 4), timedelta(hours=3)]"),
    ("", "range(3)", "range(4)"), ("", "range(10**30)", "range(10**31)"),
    ("", "{1: 2}.keys()", "{2: 2}.keys()"), ("", "{1: [2]}.items()", "{1: [3]}.items()"),
    ("", "bytearray(b'ab')", "bytearray(b'a')"), ("", "(len, Ellipsis)[0]", "max"), ("", "range", "int"),
]  # fmt: skip


@pytest.mark.parametrize(("imports", "right", "wrong"), RETURNED)
def test_values_of_the_standard_library_are_compared(imports, right, wrong):
    tests = meta(test_list=[f"assert f() == {right}", f"assert f() != {wrong}", f"assert type(f()) is type({right})"])
    gold = f"{imports}\ndef f(): return {right}"
    check_gold(gold, "code", tests)
    assert grade(fenced(gold), gold, "code", tests).verdict == "correct"
    assert grade(fenced(f"{imports}\ndef f(): return {wrong}"), gold, "code", tests).verdict == "wrong"
    imposter = "class All:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return True"
    assert grade(fenced(f"{imposter}\ndef f(): return All()"), gold, "code", tests).verdict == "wrong"


def test_tests_may_pass_such_values_and_functions_of_python():
    tests = meta(test_list=["assert f(len, Fraction(1, 2)) == (3, 1)", "assert f(max, Fraction(2, 2)) == ('c', 2)"])
    gold = "from fractions import Fraction\ndef f(g, x): return g('abc'), x * 2"
    check_gold(gold, "code", tests)


@pytest.mark.parametrize(
    ("gold", "test"),
    [
        ("def f(x): x.sort()", "x = [2, 1]; f(x); assert x == [1, 2]"),
        ("def f(g): return g(1)", "assert f(lambda x: x + 1) == 2"),
        ("def f(): raise ValueError", "try:\n    f()\n    assert False\nexcept ValueError:\n    pass"),
        ("import random\ndef f(): return random.random()", "random.seed(1); a = f(); random.seed(1); assert a == f()"),
    ],
)
def test_what_the_sandbox_cannot_carry_is_not_blamed_on_the_record(gold, test):
    with pytest.raises(InputError, match="passes when it shares a process") as raised:
        check_gold(gold, "code", meta(test_list=[test]))
    assert "Mend" not in str(raised.value)
    with pytest.raises(InputError, match="Correct the record"):
        check_gold("def f(*_): return 7", "code", meta(test_list=[test]))


def test_the_sandbox_writes_nothing_beside_its_sources(tmp_path, monkeypatch):
    library = Path(launch.rlvr.__file__).parents[1]
    copy = shutil.copytree(library, tmp_path / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    call = "from rlvr.grading.code.sandbox.launch import Cases, run_tests; print(run_tests('', Cases(('pass',))).how)"
    command = [sys.executable, "-B", "-c", call]
    run = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "passed"
    assert not list(copy.rglob("*.pyc"))


@pytest.mark.parametrize("record", ["", "[]", "nonsense", "{}"])
def test_records_without_tests_are_no_zero(record):
    with pytest.raises(InputError, match="record of a program"):
        grade(fenced(ADD), ADD, "code", record)


def test_what_the_reader_makes_of_records_can_be_graded():
    raw = pd.DataFrame([record | {"task_id": number} for number, record in enumerate(RECORDS)])
    problems = read_problems(raw, "mbpp", source="toy", dataset="set", where="toy.jsonl")
    for problem in problems.itertuples():
        check_gold(problem.answer, problem.verifier, problem.meta)
        assert grade(fenced(problem.answer), problem.answer, problem.verifier, problem.meta).verdict == "correct"


def test_evaluation_grades_programs_in_workers():
    raw = pd.DataFrame([record | {"task_id": number} for number, record in enumerate(RECORDS[:2])])
    problems = read_problems(raw, "mbpp", source="toy", dataset="set", where="toy.jsonl")
    names = list(problems["problem_id"])
    texts = [fenced(ADD), fenced("def add(a, b): return 0"), "nothing", fenced(RECORDS[1]["code"])]
    samples = pd.DataFrame(
        {"benchmark": "set", "problem_id": [names[0]] * 3 + [names[1]], "sample": [0, 1, 2, 0], "text": texts}
    )
    grades = grade_samples(samples, problems, Resources(workers=2))
    assert list(grades["verdict"]) == ["correct", "wrong", "unparsed", "correct"]


def test_workers_start_no_second_copy_of_equal_programs():
    asked = [Completion(fenced(ADD) + f"\n{number}", ADD, "code", meta()) for number in range(50)]
    assert {one.verdict for one in grade_all(asked, Resources(workers=1))} == {"correct"}


def test_reward_of_a_program_is_that_of_its_verdict():
    for program, signed in ((ADD, 1.0), ("def add(a, b): return 0", -1.0)):
        verdict = grade(fenced(program), ADD, "code", meta()).verdict
        assert reward_for(verdict, fenced(program), 10, RewardRule("signed")).total == signed
        assert reward_for(verdict, fenced(program), 10, RewardRule("binary")).total == max(signed, 0.0)
