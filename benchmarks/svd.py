"""Cost of the singular vectors of a base, shaped as table 7 of "Geometry-Preserving Orthonormal Initialization".

For three models, CPU time and peak memory on one core of finding 32 triples at each end of every matrix with our exact
and our randomised variant, against `torch.linalg.svd` in float32 (what PEFT's PiSSA does at the start of every run),
and of reading them from the file at the start of a run.

Measured: one matrix of every shape of a layer, Gaussian; multiplied by the number of such matrices in a layer and by
the layers. The 7B and 8B models are measured at half their widths and scaled by 8 in time and by 4 in memory beyond
that of an empty process, as dense decompositions scale; reading is scaled by 2, as the triples are. The paper's times
are for one A100 (1.8 min for 4B, 3.5 min for 7B, 12.3 min for 14B): not comparable with one core, so no row here.

`SMALLER=2` halves all widths once more.
"""

import os
import tempfile
import time
from pathlib import Path

import torch
from harness import Measured, Row, measure, report
from safetensors.torch import save_file
from torch import Tensor

from rlvr.core.io import read_json
from rlvr.weights.decompositions import VARIANTS, decompose_base, find_triples
from rlvr.weights.tensors import TensorStore

RANK = 32  # SOURCE: table 7
SMALLER = int(os.environ.get("SMALLER", "1"))
DIVISORS = {"deepseek-r1-distill-qwen-1.5b": 1, "deepseek-r1-distill-qwen-7b": 2, "qwen3-8b": 2}  # of the widths
MODELS = {model: SMALLER * divisor for model, divisor in DIVISORS.items()}
COUNTS = {"q_proj": 2, "k_proj": 2, "up_proj": 3}  # matrices of that shape in a layer; o, v, gate and down are alike
LAPACK = "torch.linalg.svd"


def write_matrices(config: dict, divisor: int, folder: Path) -> None:
    """One Gaussian matrix of every shape of a layer as a checkpoint, and the file of its triples."""
    hidden, inner = config["hidden_size"] // divisor, config["intermediate_size"] // divisor
    keys = hidden * config["num_key_value_heads"] // config["num_attention_heads"]
    shapes = {"q_proj": (hidden, hidden), "k_proj": (keys, hidden), "up_proj": (inner, hidden)}
    generator = torch.Generator().manual_seed(0)
    tensors = {
        f"model.layers.0.{name}.weight": torch.randn(shape, generator=generator) * hidden**-0.5
        for name, shape in shapes.items()
    }
    folder.mkdir(parents=True)
    save_file(tensors, folder / "model.safetensors")
    decompose_base(folder, RANK, "randomised", folder / "triples/triples.safetensors")


def call(kind: str, name: str, weight: Tensor, stored: TensorStore | None) -> object:
    """One matrix, one way."""
    if kind == LAPACK:
        return torch.linalg.svd(weight.float(), full_matrices=False)
    if kind == "read":
        return find_triples(name, weight, RANK, "leading", stored)
    return VARIANTS[kind](weight, RANK)


def seconds_of_a_layer(folder: str, kind: str) -> float:
    """CPU seconds for all matrices of a layer; the peak memory is that of the process."""
    torch.set_num_threads(1)
    base = TensorStore(folder)
    stored = TensorStore(f"{folder}/triples") if kind == "read" else None
    total = 0.0
    for projection, count in COUNTS.items():
        name = f"model.layers.0.{projection}"
        weight = base.read(f"{name}.weight")
        start = time.process_time()
        call(kind, name, weight, stored)
        total += count * (time.process_time() - start)
    return total


def scaled(found: Measured, empty: Measured, layers: int, divisor: int, power: int) -> tuple[float, float]:
    """Seconds and GiB of a whole model at full width."""
    memory = empty.peak_memory_gib + divisor**2 * max(found.peak_memory_gib - empty.peak_memory_gib, 0.0)
    return found.value * layers * divisor**power, memory


def rows(model: str, divisor: int, scratch: Path) -> list[Row]:
    """The comparisons for a model."""
    config, folder = read_json(f"data/configs/{model}.json"), scratch / model
    measure(write_matrices, config, divisor, folder)  # elsewhere: what this process holds counts in what it starts
    layers, empty = config["num_hidden_layers"], measure(time.perf_counter)
    costs = {}
    for kind, power in {"exact": 3, "randomised": 3, "read": 1, LAPACK: 3}.items():
        costs[kind] = scaled(measure(seconds_of_a_layer, str(folder), kind), empty, layers, divisor, power)
    peer, peer_memory = costs.pop(LAPACK)
    cases = {"exact": "exact, once per base", "randomised": "randomised, once per base", "read": "file, once per run"}
    note = "" if divisor == 1 else f" (measured at 1/{divisor} width)"
    found = [
        Row(f"{model}: {cases[kind]}{note}", seconds, peer, LAPACK, peer / seconds, "s", memory)
        for kind, (seconds, memory) in costs.items()
    ]
    memory = costs["exact"][1]
    return [*found, Row(f"{model}: exact, memory{note}", memory, peer_memory, LAPACK, peer_memory / memory, "GiB")]


if __name__ == "__main__":
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        report("svd", [row for model, divisor in MODELS.items() for row in rows(model, divisor, Path(scratch))])
