"""The training entry against a plain TRL script (`plain_trl.py`) of the same settings: one run of LoRA.

On a CPU: the tiny base that travels with the repository, 160 problems, 20 steps of 64 completions; CPU seconds and wall
seconds of a whole process, imports included, best of three alternating pairs. Target: at least 1.2x faster.
`KL_EVERY=0` leaves out the divergence from the base, which the plain script does not measure.

On a GPU (`BASE=<folder of a model> make bench BENCH=training`): generated tokens per second over the steps, at most
5 % apart.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from harness import RESULTS, Row, report

from rlvr.adapters.methods import METHODS
from rlvr.core.io import read_json, read_table, write_json, write_table
from rlvr.plan.program import make_program
from rlvr.plan.scale import load_scale
from rlvr.plan.settings import TrainSettings
from rlvr.plan.study import load_study
from rlvr.synthetic.digits import TASKS, draw_problem, solve_problem
from rlvr.tables import METRICS, PROBLEMS

ROOT = Path(__file__).resolve().parents[1]
RUN = "qwen3-8b_deepmath-hard_lora-r16_bs64_s42"
PROBLEM_COUNT, PAIRS = 160, 3
KL_EVERY = int(os.environ.get("KL_EVERY", "1"))
BASE = Path(os.environ.get("BASE", ROOT / "data/bases/qwen3-8b"))
FOLDER = RESULTS / "training"


def settings() -> TrainSettings:
    """Those of the primary study's first LoRA run at scale `tiny`, on a GPU if there is one."""
    scales, schemas = ROOT / "workflow/scales", ROOT / "workflow/schemas"
    study = load_study("structure-over-scale", ROOT / "workflow/studies", schemas, METHODS)
    program = make_program("tiny", load_scale("tiny", scales, schemas), "core", [study], METHODS)
    found = TrainSettings.from_json(program.specs[RUN])
    return replace(found, devices=int(torch.cuda.is_available()), base_kl_every=KL_EVERY, max_steps=0)


def problems(path: Path) -> None:
    """Questions on digits, as scale `tiny` asks them."""
    rng = np.random.default_rng(0)
    drawn = [draw_problem(rng) for _ in range(PROBLEM_COUNT)]
    rows = [
        {
            "problem_id": f"p{i}",
            "dataset": "digits",
            "answer": solve_problem(each).answer,
            "verifier": "math",
            "meta": "{}",
        }
        | {"question": TASKS[each.task].plain.format(n=each.digits, d=each.counted), "difficulty": 9.0, "topic": None}
        for i, each in enumerate(drawn)
    ]
    write_table(pd.DataFrame(rows), path, PROBLEMS)


def call(command: list[str]) -> tuple[float, float]:
    """CPU seconds of a process and its children, and wall seconds."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    path = f"{ROOT / 'workflow/lib'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": path}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[1:3]} failed:\n{done.stderr[-2000:]}")
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def pair(number: int, spec: Path, table: Path) -> dict[str, tuple[float, float]]:
    """Both, the first one alternating, so that neither always meets warm files."""
    ours, plain = FOLDER / f"ours-{number}", FOLDER / f"plain-{number}"
    python = sys.executable
    entry = [
        python,
        "-m",
        "rlvr.train",
        "--spec",
        str(spec),
        "--base",
        str(BASE),
        "--train",
        str(table),
        "--out",
        str(ours),
    ]
    script = [python, str(ROOT / "benchmarks/plain_trl.py"), str(spec), str(BASE), str(table), str(plain)]
    order = [("ours", entry), ("plain", script)]
    return {name: call(command) for name, command in (order if number % 2 else reversed(order))}


def tokens_per_second(number: int, completions: int) -> dict[str, float]:
    """Generated tokens over the seconds of the steps, the first two left out."""
    ours = read_table(FOLDER / f"ours-{number}" / "metrics.parquet", METRICS).iloc[2:]
    log = pd.DataFrame(read_json(FOLDER / f"plain-{number}" / "plain.json")["log"]).iloc[2:]
    found = {"ours": (ours["completion_length"], ours["seconds"])}
    found["plain"] = (log["completions/mean_length"], log["step_time"])
    return {name: float(length.sum() * completions / seconds.sum()) for name, (length, seconds) in found.items()}


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    chosen = settings()
    write_json(chosen.to_json(), FOLDER / "settings.json")
    problems(FOLDER / "problems.parquet")
    runs = [pair(number, FOLDER / "settings.json", FOLDER / "problems.parquet") for number in range(PAIRS)]
    print(json.dumps(runs, indent=1), flush=True)
    best = {(name, what): min(run[name][what] for run in runs) for name in ("ours", "plain") for what in (0, 1)}
    rows = [
        Row(
            f"one run, {what}",
            best["ours", i],
            best["plain", i],
            "plain TRL script",
            best["plain", i] / best["ours", i],
            "s",
        )
        for i, what in enumerate(("CPU time", "wall time"))
    ]
    rates = [tokens_per_second(number, chosen.completions_per_step) for number in range(PAIRS)]
    mine, peer = (max(rate[name] for rate in rates) for name in ("ours", "plain"))
    rows.append(Row("generated tokens per second of a step", mine, peer, "plain TRL script", mine / peer, "tokens/s"))
    report("training", rows)
