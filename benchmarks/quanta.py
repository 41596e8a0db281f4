"""The QuanTA layer, forward and backward, beside the einsum formulation, PEFT's LoRA and DoRA, and the bare layer.

The einsum peer contracts gate after gate as the official code does and, like it, subtracts the drawn operator from the
base weight once, in place: it has one operator to run where ours, which leaves the base alone, has two. On a CPU in
float32 with one thread, on a GPU (where there is one) with a base in bfloat16.
"""

import time
from collections.abc import Callable
from functools import partial

import torch
from harness import Measured, Row, measure, report
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from rlvr.adapters.quanta import QuantaConfig
from rlvr.weights.quanta_gates import fit_last, gate_sizes, pair_axes

TOKENS, COLUMNS, RANK = 2048, 4096, 16
SHAPES = (4096, 12288)  # outputs of the layer
DIMS = ([16, 16, 16], [16, 8, 8, 4])
REPEAT = 3


class EinsumQuanta(nn.Module):
    """The operator pair by pair in einsum; that the base was changed costs nothing in a step and is left out here."""

    def __init__(self, base: nn.Linear, dims: list[int]) -> None:
        super().__init__()
        self.base, self.dims = base, dims
        self.gates = nn.ParameterList(
            torch.randn(size, size, device=base.weight.device) / size for size in gate_sizes(dims)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The base's output and the operator's, (..., rows)."""
        y, letters = x.to(self.gates[0].dtype).reshape(-1, *self.dims), "abcdefgh"[: len(self.dims)]
        for (late, early), gate in zip(pair_axes(len(self.dims)), self.gates, strict=True):
            sizes = (self.dims[early], self.dims[late])
            after = letters.replace(letters[early], "X").replace(letters[late], "Y")
            pattern = f"z{letters},XY{letters[early]}{letters[late]}->z{after}"
            y = torch.einsum(pattern, y, gate.view(*sizes, *sizes))
        output = self.base(x)
        return output + fit_last(y.reshape(x.shape), self.base.out_features).to(output.dtype)


def base_layer(rows: int, device: str) -> nn.Linear:
    """A frozen layer without bias."""
    layer = nn.Linear(COLUMNS, rows, bias=False, device=device, dtype=torch.bfloat16 if device == "cuda" else None)
    return layer.requires_grad_(False)


def make_layer(kind: str, dims: list[int], rows: int, device: str) -> nn.Module:
    """The layer that a case measures; PEFT keeps adapters in float32 whatever the base's type."""
    base = base_layer(rows, device)
    if kind in ("linear", "einsum"):
        return base if kind == "linear" else EinsumQuanta(base, dims)
    low_rank = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=["0"], use_dora=kind == "DoRA")
    config = QuantaConfig(dims=dims, target_modules=["0"]) if kind == "ours" else low_rank
    return get_peft_model(nn.Sequential(base), config)


def step_seconds(kind: str, dims: list[int], rows: int, device: str) -> tuple[float, float]:
    """Fastest forward and backward pass in seconds, and on a GPU the peak memory in GiB."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    layer = make_layer(kind, dims, rows, device)
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    x = torch.randn(1, TOKENS, COLUMNS, device=device, dtype=dtype, requires_grad=True)
    weights = torch.randn(1, TOKENS, rows, device=device, dtype=dtype)
    seconds = min(_timed(lambda: layer(x).backward(weights), device) for _ in range(REPEAT))
    return seconds, torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else 0.0


def _timed(step: Callable[[], object], device: str) -> float:
    wait = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    wait()
    start = time.perf_counter()
    step()
    wait()
    return time.perf_counter() - start


def compare(rows: int, device: str) -> list[Row]:
    """Ours beside every peer, for one shape and all dims."""
    cost = partial(_cost, rows=rows, device=device)
    common = {name: cost(kind, []) for name, kind in
              (("linear layer", "linear"), ("PEFT LoRA r=16", "LoRA"), ("PEFT DoRA r=16", "DoRA"))}  # fmt: skip
    found = []
    for dims in DIMS:
        ours, peers = cost("ours", dims), {**common, "einsum, base changed": cost("einsum", dims)}
        for name, peer in peers.items():
            case = f"{COLUMNS} -> {rows}, dims {dims}, {device}"
            found.append(Row(f"{case}: time", ours[0], peer[0], name, peer[0] / ours[0], "s"))
            found.append(Row(f"{case}: memory", ours[1], peer[1], name, peer[1] / ours[1], "GiB", ours[1]))
    return found


def _cost(kind: str, dims: list[int], rows: int, device: str) -> tuple[float, float]:
    measured: Measured = measure(step_seconds, kind, dims, rows, device)
    seconds, gpu_memory = measured.value
    return seconds, gpu_memory or measured.peak_memory_gib


def main() -> None:
    """Measure on the CPU and, where there is one, on the GPU."""
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    report("quanta", [row for device in devices for rows in SHAPES for row in compare(rows, device)])


if __name__ == "__main__":
    main()
