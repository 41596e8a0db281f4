"""Effect of 200 merges on a bfloat16 base, method by method: PEFT in place against ours out of place, with the time.

TRL merges and unmerges in place before and after it sends weights to vLLM, once per step. Rows "moved" give the largest
change of a base weight as a share of the mean |W|; ours must be exactly 0 (a ratio has no meaning there and is left
empty). Rows "seconds" give the time of the 200 cycles.
"""

import contextlib
import time
import warnings
from pathlib import Path

import torch
from harness import Row, report
from transformers import AutoModelForCausalLM, Qwen3Config
from transformers.utils import logging

from rlvr.adapters.merging import base_tensors, merged_weights
from rlvr.adapters.methods import METHODS
from rlvr.plan.recipe import resolve_settings
from rlvr.plan.scale import load_scale
from rlvr.plan.settings import TrainSettings
from rlvr.plan.study import complete_recipe

WORKFLOW = Path("workflow")
SCALE = load_scale("tiny", WORKFLOW / "scales", WORKFLOW / "schemas")
RECIPE = complete_recipe("structure-over-scale", WORKFLOW / "studies", WORKFLOW / "schemas")
CYCLES = 200
ADAPTER_SCALE = 0.02  # standard deviation of what stands for training
ROW = {"run_id": "r", "model": "m", "dataset": "d", "seed": 0}
CELLS = {
    "rank": 32, "alpha": 64, "axes": 3, "target_modules": "all_linear", "rate_ratio": 2, "block_size": 8,
    "butterfly_factors": 2, "density": 0.5,
}  # fmt: skip
SIZES = {
    "vocab_size": 40, "hidden_size": 64, "intermediate_size": 192, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 64,
}  # fmt: skip


def adapted(name: str) -> torch.nn.Module:
    """A random bfloat16 base with an adapter that has moved."""
    torch.manual_seed(0)
    row = {**ROW, "method": name, **{cell: value for cell, value in CELLS.items() if cell in METHODS[name].takes}}
    settings = TrainSettings.from_json(resolve_settings(row, RECIPE, SCALE, METHODS, {32: 4}, "benchmark"))
    base = AutoModelForCausalLM.from_config(Qwen3Config(**SIZES), dtype=torch.bfloat16)
    model = METHODS[name].attach(base, settings).eval()
    with torch.no_grad():
        for parameter in (parameter for parameter in model.parameters() if parameter.requires_grad):
            parameter += ADAPTER_SCALE * torch.randn(parameter.shape)
    return model


@contextlib.contextmanager
def merged_in_place(model):
    """Merge adapters into the base in place, as TRL does, and unmerge them afterwards."""
    model.merge_adapter()
    yield
    model.unmerge_adapter()


def cycle(name: str, merging) -> tuple[float, float]:
    """Seconds of the cycles, and the largest change of a base weight as a share of the mean |W|."""
    model = adapted(name)
    before = {key: tensor.float().clone() for key, tensor in base_tensors(model).items()}
    start = time.perf_counter()
    for _ in range(CYCLES):
        with merging(model):
            pass
    seconds = time.perf_counter() - start
    matrices = {key: tensor.float() for key, tensor in base_tensors(model).items() if "layers." in key}
    moved = max((tensor - before[key]).abs().max().item() for key, tensor in matrices.items())
    mean = torch.cat([before[key].flatten() for key in matrices if before[key].ndim == 2]).abs().mean().item()
    return seconds, moved / mean


def rows(name: str) -> list[Row]:
    """Both comparisons for a method."""
    ours, our_drift = cycle(name, merged_weights)
    theirs, drift = cycle(name, merged_in_place)
    if our_drift != 0:
        raise RuntimeError(f"{name}: {CYCLES} out-of-place merges moved the base by {our_drift} of the mean |W|.")
    return [
        Row(f"{name}: moved", our_drift, drift, "peft, in place", None, "max |dW| / mean |W|"),
        Row(f"{name}: seconds", ours, theirs, "peft, in place", theirs / ours, "s"),
    ]


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    logging.set_verbosity_error()
    torch.set_num_threads(1)
    report("merging", [row for name, method in METHODS.items() if method.tuner for row in rows(name)])
