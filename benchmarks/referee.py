r"""Verdicts beside those of two other verifiers, on answers whose right verdict is known.

math-verify is asked as its documentation shows (the last box, gold first). A second public verifier, mathruler 0.1.0,
runs in an interpreter of its own, named by ``PEER_PYTHON``, for its requirements are not ours:

    python -m venv peer && peer/bin/pip install mathruler pylatexenc tqdm
    PEER_PYTHON=peer/bin/python REAL_DATA_DIR=<folder> make bench BENCH=referee

``PAIRS`` may name more files of rows {completion or answer, gold, expected or verdict}.
"""

import json
import logging
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import math_verify
import pandas as pd
from grading import judge, real_pairs

from rlvr.core.boxed import last_boxed
from rlvr.core.io import write_json
from rlvr.grading.time_limit import TimedOutError, time_limit

logging.getLogger("math_verify").setLevel(logging.CRITICAL)
OWN_PAIRS = Path(__file__).resolve().parents[1] / "tests" / "unit" / "math_pairs.jsonl"
LIMIT_S = 5.0
MOST = 1000  # pairs of one set
PEER_PROGRAM = """
import json, signal, sys
from mathruler.grader import grade_answer
def give_up(*_):
    raise TimeoutError
signal.signal(signal.SIGALRM, give_up)
for line in sys.stdin:
    answer, gold = json.loads(line)
    signal.setitimer(signal.ITIMER_REAL, 5)
    try:
        right = bool(grade_answer(answer, gold))
    except BaseException:
        right = False
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(int(right), flush=True)
"""
Pair = tuple[str, str, bool]


@dataclass(frozen=True)
class Agreement:
    """How two verifiers compare on pairs with known verdicts.

    Attributes:
        case: The set of pairs, and how many it holds.
        peer: The other verifier.
        both_right: Pairs on which both give the known verdict.
        ours_alone: Pairs on which only we do.
        peer_alone: Pairs on which only the other does.
        neither: Pairs on which none does.
        our_wrong_acceptances: Wrong answers that we accept.
        peer_wrong_acceptances: Wrong answers that the other accepts.
    """

    case: str
    peer: str
    both_right: int
    ours_alone: int
    peer_alone: int
    neither: int
    our_wrong_acceptances: int
    peer_wrong_acceptances: int


def ours(pairs: Sequence[Pair]) -> list[bool]:
    """Whether we accept each answer."""
    return [judge(text, gold) == "correct" for text, gold, _ in pairs]


def with_math_verify(pairs: Sequence[Pair]) -> list[bool]:
    """Whether math-verify alone does."""
    return [_accepted_by_math_verify(text, gold) for text, gold, _ in pairs]


def _accepted_by_math_verify(text: str, gold: str) -> bool:
    try:
        with time_limit(LIMIT_S):
            answer = math_verify.parse(rf"\boxed{{{last_boxed(text)}}}", parsing_timeout=None)
            known = math_verify.parse(f"${gold}$", parsing_timeout=None)
            return bool(math_verify.verify(known, answer, timeout_seconds=None))
    except (TimedOutError, Exception):
        return False


def with_other_interpreter(pairs: Sequence[Pair], python: str) -> list[bool]:
    """Whether the verifier of another interpreter does."""
    lines = "".join(json.dumps([last_boxed(text) or "", gold]) + "\n" for text, gold, _ in pairs)
    done = subprocess.run([python, "-c", PEER_PROGRAM], input=lines, capture_output=True, text=True, check=True)
    return [line == "1" for line in done.stdout.split()]


def compare(case: str, peer: str, pairs: Sequence[Pair], mine: Sequence[bool], theirs: Sequence[bool]) -> Agreement:
    """Count the four cases and the wrong acceptances."""
    labels = [label for *_, label in pairs]
    rows = list(zip(mine, theirs, labels, strict=True))
    return Agreement(
        f"{case}, {len(pairs)}",
        peer,
        sum(one == other == label for one, other, label in rows),
        sum(one == label != other for one, other, label in rows),
        sum(other == label != one for one, other, label in rows),
        sum(one == other != label for one, other, label in rows),
        sum(one and not label for one, _, label in rows),
        sum(other and not label for _, other, label in rows),
    )


def read_pairs(path: Path) -> list[Pair]:
    """Pairs of a file of rows."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        (
            row.get("completion") or rf"\boxed{{{row['answer']}}}",
            row["gold"],
            (row.get("expected") or row["verdict"]) == "correct",
        )
        for row in rows
    ]


def labelled_sets() -> dict[str, list[Pair]]:
    """Every set of pairs at hand: our own, those of PAIRS, and the real rows."""
    sets = {"pairs by kind": read_pairs(OWN_PAIRS)}
    sets |= {Path(name).stem: read_pairs(Path(name)) for name in os.environ.get("PAIRS", "").split(os.pathsep) if name}
    if folder := os.environ.get("REAL_DATA_DIR"):
        sets |= {case: pairs for case, pairs in real_pairs(Path(folder)).items() if "golds" not in case}
    return {case: pairs[:MOST] if "MATH-test" in case else pairs for case, pairs in sets.items()}


def main() -> None:
    """Print the table and write it."""
    python = os.environ.get("PEER_PYTHON", "")
    found = []
    for case, pairs in labelled_sets().items():
        mine = ours(pairs)
        found.append(compare(case, "math-verify", pairs, mine, with_math_verify(pairs)))
        if python:
            found.append(compare(case, "mathruler", pairs, mine, with_other_interpreter(pairs, python)))
    records = [vars(one) for one in found]
    print(pd.DataFrame(records).to_markdown(index=False), flush=True)
    write_json(records, Path("results/benchmarks/referee.json"))


if __name__ == "__main__":
    main()
