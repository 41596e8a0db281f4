"""Spectra of a whole 8B pair: all 252 matrices of Qwen3-8B's shapes, random weights, updates of the four families.

LoRA (factored) and a full update (exact, Gram path) are measured over all 252 matrices on two threads; for DoRA and
QuanTA, estimated without forming the update, every shape is measured once and multiplied by its number. Where there is
a GPU, all 252 exactly there, beside `torch.linalg.svdvals` on the same card (one of every shape, multiplied).

What `snakemake spectra` does with one attention matrix of a run (spectrum, spectrum as stored, diagnostics), beside the
same with every matrix made again whenever it is asked for: with and without decomposing the layer. CPU seconds at a
quarter of the width; `WIDTH=4096` measures at full width. `LAYERS=1` measures one layer of the 36 (and the targets of
one), in a few minutes.
"""

import os
import time
from collections.abc import Callable
from functools import partial

import torch
from harness import Row, measure, report
from torch import Tensor

from rlvr.spectra.dense import dense_singular_values
from rlvr.spectra.diagnostics import diagnose
from rlvr.spectra.krylov import estimate_spectrum
from rlvr.spectra.measure import measure_update
from rlvr.spectra.quantities import factored_singular_values
from rlvr.spectra.settings import DiagnosticsSettings
from rlvr.weights.linear_maps import dora_map, quanta_map
from rlvr.weights.matrices import Matrices, ModuleUpdate, dora_update
from rlvr.weights.quanta_gates import gate_sizes, update_matrix

# SOURCE: data/configs/qwen3-8b.json; matrices of that shape in a layer
SHAPES = {(4096, 4096): 2, (1024, 4096): 2, (12288, 4096): 2, (4096, 12288): 1}
LAYERS, RANK, DIMS, THREADS = int(os.environ.get("LAYERS", "36")), 16, [16, 16, 16], 2
MATRICES = LAYERS * sum(SHAPES.values())
TARGETS = {"LoRA": 5.0 / 36 * LAYERS, "full": 600.0 / 36 * LAYERS}  # seconds
MEMORY_TARGET_GIB = 2.0
WIDTH = int(os.environ.get("WIDTH", 1024))
REPEATS = 3


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


class Remade(Matrices):
    """Matrices that are read and computed whenever they are asked for, as they were before they were kept."""

    def __getattribute__(self, name: str) -> object:
        """Forgets what was made before."""
        made = object.__getattribute__(self, "__dict__")
        for kept in ("base", "tuned", "update"):
            made.pop(kept, None)
        return object.__getattribute__(self, name)


def module_of(family: str) -> ModuleUpdate:
    """A square attention matrix with an adapter; the base is stored in bfloat16."""
    generator = torch.Generator().manual_seed(0)

    def gaussian(*size: int) -> Tensor:
        return torch.randn(*size, generator=generator)

    base = (gaussian(WIDTH, WIDTH) * WIDTH**-0.5).bfloat16()
    module = partial(ModuleUpdate, "model.layers.0.q_proj", 0, "q_proj", WIDTH, WIDTH, WIDTH, base.clone)
    if family == "DoRA":
        factors = 0.02 * gaussian(WIDTH, RANK).double(), gaussian(RANK, WIDTH).double()
        magnitude = base.double().norm(dim=1) * (1 + 0.01 * gaussian(WIDTH).double())
        return module(change=partial(dora_update, factors=factors, magnitude=magnitude))
    dims = [*DIMS[:2], WIDTH // (DIMS[0] * DIMS[1])]
    frozen = [gaussian(size, size).double() / size**0.5 for size in gate_sizes(dims)]
    trained = [gate + 0.001 * gaussian(*gate.shape).double() for gate in frozen]
    return module(change=lambda base: update_matrix(trained, frozen, dims, *base.shape))


def one_module(family: str, kind: type[Matrices], decomposed: bool) -> float:
    """CPU seconds for everything that is measured of a module; the fastest of some calls."""
    torch.set_num_threads(1)
    update, seconds = module_of(family), []
    settings = DiagnosticsSettings(64, 0.1, 64)
    for _ in range(REPEATS):
        start = time.process_time()
        matrices = kind(update)
        list(measure_update(update, matrices))
        diagnose(update, matrices, settings, None if decomposed else ())
        seconds.append(time.process_time() - start)
    return min(seconds)


def made_once() -> list[Row]:
    """Matrices that are kept beside matrices that are made again at every use."""
    rows = []
    for family in ("DoRA", "QuanTA"):
        for decomposed in (False, True):
            ours, peer = (measure(one_module, family, kind, decomposed).value for kind in (Matrices, Remade))
            case = f"{family}, {WIDTH}x{WIDTH}, layer{'' if decomposed else ' not'} decomposed: one module"
            rows.append(Row(case, ours, peer, "matrices made again", peer / ours, "CPU s"))
    return rows


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
    report("whole_model", [*rows, *made_once()])


if __name__ == "__main__":
    main()
