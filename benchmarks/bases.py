"""What a run costs to measure where its base was factored once (rule `factor_base`), beside what it cost before.

Before, every run decomposed its base again and its tuned weight as a whole. Now it reads the base's triples and masks
from a file, and of the tuned weight it computes all singular values and the leading vectors. Measured: the three shapes
of a Qwen3-8B layer (q and o; k and v; gate, up and down), Gaussian, in a layer that is decomposed and in one that is
not, LoRA and DoRA of rank 16, CPU seconds on one core, reading included. The whole run is arithmetic from these: 36
layers of 2 + 2 + 3 matrices, 3 of them decomposed as scale `paper` does. `WIDTH` (default 1024; 4096 is full size and
takes half an hour) sets the width; below 4096 the whole run is scaled by the third power of it, which is what
decompositions and Gram matrices cost, and stands on the low side of the saving for what is linear in the size.
"""

import os
import tempfile
import time
from functools import partial
from pathlib import Path
from unittest.mock import patch

import torch
from harness import Row, measure, report
from safetensors.torch import save_file
from torch import Tensor

from rlvr.spectra.bases import StoredFactors, factor_base
from rlvr.spectra.diagnostics import diagnose
from rlvr.spectra.directions import decompose
from rlvr.spectra.measure import measure_update
from rlvr.spectra.settings import DiagnosticsSettings
from rlvr.weights.decompositions import Triples
from rlvr.weights.matrices import ModuleUpdate, dora_update
from rlvr.weights.tensors import TensorStore

WIDTH = int(os.environ.get("WIDTH", "1024"))
SHAPES = {"square": ((WIDTH, WIDTH), 2), "keys": ((WIDTH // 4, WIDTH), 2), "wide": ((3 * WIDTH, WIDTH), 3)}
KINDS = os.environ.get("KINDS", ",".join(SHAPES)).split(",")
LAYERS, DECOMPOSED, RANK = 36, 3, 16
FAMILIES = os.environ.get("FAMILIES", "LoRA,DoRA").split(",")
SETTINGS = {
    whether: DiagnosticsSettings(WIDTH // 32, 0.5, 64, None if whether else ()) for whether in (True, False)
}  # of scale `paper`
MODULE = "model.layers.0.q_proj"


def gaussian(*size: int, seed: int) -> Tensor:
    """Standard normal entries."""
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def write_base(kind: str, folder: str) -> None:
    """One matrix as a checkpoint in bfloat16."""
    shape = SHAPES[kind][0]
    save_file({f"{MODULE}.weight": (gaussian(*shape, seed=0) * WIDTH**-0.5).bfloat16()}, f"{folder}/model.safetensors")


def factor(folder: str, decomposed: bool) -> tuple[float, int]:
    """CPU seconds that the base costs once, and the bytes on disk."""
    torch.set_num_threads(1)
    start, out = time.process_time(), Path(folder) / f"factors-{decomposed}" / "factors.json"
    factor_base(folder, SETTINGS[decomposed], out)
    return time.process_time() - start, sum(path.stat().st_size for path in out.parent.glob("*.safetensors"))


def module_of(family: str, folder: str) -> ModuleUpdate:
    """The matrix with an adapter whose update has a thousandth of its norm."""
    read = partial(TensorStore(folder).read, f"{MODULE}.weight")
    rows, cols = TensorStore(folder).shape(f"{MODULE}.weight")
    factors = 1e-3 * RANK**-0.5 * WIDTH**-0.5 * gaussian(rows, RANK, seed=1).double(), gaussian(RANK, cols, seed=2)
    module = partial(ModuleUpdate, MODULE, 0, "q_proj", rows, cols, read_base=read)
    if family == "LoRA":
        return module(bound=RANK, factors=(factors[0], factors[1].double()))
    magnitude = read().double().norm(dim=1) * (1 + 1e-3 * gaussian(rows, seed=3).double())
    change = partial(dora_update, factors=(factors[0], factors[1].double()), magnitude=magnitude)
    return module(bound=min(rows, cols), change=change)


def whole(weight: Tensor, count: int) -> tuple[Tensor, Triples]:
    """What `leading_triples` finds, by decomposing the weight as a whole."""
    found = decompose(weight)
    return found.values, found.first(count)


def cost(family: str, folder: str, decomposed: bool, shared: bool) -> float:
    """CPU seconds of everything that is measured of the module."""
    torch.set_num_threads(1)
    update, settings = module_of(family, folder), SETTINGS[decomposed]
    start = time.process_time()
    matrices, layers = update.matrices(), settings.decomposed_layers(LAYERS)
    list(measure_update(update, matrices))
    if shared:
        known = StoredFactors(f"{folder}/factors-{decomposed}", settings).read(MODULE, matrices.base)
        diagnose(update, matrices, settings, layers, known)
    else:
        with patch("rlvr.spectra.diagnostics.leading_triples", whole):
            diagnose(update, matrices, settings, layers)
    return time.process_time() - start


def main() -> None:
    """Every shape, family and kind of layer; then the whole run."""
    rows, total, once, size = [], dict.fromkeys(FAMILIES, (0.0, 0.0)), 0.0, 0.0
    for kind in KINDS:
        shape, count = SHAPES[kind]
        with tempfile.TemporaryDirectory() as folder:
            measure(write_base, kind, folder)
            for decomposed, layers in ((True, DECOMPOSED), (False, LAYERS - DECOMPOSED)):
                seconds, held = measure(factor, folder, decomposed).value
                once, size = once + layers * count * seconds, size + layers * count * held
                for family in FAMILIES:
                    ours = measure(cost, family, folder, decomposed, True)
                    peer = measure(cost, family, folder, decomposed, False)
                    word = "decomposed" if decomposed else "not decomposed"
                    case = f"{family}, {shape[0]}x{shape[1]}, {word}"
                    ratio, memory = peer.value / ours.value, ours.peak_memory_gib
                    rows.append(Row(case, ours.value, peer.value, "base factored per run", ratio, "CPU s", memory))
                    print(rows[-1], flush=True)
                    sums = zip(total[family], (ours.value, peer.value), strict=True)
                    total[family] = tuple(before + layers * count * each for before, each in sums)
    if set(KINDS) == set(SHAPES):
        scale, note = (4096 / WIDTH) ** 3, "" if WIDTH == 4096 else f" (scaled from width {WIDTH})"
        for family, (ours, peer) in total.items():
            case = f"{family}, a whole 8B run{note}"
            rows.append(Row(case, scale * ours, scale * peer, "base factored per run", peer / ours, "CPU s"))
        rows.append(Row(f"the base, once{note}", scale * once, scale * once, "itself", 1.0, "CPU s"))
        disk = size * (4096 / WIDTH) ** 2 / 1e9
        rows.append(Row("factors on disk, 8B", disk, disk, "itself", 1.0, "GB"))
    report("bases", rows)


if __name__ == "__main__":
    main()
