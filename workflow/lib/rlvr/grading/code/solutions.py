"""Programs as answers: the last Python block of a completion must pass the problem's tests.

A problem's gold is its reference program, its ``meta`` holds ``test_list`` and ``test_setup_code``. SOURCE: the columns
of MBPP (Austin et al., 2021); a program counts if it passes every test of ``test_list``. ``challenge_test_list`` is not
part of that criterion and is not run.
"""

import ast
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from textwrap import dedent

from rlvr.core.errors import InputError
from rlvr.grading.code.sandbox.launch import Cases, run_tests
from rlvr.grading.code.sandbox.limits import Limits
from rlvr.grading.verdicts import NO_META, Grade, Stage, Verdict, Verifier

LIMITS = Limits()
LIMIT_S = LIMITS.wall_s + 50.0  # of the worker: the sandbox keeps its own time, also on a busy machine
LONGEST_PROGRAM = 100_000  # ASSUME: characters; reference programs have some hundred
MAX_STORED = 2_000  # characters of a program that are stored with its grade
PYTHON_LABELS = ("python", "python3", "py")
FENCE = re.compile(r"[ \t]*(?P<marks>`{3,}|~{3,})[ \t]*(?P<label>[^`\r\n]*?)[ \t]*\r?$")
VERDICTS: dict[str, tuple[Verdict, Stage]] = {
    "passed": ("correct", "match"),
    "failed": ("wrong", "match"),
    "gone": ("wrong", "match"),
    "timed out": ("timed_out", "match"),
    "not python": ("unparsed", "parse"),
}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: what it is labelled as, in small letters, and its lines."""

    label: str
    text: str


def last_program(text: str) -> str | None:
    """The program of a completion: its last closed block labelled Python or, without any, its last unlabelled one.

    Blocks are fenced by three or more backticks or tildes; the closing fence is at least as long as the opening one and
    has no label. A block that is never closed (the completion was cut off) is passed over, as is text outside of
    blocks. Linear in the length of the text.
    """
    blocks = find_blocks(text)
    labelled = [block for block in blocks if block.label in PYTHON_LABELS]
    unlabelled = [block for block in blocks if not block.label]
    chosen = labelled or unlabelled
    return chosen[-1].text if chosen else None


def find_blocks(text: str) -> list[Block]:
    """The closed fenced blocks of a text, in order."""
    blocks: list[Block] = []
    opening: re.Match[str] | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        fence = FENCE.match(line)
        if opening is None:
            opening, lines = fence, []
        elif fence and not fence["label"] and fence["marks"].startswith(opening["marks"]):
            label = opening["label"].split(maxsplit=1)
            blocks.append(Block(label[0].lower() if label else "", dedent("\n".join(lines))))
            opening = None
        else:
            lines.append(line)
    return blocks


def grade_program(program: str | None, gold: str, meta: str = NO_META) -> Grade:
    """Judge a program by the problem's tests.

    Args:
        program: What ``last_program`` found, or ``None``.
        gold: The reference program; tests may rely on its imports.
        meta: The problem's record, JSON.

    Raises:
        InputError: If the record cannot be graded against, or this system has no sandbox. Never because of ``program``.
    """
    tests = read_tests(gold, meta)
    if program is None:
        return Grade("unparsed", None, "extract")
    stored = program[:MAX_STORED]
    if len(program) > LONGEST_PROGRAM:
        return Grade("unparsed", stored, "parse")
    verdict, stage = VERDICTS[run_tests(program, tests, LIMITS).how]
    return Grade(verdict, stored, stage)


def grade_quickly(program: str | None, _gold: str, _meta: str = NO_META) -> Grade | None:
    """The grade where there is no program to run, else ``None``."""
    return Grade("unparsed", None, "extract") if program is None else None


@lru_cache(maxsize=2048)
def check_record(gold: str, meta: str) -> None:
    """Refuse a problem whose reference program does not pass its own tests.

    Raises:
        InputError: If the record is malformed, a test or the program does not compile, or a test fails.
    """
    outcome = run_tests(gold, read_tests(gold, meta), LIMITS)
    if outcome.how != "passed":
        raise InputError(
            "reference program",
            f"{outcome.how} after passing {outcome.passed} of its own tests.",
            "Mend the record, or leave it out.",
        )


@lru_cache(maxsize=2048)
def read_tests(gold: str, meta: str) -> Cases:
    """The tests of a problem.

    Args:
        gold: The reference program.
        meta: JSON with ``test_list`` (one or more) and, optionally, ``test_setup_code``.

    Raises:
        InputError: If something is missing or does not compile.
    """
    record = _load(meta)
    tests, setup = record.get("test_list"), record.get("test_setup_code") or ""
    if not isinstance(setup, str) or not isinstance(tests, list) or not tests:
        raise InputError("record of a program", "has no 'test_list'.", "Use a reader that keeps the tests as meta.")
    for test in [*tests, setup]:
        _parse(test, "a test")
    program = _parse(gold, "the reference program")
    imports = [ast.unparse(node) for node in program.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return Cases(tuple(tests), setup, tuple(imports), tuple(sorted(_defined(program))))


def _load(meta: str) -> dict[str, object]:
    try:
        record = json.loads(meta)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise InputError("record of a program", "is no JSON object.", "Use a reader that keeps the tests as meta.")
    return record


def _parse(code: object, what: str) -> ast.Module:
    try:
        return ast.parse(code if isinstance(code, str) else "?")
    except (SyntaxError, ValueError) as error:
        raise InputError(what, f"is no Python: {str(code)[:60]!r}.", "Mend the record, or leave it out.") from error


def _defined(program: ast.Module) -> set[str]:
    """Names that a program defines at its top level; it may thereby replace Python's own functions."""
    names = {node.name for node in program.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assigned = [target for node in program.body if isinstance(node, ast.Assign) for target in node.targets]
    return names | {target.id for target in assigned if isinstance(target, ast.Name)}


VERIFIERS = {
    "code": Verifier(
        grade=grade_program,
        check_gold=check_record,
        essence=last_program,
        quick=grade_quickly,
        limit_s=LIMIT_S,
        show=lambda gold, _meta: f"```python\n{gold}\n```",
    )
}
