"""The whole grader under fire: mutated real completions; `make fuzz` runs 100,000 of them."""

import json
import os
import random
import time
from collections import Counter
from pathlib import Path

from mutants import is_equivalence, wrong_mutants
from mutations import mutated

from rlvr.core.boxed import last_boxed
from rlvr.grading.enigmata.parity import read_verdicts
from rlvr.grading.grader import grade
from rlvr.grading.mathematics.math_answers import TIME_LIMIT_S, match_math
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


def all_golds(folder: Path) -> list[str]:
    """Every mathematical gold at hand, each once."""
    found = set()
    for path in sorted((folder / "benchmarks").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            found.add(str(row.get("answer") or last_boxed(row.get("solution", "")) or ""))
    for line in (folder / "deepmath" / "roll_math_deepmath_deal.jsonl").read_text().splitlines():
        found.add(json.loads(line)["ground_truth"])
    found |= {row["ground_truth"] for row in json.loads((folder / "labelled" / "hardverify_math_125.json").read_text())}
    return sorted(gold for gold in found if gold.strip() and gold.count("$") < 3)


def test_wrong_answers_made_from_golds_are_never_accepted(real_data: Path) -> None:
    golds = all_golds(real_data)
    chosen = random.Random(0).sample(golds, min(len(golds), CASES // 20))
    mutants = [(gold, name, mutant) for gold in chosen for name, mutant in wrong_mutants(gold)]
    accepted = [one for one in mutants if match_math(one[0], one[2])[0] == "correct"]
    undeclared = [(gold, name, mutant) for gold, name, mutant in accepted if not is_equivalence(name, gold)]
    print(f"{len(mutants)} mutants of {len(chosen)} golds; {len(accepted)} accepted, {len(undeclared)} undeclared")
    assert undeclared == []
