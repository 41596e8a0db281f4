"""Avg@32 of 60 problems: our sampling, grading and scoring beside lm-evaluation-harness and lighteval.

All three evaluate the tiny base that travels with the repository on the same 60 rendered prompts: 32 samples each at
temperature 1, up to 24 new tokens, 512 completions in a batch, float32 on one thread. Measured is a whole process from
its start to the written score, imports included, CPU seconds and wall seconds, best of `PAIRS` (default 2) alternating
rounds. "ours" starts three processes, one for each of the rules `generate_samples`, `grade_samples` and `score_run`;
"together" calls the same three functions in one process, as a script does, and so imports once, like the peers;
"forked" is what the workflow does from twenty jobs on: the same three, forked from a process that has loaded the
libraries, whose loading is not counted since all runs share it (the peers load theirs for every model). "workflow"
counts it: the loading and the forks of `MODELS` models, the fewest that a study compares (a base and a run of it),
beside as many calls of a peer. Target: at least 3x faster. Rows say the accuracies: lm-evaluation-harness
grades a box as we do, lighteval accepts any number or expression that it finds.

The peers have an environment of their own, since they pin other versions:

    python3.11 -m venv peers
    peers/bin/pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
    peers/bin/pip install "lm_eval[hf]==0.4.13" lighteval==0.13.0 "xxhash<4"
    PEERS=peers/bin/python make bench BENCH=sampling

A peer that is not there is named and left out.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from harness import RESULTS, Row, report

from rlvr.core.io import read_json, read_table, write_json, write_table
from rlvr.prompts import render_prompt
from rlvr.synthetic.digits import TASKS, draw_problem, solve_problem
from rlvr.tables import PROBLEMS, SCORES

ROOT = Path(__file__).resolve().parents[1]
FOLDER = RESULTS.resolve() / "sampling"
BASE = FOLDER / "base"  # a copy that draws by its own settings, since lighteval has none for it
PROBLEM_COUNT, SAMPLES, NEW_TOKENS, BATCH = 60, 32, 24, 512
WAYS = ("ours", "together", "forked")
MODELS = 2
PAIRS = int(os.environ.get("PAIRS", "2"))
PEERS = os.environ.get("PEERS", "")
PROTOCOL = {"samples_per_problem": SAMPLES, "temperature": 1.0, "top_p": 1.0, "max_completion_tokens": NEW_TOKENS}
PROTOCOL |= {"batch_completions": BATCH, "seed": 0, "template": "compact"}
PROTOCOL |= {"dtype": "float32", "device": "cpu", "engine": "transformers"}

HEAD = """
import sys
from pathlib import Path
from rlvr.evaluate.engines.protocol import SamplingSettings
folder, base, protocol = Path(sys.argv[1]), Path(sys.argv[2]), {protocol!r}
sampling = {{"digits": protocol}}
problems = {{"digits": folder / "problems.parquet"}}
samples, record = folder / "samples.parquet", folder / "record.json"
grades = folder / "grades.parquet"
"""
STEPS = {
    "sampling": """
from rlvr.evaluate.sampling import sample_file
settings = {"digits": SamplingSettings(**protocol)}
sample_file(problems, base, None, "base", settings, samples, record)
""",
    "grading": """
from rlvr.evaluate.grades import grade_file
from rlvr.grading.batches import Resources
asked = {"recipe": 1, "sampling": sampling}
grade_file(samples, record, problems, base, asked, grades, Resources(workers=1))
""",
    "scoring": """
from rlvr.evaluate.scoring import score_file
score_file(grades, record, folder / "scores.parquet", folder / "answers.parquet")
""",
}
# As jobs of the workflow, which forks them from a process that has loaded the libraries (`workflow/rules/_warm.smk`).
FORKED = """
import importlib, json, os, sys, time
started = time.perf_counter()
for module in {modules!r}:
    importlib.import_module(module)
loading = [time.process_time(), time.perf_counter() - started]
spent = []
for step in {steps!r}:
    started, child = time.perf_counter(), os.fork()
    if not child:
        exec(step, {{}})
        sys.stdout.flush()
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit(1)
    spent.append([used.ru_utime + used.ru_stime, time.perf_counter() - started])
print(json.dumps([loading, *spent]))
"""
LOADED = ["rlvr.core.first_table", "pandera.strategies.pandas_strategies", "scipy.special", "rlvr.evaluate.sampling"]
LOADED += ["rlvr.evaluate.engines.transformers_engine", "transformers.models.qwen3.modeling_qwen3"]
LOADED += ["rlvr.bases.first_load", "rlvr.evaluate.grades", "rlvr.grading.grade_cache", "rlvr.evaluate.scoring"]

HARNESS_TASK = f"""
task: avg_at_k
dataset_path: json
dataset_kwargs: {{data_files: {{test: "@FOLDER@/data/test.jsonl"}}}}
output_type: generate_until
test_split: test
doc_to_text: "{{{{prompt}}}}"
doc_to_target: "{{{{answer}}}}"
process_results: !function avg.mean_of_k
generation_kwargs: {{until: [], do_sample: true, temperature: 1.0, top_k: 0, max_gen_toks: {NEW_TOKENS}}}
repeats: {SAMPLES}
filter_list: [{{name: all, filter: [{{function: take_first_k, k: {SAMPLES}}}]}}]
metric_list: [{{metric: avg_at_k, aggregation: mean, higher_is_better: true}}]
metadata: {{version: 0}}
"""
HARNESS_SCORE = """
from lm_eval.tasks.aime.utils import process_results


def mean_of_k(doc, results):
    scores = [process_results(doc, [one])["exact_match"] for one in results[0]]
    return {"avg_at_k": sum(scores) / len(scores)}
"""
LIGHTEVAL_TASK = f"""
from lighteval.metrics.metrics import Metrics
from lighteval.tasks.lighteval_task import LightevalTaskConfig
from lighteval.tasks.requests import Doc


def as_doc(line, task_name=None):
    return Doc(task_name=task_name, query=line["prompt"], choices=[line["answer"]], gold_index=0)


TASKS_TABLE = [
    LightevalTaskConfig(
        name="avg_at_k", prompt_function=as_doc, hf_repo="@FOLDER@/data", hf_subset="default",
        hf_avail_splits=["test"], evaluation_splits=["test"], generation_size={NEW_TOKENS}, stop_sequence=[],
        metrics=[Metrics.avg_at_n_math(sample_params={{"n": {SAMPLES}}})],
    )
]
"""
# Its import of all tasks downloads a file of one of them and asks the hub for the judge of another, by an argument that
# newer versions of the hub's library do not know. Neither is needed here.
LIGHTEVAL_START = """
import types
import huggingface_hub
import requests
huggingface_hub.HfApi.list_models = lambda self, **named: ["any"]
requests.get = lambda *arguments, **named: types.SimpleNamespace(status_code=404)
from lighteval.__main__ import app
app()
"""


def write_inputs() -> None:
    """The problems as a table of ours, as rows for the peers, and the peers' tasks."""
    shutil.copytree(ROOT / "data/bases/qwen3-8b", BASE)
    write_json(read_json(BASE / "generation_config.json") | {"do_sample": True}, BASE / "generation_config.json")
    rng, rows = np.random.default_rng(0), []
    for i in range(PROBLEM_COUNT):
        drawn = draw_problem(rng)
        question = TASKS[drawn.task].plain.format(n=drawn.digits, d=drawn.counted)
        row = {"problem_id": f"p{i}", "dataset": "digits", "question": question, "answer": solve_problem(drawn).answer}
        rows.append(row | {"verifier": "math", "meta": "{}", "difficulty": 9.0, "topic": None})
    write_table(pd.DataFrame(rows), FOLDER / "problems.parquet", PROBLEMS)
    (FOLDER / "data").mkdir()
    (FOLDER / "tasks").mkdir()
    lines = [{"prompt": render_prompt(row["question"], "compact"), "answer": str(row["answer"])} for row in rows]
    (FOLDER / "data/test.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (FOLDER / "tasks/avg.yaml").write_text(HARNESS_TASK.replace("@FOLDER@", str(FOLDER)))
    (FOLDER / "tasks/avg.py").write_text(HARNESS_SCORE)
    (FOLDER / "lighteval_task.py").write_text(LIGHTEVAL_TASK.replace("@FOLDER@", str(FOLDER)))


def commands() -> dict[str, list[list[str]]]:
    """What each one runs; a peer that is not there is named and left out."""
    head = HEAD.format(protocol=PROTOCOL)
    ours = [[sys.executable, "-c", head + step, str(FOLDER), str(BASE)] for step in STEPS.values()]
    harness = f"{PEERS} -m lm_eval run --model hf --model_args pretrained={BASE},dtype=float32 --tasks avg_at_k"
    harness += f" --include_path {FOLDER}/tasks --batch_size {BATCH} --device cpu --output_path {FOLDER}/lm_eval"
    # The length stands in the task: given here, it would cut the prompts to as many tokens, too.
    model = f"model_name={BASE},batch_size={BATCH // SAMPLES},dtype=float32,device=cpu"
    model += ",generation_parameters={temperature:1.0,top_p:1.0,top_k:0}"
    lighteval = [PEERS, "-c", LIGHTEVAL_START, "accelerate", model, "avg_at_k|0"]
    lighteval += ["--custom-tasks", str(FOLDER / "lighteval_task.py"), "--output-dir", str(FOLDER / "lighteval")]
    found = {"lm_eval": [harness.split()], "lighteval": [lighteval]}
    for name in list(found):
        if not PEERS or subprocess.run([PEERS, "-c", f"import {name}"], capture_output=True, check=False).returncode:
            print(f"{name} is left out: PEERS={PEERS or '(not set)'} has none; see the head of benchmarks/sampling.py.")
            del found[name]
    together = [[sys.executable, "-c", head + "".join(STEPS.values()), str(FOLDER), str(BASE)]]
    return {"ours": ours, "together": together, **found}


def call(command: list[str]) -> tuple[float, float]:
    """CPU seconds of a process and its children, and wall seconds."""
    return run(command)[:2]


def forked() -> list[tuple[float, float]]:
    """What loading takes, then what each of our three steps adds as a fork of the process that has loaded."""
    head = HEAD.format(protocol=PROTOCOL)
    code = FORKED.format(modules=LOADED, steps=[head + step for step in STEPS.values()])
    return json.loads(run([sys.executable, "-c", code, str(FOLDER), str(BASE)])[2].splitlines()[-1])


def run(command: list[str]) -> tuple[float, float, str]:
    """CPU seconds of a process and its children, wall seconds, and what it printed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    # What is kept from one call to the next would be measured once only: folders of caches are new ones.
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    env |= {"TOKENIZERS_PARALLELISM": "false", "HF_HOME": str(FOLDER / "cache"), "PYTHONWARNINGS": "ignore"}
    if command[0] == sys.executable:
        env["PYTHONPATH"] = str(ROOT / "workflow/lib")
    else:
        env.pop("PYTHONPATH", None)
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[:4]} failed:\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}")
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, done.stdout


def clear() -> None:
    """Forget what an earlier round left."""
    for name in ("cache", "lm_eval", "lighteval", ".drawn"):  # the last keeps samples, which are not drawn twice
        shutil.rmtree(FOLDER / name, ignore_errors=True)
    for path in FOLDER.glob("*.parquet"):
        if path.stem != "problems":
            path.unlink()
    (FOLDER / "record.json").unlink(missing_ok=True)


def accuracy(name: str) -> float:
    """Avg@32 that was written, from 0 to 1."""
    if name in WAYS:
        scores = read_table(FOLDER / "scores.parquet", SCORES)
        return float(scores.loc[scores["statistic"] == "avg_at_k", "value"].iloc[0])
    newest = max((FOLDER / name).rglob("results*.json"), key=lambda path: path.stat().st_mtime)
    scores = next(iter(json.loads(newest.read_text())["results"].values()))
    return float(next(value for key, value in scores.items() if key.startswith("avg") and "stderr" not in key))


def main() -> None:
    """Rounds of all, in alternating order."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    write_inputs()
    todo, spent, found, loading = {**commands(), "forked": []}, {}, {}, []
    for number in range(PAIRS):
        for name in todo if number % 2 else reversed(todo):
            clear()
            parts = forked() if name == "forked" else [call(command) for command in todo[name]]
            if name == "forked":
                loading.append(parts.pop(0))
            spent.setdefault(name, []).append(parts)
            found[name] = accuracy(name)
            print(name, [[round(one, 2) for one in part] for part in parts], f"{found[name]:.4f}", flush=True)
    write_json({"spent": spent, "loading": loading, "accuracy": found}, FOLDER / "spent.json")
    rows = []
    for i, what in enumerate(("CPU time", "wall time")):
        best = {name: min(sum(part[i] for part in parts) for parts in rounds) for name, rounds in spent.items()}
        peers = [name for name in todo if name not in WAYS]
        for way, peer in product(WAYS, peers):
            case = f"{way}, {what}; accuracy {found[way]:.3f}, there {found[peer]:.3f}"
            rows.append(Row(case, best[way], best[peer], peer, best[peer] / best[way], "s"))
        whole = min(one[i] for one in loading) + MODELS * best["forked"]
        for peer in peers:
            theirs = MODELS * best[peer]
            rows.append(Row(f"workflow, {MODELS} models, {what}", whole, theirs, peer, theirs / whole, "s"))
        for way in ("ours", "forked"):
            parts = min(spent[way], key=lambda parts: sum(each[i] for each in parts))
            for step, part in zip(STEPS, parts, strict=True):
                rows.append(Row(f"{way}, {step}, {what}", part[i], best[way], "all three", part[i] / best[way], "s"))
    report("sampling", rows)


if __name__ == "__main__":
    main()
