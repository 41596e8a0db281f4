"""Programs as answers: the last block of a completion that defines what the problem's tests call must pass them.

A problem's gold is its reference program, its ``meta`` holds ``test_list`` and ``test_setup_code``. SOURCE: the columns
of MBPP (Austin et al., 2021); a program counts if it passes every test of ``test_list``. ``challenge_test_list`` is not
part of that criterion and is not run.
"""

import ast
import builtins
import json
from functools import lru_cache

from rlvr.core.errors import InputError
from rlvr.core.turns import own_turn, split_turn
from rlvr.grading.code.blocks import Block, choose_program, defined_names, find_blocks
from rlvr.grading.code.sandbox.launch import Cases, run_tests
from rlvr.grading.code.sandbox.limits import Limits
from rlvr.grading.verdicts import NO_META, Grade, Stage, Verdict, Verifier

LIMITS = Limits()
LIMIT_S = LIMITS.wall_s + 50.0  # of the worker: the sandbox keeps its own time, also on a busy machine
LONGEST_PROGRAM = 100_000  # ASSUME: characters; reference programs have some hundred
MAX_STORED = 2_000  # characters of a program that are stored with its grade
MOST_BLOCKS = 50  # ASSUME: of a completion; a program among earlier ones was given up long before its end
VERDICTS: dict[str, tuple[Verdict, Stage]] = {
    "passed": ("correct", "match"),
    "failed": ("wrong", "match"),
    "gone": ("wrong", "match"),
    "timed out": ("timed_out", "match"),
    "not python": ("unparsed", "parse"),
}


def answer_blocks(text: str) -> list[Block]:
    """The blocks that may hold the program: those behind the reasoning or, without any, those in it.

    Turns of the user that the model invented are no part of its answer, see ``rlvr.core.turns``.
    """
    reasoning, said = split_turn(own_turn(text))
    for part in (said, reasoning):
        if blocks := [block for block in find_blocks(part or "") if block.label in ("", "python")]:
            return blocks
    return []


def blocks_of(text: str) -> str | None:
    """The part of a completion that is judged: its last code blocks, as JSON; ``None`` where it has none."""
    blocks = answer_blocks(text)[-MOST_BLOCKS:]
    return json.dumps([[one.label, one.text[: LONGEST_PROGRAM + 1]] for one in blocks]) if blocks else None


def grade_blocks(blocks: str | None, gold: str, meta: str = NO_META) -> Grade:
    """Judge that of a completion's blocks that defines what the problem's tests call; see ``grade_program``."""
    called = called_names(gold, meta)
    found = [] if blocks is None else [Block(label, text) for label, text in json.loads(blocks)]
    return grade_program(choose_program(found, called), gold, meta)


def grade_program(program: str | None, gold: str, meta: str = NO_META) -> Grade:
    """Judge a program by the problem's tests.

    Args:
        program: The program, or ``None`` where there is none.
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


def grade_quickly(blocks: str | None, _gold: str, _meta: str = NO_META) -> Grade | None:
    """The grade where there is no program to run, otherwise ``None``."""
    return Grade("unparsed", None, "extract") if blocks is None else None


@lru_cache(maxsize=2048)
def check_record(gold: str, meta: str) -> None:
    """Refuse a problem whose reference program does not pass its own tests.

    Raises:
        InputError: If the record is malformed, a test or the program does not compile, or a test fails; it says whether
            the program passes where it shares a process with its tests, for then the record is sound and the sandbox
            is what cannot run it.
    """
    tests = read_tests(gold, meta)
    outcome = run_tests(gold, tests, LIMITS)
    if outcome.how == "passed":
        return
    problem = f"{outcome.how} after passing {outcome.passed} of its own tests"
    alone = "\n".join([gold, *tests.imports, tests.setup, *tests.tests])
    if outcome.how == "failed" and run_tests(alone, Cases(("pass",)), LIMITS).how == "passed":
        raise InputError(
            "reference program",
            f"{problem}, all of which it passes when it shares a process with them.",
            "Leave the record out: its tests need what the sandbox does not carry (docs/grading.md, Code).",
        )
    raise InputError("reference program", f"{problem}.", "Correct the record, or leave it out.")


@lru_cache(maxsize=2048)
def called_names(gold: str, meta: str) -> frozenset[str]:
    """Names that a program must define for its tests: those that they use and the reference program defines.

    Raises:
        InputError: As ``read_tests``.
    """
    tests = read_tests(gold, meta)
    trees = [_parse(code, "a test") for code in (*tests.tests, tests.setup)]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)]
    used = {node.id for node in nodes if isinstance(node.ctx, ast.Load)}
    return frozenset(used & defined_names(gold)) or frozenset(used - vars(builtins).keys())


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
        raise InputError("record of a program", "is not a JSON object.", "Use a reader that keeps the tests as meta.")
    return record


def _parse(code: object, what: str) -> ast.Module:
    try:
        return ast.parse(code if isinstance(code, str) else "?")
    except (SyntaxError, ValueError) as error:
        raise InputError(what, f"is not Python: {str(code)[:60]!r}.", "Correct the record, or leave it out.") from error


def _defined(program: ast.Module) -> set[str]:
    """Names that a program defines at its top level; it may thereby replace Python's own functions."""
    names = {node.name for node in program.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assigned = [target for node in program.body if isinstance(node, ast.Assign) for target in node.targets]
    return names | {target.id for target in assigned if isinstance(target, ast.Name)}


VERIFIERS = {
    "code": Verifier(
        grade=grade_blocks,
        check_gold=check_record,
        essence=blocks_of,
        quick=grade_quickly,
        limit_s=LIMIT_S,
        show=lambda gold, _meta: f"```python\n{gold}\n```",
    )
}
