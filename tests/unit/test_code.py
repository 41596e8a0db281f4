"""Programs as answers: what counts as the program, what the tests decide, and the way through grader and reward."""

import json
import re
import sys

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.core.errors import InputError
from rlvr.data.gold_grades import judge_gold
from rlvr.data.readers import read_problems
from rlvr.evaluate.grades import grade_samples
from rlvr.grading.batches import Completion, Resources, grade_all
from rlvr.grading.code import solutions
from rlvr.grading.code.sandbox import launch
from rlvr.grading.code.sandbox.launch import Cases, run_tests
from rlvr.grading.code.sandbox.limits import Limits
from rlvr.grading.code.solutions import find_blocks, last_program
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


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("no block at all: def f(): pass", None),
        ("```python\na\n```", "a"),
        ("```python\na\n```\nbetter:\n```python\nb\n```", "b"),
        ("```python\na\n```\nwhich prints\n```\n3\n```", "a"),
        ("```\na\n```\nand\n```\nb\n```", "b"),
        ("```py\na\n```", "a"),
        ("```Python3 title\na\n```", "a"),
        ("```json\n{}\n```", None),
        ("```python\na\n```\n```text\nb\n```", "a"),
        ("```python\na\n```\n```python\nb", "a"),
        ("```python\nb", None),
        ("~~~python\na\n~~~", "a"),
        ("````python\na = '''\n```\n'''\n````", "a = '''\n```\n'''"),
        ("1. do\n   ```python\n   if x:\n       a\n   ```", "if x:\n    a"),
        ("```python\r\na\r\n```\r\n", "a\r"),
        ("inline ```python a``` is none", None),
        ("```python\n```", ""),
    ],
)
def test_which_block_is_the_program(text, program):
    assert last_program(text) == program


def blocks_by_search(text: str) -> list[str]:
    """The slow obvious version for backticks: the first closing line after each opening one."""
    pattern = re.compile(r"^```([a-z]*)\n((?:(?!```$).*\n)*?)```$", re.MULTILINE)
    return [match[2].removesuffix("\n") for match in pattern.finditer(text)]


@given(st.lists(st.sampled_from(["```", "```python", "a", "b = 1", ""]), max_size=12).map("\n".join))
def test_blocks_are_those_of_the_obvious_search(text):
    assert [block.text for block in find_blocks(text)] == blocks_by_search(text)


@given(st.text(alphabet="`~pyt \n\r\tax", max_size=80))
@settings(max_examples=300)
def test_any_text_has_a_program_or_none(text):
    program = last_program(text)
    assert program is None or isinstance(program, str)


def test_finding_blocks_is_linear():
    assert len(find_blocks("```python\nx\n```\n" * 20_000)) == 20_000
    assert find_blocks("```" * 200_000) == [] == find_blocks("```a\n" * 200_000)


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
        (ADD, {"test_list": ["assert add(1"]}, "a test: is no Python: 'assert add"),
        (ADD, {"test_list": [3]}, "a test: is no Python: '3'"),
        (ADD, {"test_setup_code": "("}, "a test: is no Python"),
        ("def add(a, b) return", {}, "the reference program: is no Python"),
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
