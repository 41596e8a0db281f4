"""The grader beside a plain serial loop over math-verify, what hostile answers cost, and agreement on real rows.

The loop is what a script does: take the last box, parse the gold and the answer, verify. Imports are not timed, for
either side; the caches that a process keeps are emptied before every timed call of ours.
"""

import json
import logging
import os
import time
from collections import Counter
from functools import lru_cache
from pathlib import Path

import math_verify
from answers import make_completions, make_hostile
from harness import Measured, Row, faster, measure, report

from rlvr.core.boxed import last_boxed
from rlvr.core.errors import InputError
from rlvr.grading.batches import Completion, Resources, grade_all
from rlvr.grading.grader import grade
from rlvr.grading.mathematics.math_answers import forget

PROBLEMS, SAMPLES = 500, 32
NORMAL, HOSTILE = 10_000, 1_000
WORKERS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

logging.getLogger("math_verify").setLevel(logging.ERROR)


@lru_cache(maxsize=4)
def completions(problems: int, samples: int, hostile: int = 0) -> tuple[tuple[str, str], ...]:
    """Stand-ins, the hostile ones spread evenly; made in the first, untimed call of a process."""
    rows = make_completions(problems, samples)
    step = len(rows) // max(hostile, 1)
    for place, row in enumerate(make_hostile(hostile)):
        rows.insert(place * (step + 1), row)
    return tuple(rows)


def ours(problems: int, samples: int, hostile: int = 0, cache_dir: str = "") -> list[str]:
    """Verdicts of the grader."""
    forget()
    rows = [Completion(text, gold, "math") for text, gold in completions(problems, samples, hostile)]
    return [one.verdict for one in grade_all(rows, Resources(WORKERS, cache_dir))]


def first_call(problems: int, samples: int) -> float:
    """Seconds of a process's first call, which starts the process that workers are forked from."""
    completions(problems, samples, 0)
    start = time.perf_counter()
    ours(problems, samples)
    return time.perf_counter() - start


def plain_loop(problems: int, samples: int) -> list[str]:
    """Verdicts of the loop."""
    return ["correct" if same_plainly(text, gold) else "wrong" for text, gold in completions(problems, samples, 0)]


def same_plainly(text: str, gold: str) -> bool:
    """One turn of the loop."""
    answer = last_boxed(text)
    parsed = math_verify.parse(rf"\boxed{{{answer}}}"), math_verify.parse(f"${gold}$")
    return answer is not None and math_verify.verify(parsed[1], parsed[0])


def throughput() -> list[Row]:
    """16,000 grades; both must give the same verdicts."""
    mine = measure(ours, PROBLEMS, SAMPLES, repeat=2)
    peer = measure(plain_loop, PROBLEMS, SAMPLES)
    differing = sum(first != second for first, second in zip(mine.value, peer.value, strict=True))
    if differing:
        raise AssertionError(f"{differing} of {len(peer.value)} verdicts differ from the loop's")
    case = f"{len(peer.value)} grades, {WORKERS} workers, same verdicts"
    first = measure(first_call, PROBLEMS, SAMPLES).value
    return [
        faster(case, mine, peer, "plain loop"),
        Row(f"{case}, first call", first, peer.seconds, "plain loop", peer.seconds / first, "s"),
    ]


def hostility() -> list[Row]:
    """Hostile answers among normal ones: time beside the normal ones alone, and whether every verdict is there."""
    alone = measure(ours, NORMAL // SAMPLES, SAMPLES, repeat=2)
    mixed = measure(ours, NORMAL // SAMPLES, SAMPLES, HOSTILE, repeat=2)
    verdicts = Counter(mixed.value)
    if len(mixed.value) != len(alone.value) + HOSTILE or verdicts["timed_out"]:
        raise AssertionError(f"verdicts are missing or a worker was lost: {verdicts}")
    limit = Measured(2 * alone.seconds, alone.peak_memory_gib, None)
    case = f"{HOSTILE} hostile among {len(alone.value)}: {dict(verdicts)}"
    return [faster(case, mixed, limit, "target: twice the normal ones alone")]


def agreement(folder: Path) -> list[Row]:
    """Right verdicts on real rows, ours and those of math-verify alone on the last box."""
    rows = []
    for case, pairs in real_pairs(folder).items():
        mine = sum((judge(text, gold) == "correct") == label for text, gold, label in pairs)
        peer = sum(same_plainly(text, gold) == label for text, gold, label in pairs)
        rows.append(Row(f"{case}, {len(pairs)}", mine, peer, "math-verify alone", mine / peer, "right verdicts"))
    return rows


def judge(text: str, gold: str) -> str:
    """Our verdict; a gold that cannot be read is none."""
    try:
        return grade(text, gold, "math").verdict
    except InputError:
        return "unreadable gold"


def real_pairs(folder: Path) -> dict[str, list[tuple[str, str, bool]]]:
    """Text, gold and label of every real row at hand."""
    lines = {
        name: [json.loads(line) for line in (folder / name).read_text().splitlines()]
        for name in (
            "benchmarks/math500.jsonl", "benchmarks/math_test.jsonl", "deepmath/roll_math_deepmath_deal.jsonl",
            "labelled/qwen_math_cot_100.jsonl",
        )
    }  # fmt: skip
    math_500, math_test, deepmath, labelled = lines.values()
    hard = [row["ground_truth"] for row in deepmath if float(row["difficulty"]) >= 8.5]
    other_forms = json.loads((folder / "labelled" / "hardverify_math_125.json").read_text())
    return {
        "MATH-500 golds": [(rf"\boxed{{{row['answer']}}}", row["answer"], True) for row in math_500],
        "DeepMath golds of difficulty 8.5 or more": [(rf"\boxed{{{gold}}}", gold, True) for gold in hard],
        "MATH-test solutions": [(row["solution"], last_boxed(row["solution"]) or "", True) for row in math_test],
        "qwen_math_cot_100": [
            (text, str(row["gt"]), label)
            for row in labelled
            for text, label in zip(row["code"], row["score"], strict=True)
        ],
        "hardverify_math_125, right answers": [
            (rf"\boxed{{{row['fn_output']}}}", row["ground_truth"], True) for row in other_forms
        ],
        "hardverify_math_125, wrong answers": [
            (rf"\boxed{{{row['tn_output']}}}", row["ground_truth"], False) for row in other_forms
        ],
    }


if __name__ == "__main__":
    found = [*throughput(), *hostility()]
    if real_data := os.environ.get("REAL_DATA_DIR"):
        found += agreement(Path(real_data))
    report("grading", found)
