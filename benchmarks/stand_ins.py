"""Full-size stand-ins of the released data sets: the released columns, types, row counts and file layout, made-up rows.

Every writer streams: it holds one batch of rows at a time. Files lie where a mirror of the hub has them,
``<folder>/<repository>/<file>``. How many rows pass the published filters is exact; what the rows say is not meant to
be read.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rlvr.data.readers.enigmata import SHARED_TASKS
from rlvr.plan.sources import Source

BATCH_ROWS = 10_000
WORDS = r"let be the of group ring field curve measure such that find prove $x^2$ $\mathbb{R}$ \int_0^1 integer prime"
VOCABULARY = np.array(WORDS.split())
FIELDS = (
    "Algebra -> Abstract Algebra -> Field Theory",
    "Calculus -> Integral Calculus -> Single-variable",
    "Geometry -> Differential Geometry -> Manifolds",
    "Number Theory -> Congruences",
)
GOLDS = np.array(["Yes", "No", "1", "0", r"\frac{1}{2}", r"\infty", "42", "x+1"])
JUDGES = ("DeepSeek-R1-Distill-Qwen-1.5B", "DeepSeek-R1-Distill-Qwen-32B", "DeepSeek-R1-Distill-Qwen-7B")
SOLUTION_WORDS = 450  # a released solution has thousands; enough to make the unneeded columns the heavy ones

DEEPMATH_ROWS, DEEPMATH_HARD = 103_022, 5_399
SKYWORK_ROWS, SKYWORK_HARD, SKYWORK_SUBSET = 105_055, 6_702, 40_000
ENIGMATA_ROWS = {  # easy, medium, hard; SOURCE: the totals of appendix B.3; ASSUME: which tasks have no easy rows
    **{task: (2000, 2000, 2000) for task in SHARED_TASKS},
    **{task: (0, 3000, 3000) for task in ("sudoku", "slant")},
    **{task: (0, 2000, 2000) for task in ("hitori", "light_up", "natural_language_navigation", "tic_tac_toe")},
    "full_crosswords": (9500, 9500, 0),
    "knights_and_knaves": (926, 1724, 764),
    "hamiltonian_path": (51, 227, 817),
    "checkmate_in_one": (0, 0, 2500),
    "big_bench_symbolic": (0, 0, 2000),
    "symbolic_hard": (0, 0, 416),
    "arc_agi": (0, 0, 11_116),
    "pattern_recognition": (0, 4500, 4500),
    "symbol_pattern": (0, 1500, 1500),
}
DAPO_COPIES, DAPO_PROBLEMS, DAPO_PROMPTS = 100, 17_917, 17_398


def write_deepmath(source: Source, folder: Path, rng: np.random.Generator, rows: int = DEEPMATH_ROWS) -> None:
    """DeepMath-103K; the published share of the rows (5,399 of 103,022) has difficulty 8.5 or more."""
    hard = rng.permutation(rows) < rows * DEEPMATH_HARD // DEEPMATH_ROWS
    difficulty = np.where(hard, rng.choice([8.5, 9.0, 9.5, 10.0], rows), rng.choice(np.arange(3.0, 8.5, 0.5), rows))
    difficulty[~hard & (rng.random(rows) < 0.002)] = -1.0
    solutions = _texts(rng, 2000, SOLUTION_WORDS, "Solution")

    def batch(numbers: np.ndarray) -> pa.Table:
        columns = {
            "question": _questions(rng, numbers),
            "final_answer": rng.choice(GOLDS, len(numbers)),
            "difficulty": difficulty[numbers],
            "topic": "Mathematics -> " + rng.choice(np.array(FIELDS, dtype=object), len(numbers)),
        }
        columns |= {f"r1_solution_{which}": rng.choice(solutions, len(numbers)) for which in (1, 2, 3)}
        return pa.table({name: pa.array(values) for name, values in columns.items()})

    parts = np.array_split(np.arange(rows), len(source.files))
    for file, numbers in zip(source.files, parts, strict=True):
        _write(folder / source.repository / file, (batch(part) for part in _batches(numbers)))


def write_skywork(source: Source, folder: Path, rng: np.random.Generator, rows: int = SKYWORK_ROWS) -> None:
    """Skywork-OR1's split math; the published share of it (6,702) is of the subset and fails the judge 13 times."""
    order = rng.permutation(rows)
    subset = order < rows * SKYWORK_SUBSET // SKYWORK_ROWS
    hard = order < rows * SKYWORK_HARD // SKYWORK_ROWS
    failures = np.where(hard | ~subset, rng.integers(13, 17, rows), rng.integers(0, 13, rows))

    def batch(numbers: np.ndarray) -> pa.Table:
        judged = [pa.array(failures[numbers]) for _ in JUDGES]
        difficulty = pa.StructArray.from_arrays(judged, names=list(JUDGES))
        golds = [f'["{number}"]' for number in numbers]
        return pa.table(
            {
                "data_source": np.where(subset[numbers], "train-math-deepscaler", "train-math-omnimath"),
                "prompt": _turns(_questions(rng, numbers)),
                "ability": ["math"] * len(numbers),
                "reward_model": pa.StructArray.from_arrays(
                    [pa.array(golds), pa.array(["rule"] * len(numbers))], names=["ground_truth", "style"]
                ),
                "extra_info": pa.StructArray.from_arrays(
                    [pa.array(numbers), difficulty], names=["index", "model_difficulty"]
                ),
            }
        )

    _write(folder / source.repository / source.files[0], (batch(part) for part in _batches(np.arange(rows))))


def write_dapo(source: Source, folder: Path, rng: np.random.Generator, problems: int = DAPO_PROBLEMS) -> None:
    """DAPO-Math-17k: every problem a hundred times, shuffled; a few problems share their prompt."""
    prompts = max(1, problems * DAPO_PROMPTS // DAPO_PROBLEMS)
    questions = _questions(rng, np.arange(problems) % prompts)
    indexes = np.array([f"{number:08x}-0000-4000-8000-{number:012x}" for number in range(problems)])
    order = rng.permutation(np.repeat(np.arange(problems), DAPO_COPIES))

    def batch(places: np.ndarray) -> pa.Table:
        numbers = order[places]
        rules = [pa.array(numbers.astype(str)), pa.array(["rule-lighteval/MATH_v2"] * len(numbers))]
        return pa.table(
            {
                "data_source": ["math_dapo"] * len(numbers),
                "prompt": _turns(questions[numbers]),
                "ability": ["MATH"] * len(numbers),
                "reward_model": pa.StructArray.from_arrays(rules, names=["ground_truth", "style"]),
                "extra_info": pa.StructArray.from_arrays([pa.array(indexes[numbers])], names=["index"]),
            }
        )

    _write(folder / source.repository / source.files[0], (batch(part) for part in _batches(np.arange(len(order)))))


def write_enigmata(source: Source, folder: Path, rng: np.random.Generator, share: float = 1.0) -> None:
    """Enigmata-Data: one JSON Lines file per task, lists and texts as answers, ``meta`` as object, text, nested text.

    Task x level counts are one table that agrees with every published total (217,541 rows); ``share`` scales it down.
    """
    for place, (task, levels) in enumerate(ENIGMATA_ROWS.items()):
        path = folder / source.repository / task / "en" / "train.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as stream:
            for level, count in zip(("easy", "medium", "hard"), levels, strict=True):
                tails = _texts(rng, 50, 80, task)
                for number in range(round(count * share)):
                    row = _enigmata_row(task, level, place, f"{level} {number}, {tails[number % len(tails)]}")
                    stream.write(json.dumps(row) + "\n")


def _enigmata_row(task: str, level: str, place: int, prompt: str) -> dict[str, object]:
    known = "unknown" if task == "symbolic_hard" else level
    meta: dict[str, object] = {"id": prompt[:24], "question": [1, 2, 3], "difficulty_level": known}
    row: dict[str, object] = {"prompt": prompt, "answer": "1 2 3", "task_name": task, "language": "en"}
    if place % 3 == 0:  # as the generators that keep an object and put everything into it
        return {**row, "answer": [1, 2, 3], "meta": meta}
    question = json.dumps(meta["question"]) if place % 3 == 1 else meta["question"]
    return {**row, "difficulty": known, "meta": json.dumps({**meta, "question": question})}


def _batches(numbers: np.ndarray) -> Iterator[np.ndarray]:
    return (numbers[start : start + BATCH_ROWS] for start in range(0, len(numbers), BATCH_ROWS))


def _write(path: Path, tables: Iterator[pa.Table]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    first = next(tables)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def _texts(rng: np.random.Generator, count: int, words: int, opening: str) -> np.ndarray:
    return np.array([f"{opening}: {' '.join(rng.choice(VOCABULARY, words))}" for _ in range(count)], dtype=object)


def _questions(rng: np.random.Generator, numbers: Sequence[int] | np.ndarray) -> np.ndarray:
    """One question per number: equal numbers, equal questions; about fifty words."""
    tails = _texts(np.random.default_rng(0), 500, 50, "find it")
    return np.array([f"Problem {number}, {tails[number % len(tails)]}" for number in numbers], dtype=object)


def _turns(questions: np.ndarray) -> pa.Array:
    """One user turn per question, as verl stores prompts."""
    turn = pa.StructArray.from_arrays(
        [pa.array(questions), pa.array(["user"] * len(questions))], names=["content", "role"]
    )
    return pa.ListArray.from_arrays(pa.array(np.arange(len(questions) + 1), pa.int32()), turn)
