"""Spectra of a whole 8B pair: all 252 matrices of Qwen3-8B's shapes, random weights, updates of the four families.

LoRA (factored) and a full update (exact, Gram path) are measured over all 252 matrices on two threads; for DoRA and
QuanTA, estimated without forming the update, every shape is measured once and multiplied by its number. Where there is
a GPU, all 252 exactly there, beside `torch.linalg.svdvals` on the same card (one of every shape, multiplied).
"""

import time
from collections.abc import Callable

import torch
from harness import Row, measure, report
from torch import Tensor

from rlvr.spectra.dense import dense_singular_values
from rlvr.spectra.krylov import estimate_spectrum
from rlvr.spectra.quantities import factored_singular_values
from rlvr.weights.linear_maps import dora_map, quanta_map
from rlvr.weights.quanta_gates import gate_sizes

# SOURCE: data/configs/qwen3-8b.json; matrices of that shape in a layer
SHAPES = {(4096, 4096): 2, (1024, 4096): 2, (12288, 4096): 2, (4096, 12288): 1}
LAYERS, RANK, DIMS, THREADS = 36, 16, [16, 16, 16], 2
MATRICES = LAYERS * sum(SHAPES.values())
TARGETS = {"LoRA": 5.0, "full": 600.0}  # seconds
MEMORY_TARGET_GIB = 2.0


def spectrum(family: str, shape: tuple[int, int], seed: int, device: str) -> float:
    """Wall seconds for one matrix, its random numbers not counted."""
    generator = torch.Generator(device).manual_seed(seed)

    def gaussian(*size: int) -> Tensor:
        return torch.randn(*size, generator=generator, device=device)

    rows, cols = shape
    work: Callable[[], object]
    if family == "LoRA":
        left, right = gaussian(rows, RANK), gaussian(RANK, cols)
        work = lambda: factored_singular_values(left, right)  # noqa: E731
    elif family == "DoRA":
        base, left, right = gaussian(rows, cols), 0.1 * gaussian(rows, RANK), gaussian(RANK, cols)
        magnitude = base.norm(dim=1) * (1 + 0.01 * gaussian(rows))
        work = lambda: estimate_spectrum(dora_map(base, left, right, magnitude), torch.Generator())  # noqa: E731
    elif family == "QuanTA":
        frozen = [gaussian(size, size) / size**0.5 for size in gate_sizes(DIMS)]
        trained = [gate + 0.01 * gaussian(*gate.shape) for gate in frozen]
        work = lambda: estimate_spectrum(quanta_map(trained, frozen, DIMS, rows, cols), torch.Generator())  # noqa: E731
    else:
        tuned, base = gaussian(rows, cols).bfloat16(), gaussian(rows, cols).bfloat16()
        function = torch.linalg.svdvals if family == "svdvals" else dense_singular_values
        work = lambda: function(tuned.float() - base.float())  # noqa: E731
    return _seconds(work, device)


def _seconds(work: Callable[[], object], device: str) -> float:
    wait = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    wait()
    start = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - start


def every_matrix(family: str, device: str) -> float:
    """Seconds for all matrices of the model, one after another."""
    torch.set_num_threads(THREADS)
    return sum(
        spectrum(family, shape, layer, device)
        for layer in range(LAYERS)
        for shape, count in SHAPES.items()
        for _ in range(count)
    )


def every_shape(family: str, device: str) -> float:
    """Seconds for one matrix of every shape (the second call), times their number."""
    torch.set_num_threads(THREADS)
    for shape in SHAPES if device == "cuda" else ():
        spectrum(family, shape, 0, device)
    return sum(LAYERS * count * spectrum(family, shape, 1, device) for shape, count in SHAPES.items())


def main() -> None:
    """Measure, and print beside the targets."""
    rows = []
    for family, target in TARGETS.items():
        found = measure(every_matrix, family, "cpu")
        case = f"{family}: all {MATRICES} matrices, {THREADS} threads"
        memory = found.peak_memory_gib
        rows.append(Row(case, found.value, target, "target", target / found.value, "s", memory))
        rows.append(Row(f"{case}: memory", memory, MEMORY_TARGET_GIB, "target", MEMORY_TARGET_GIB / memory, "GiB"))
    exact = rows[2].ours
    for family in ("DoRA", "QuanTA"):
        found = measure(every_shape, family, "cpu")
        case = f"{family}: estimated, one of every shape times its number"
        rows.append(
            Row(case, found.value, exact, "exact, all matrices", exact / found.value, "s", found.peak_memory_gib)
        )
    if torch.cuda.is_available():
        ours, peer = measure(every_matrix, "full", "cuda").value, measure(every_shape, "svdvals", "cuda").value
        rows.append(Row(f"full: all {MATRICES} matrices on the GPU", ours, peer, "svdvals there", peer / ours, "s"))
    report("whole_model", rows)


if __name__ == "__main__":
    main()
