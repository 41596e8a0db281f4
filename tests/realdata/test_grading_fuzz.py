"""The whole grader under fire: mutated real completions; `make fuzz` runs 100,000 of them."""

import json
import os
import time
from collections import Counter
from pathlib import Path

from mutations import mutated

from rlvr.grading.enigmata.parity import read_verdicts
from rlvr.grading.grader import grade
from rlvr.grading.mathematics.math_answers import TIME_LIMIT_S
from rlvr.tables import VERDICTS

CASES = int(os.environ.get("FUZZ_CASES", "2000"))


def real_rows(folder: Path) -> list[tuple[str, str]]:
    """Completions with their golds; the short ones of many kinds as often as the long ones of few."""
    rows = [json.loads(line) for line in (folder / "qwen_math_cot_100.jsonl").read_text().splitlines()]
    others = json.loads((folder / "hardverify_math_125.json").read_text())
    kinds = [
        (rf"so \boxed{{{row[name]}}}.", row["ground_truth"]) for row in others for name in ("fn_output", "tn_output")
    ]
    return [(text, str(row["gt"])) for row in rows for text in row["code"]] + kinds * 3


def test_mutated_answers_to_puzzles_always_get_a_verdict_in_time(real_data: Path) -> None:
    rows = read_verdicts(real_data / "enigmata" / "verdicts.jsonl")
    problems = {row["id"]: (row["answer"], f"enigmata/{row['task']}", json.dumps(row["meta"])) for row in rows}
    verdicts: Counter[str] = Counter()
    slowest, worst = 0.0, ""
    for text, name in mutated([(row["response"], row["id"]) for row in rows], CASES, seed=0, golds=sorted(problems)):
        start = time.perf_counter()
        verdicts[grade(text, *problems[name]).verdict] += 1
        if (seconds := time.perf_counter() - start) > slowest:
            slowest, worst = seconds, f"{name}: {text[-150:]}"
    print(f"{dict(verdicts)}; slowest {slowest:.2f} s: {worst!r}")
    assert sum(verdicts.values()) == CASES and set(verdicts) <= set(VERDICTS)
    assert slowest < TIME_LIMIT_S, worst


def test_mutated_completions_always_get_a_verdict_in_time(real_data: Path) -> None:
    grade(r"\boxed{\sin x}", r"\cos x", "math")  # the import of computer algebra is no case's time
    verdicts: Counter[str] = Counter()
    slowest, worst = 0.0, ""
    for text, gold in mutated(real_rows(real_data / "labelled"), CASES, seed=0):
        start = time.perf_counter()
        verdicts[grade(text, gold, "math").verdict] += 1
        if (seconds := time.perf_counter() - start) > slowest:
            slowest, worst = seconds, text[-150:]
    print(f"{dict(verdicts)}; slowest {slowest:.2f} s: {worst!r}")
    assert sum(verdicts.values()) == CASES and set(verdicts) <= set(VERDICTS)
    assert slowest < TIME_LIMIT_S + 1.5, worst
