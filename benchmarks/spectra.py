"""Spectra of single updates: factored, Gram and matrix-free paths beside `torch.linalg.svdvals`; bfloat16 comparison.

Everything runs on one core in single precision unless the path itself chooses otherwise. The matrix-free estimate is
compared with our own Gram path, which is faster than `svdvals`; its error is that of the effective rank. Its error bars
are counted over random matrices of six kinds of spectrum.

Of every comparison the CPU seconds are the fair ones on a busy machine. Full size takes long there;
`SIDE=1024 COVERED=12` (multiples of 256 and of 6) is a smaller setting.
"""

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from harness import Measured, Row, measure, report
from torch import Tensor

from rlvr.spectra.dense import dense_singular_values, lower_gram
from rlvr.spectra.krylov import estimate_spectrum
from rlvr.spectra.quantities import effective_rank, factored_singular_values
from rlvr.spectra.sparsity import count_changed
from rlvr.weights.linear_maps import dense_map, dora_map, quanta_map
from rlvr.weights.quanta_gates import gate_sizes

SIDE, RANK = int(os.environ.get("SIDE", "4096")), 16
DIMS = [16, 16, SIDE // 256]
COVERED_SIDE, COVERED_CASES = 1024, int(os.environ.get("COVERED", "102"))  # a multiple of the kinds of spectrum
ENTRIES = 2**26  # of the compared checkpoints

DECAYS: dict[str, Callable[[Tensor], Tensor]] = {
    "flat": torch.ones_like,
    "power 0.6": lambda index: index**-0.6,
    "power 1": lambda index: 1 / index,
    "exponential": lambda index: torch.exp(-8 * index / len(index)),
}


def gaussian(*shape: int, seed: int) -> Tensor:
    """Standard normal entries."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def update_of(kind: str, side: int, seed: int) -> Tensor:
    """A square update: Gaussian with columns that fall by a law, or a low rank in noise."""
    noise = gaussian(side, side, seed=seed)
    if kind in DECAYS:
        return noise * DECAYS[kind](torch.arange(1.0, side + 1))
    spikes = int(kind.split()[0])
    return 0.02 * side**0.5 * noise + gaussian(side, spikes, seed=seed + 1) @ gaussian(spikes, side, seed=seed + 2)


KINDS = (*DECAYS, "8 spikes", "100 spikes")


class Seconds(NamedTuple):
    """What a call took: of a core, which load from other processes hardly changes, and by the clock."""

    cpu: float
    wall: float


def timed(function: Callable[..., Any], *arguments: Any, repeat: int = 2) -> tuple[Seconds, Any]:
    """Least seconds of a few calls, and the last value."""
    torch.set_num_threads(1)
    seconds, value = [], None
    for _ in range(repeat):
        cpu, wall = time.process_time(), time.perf_counter()
        value = function(*arguments)
        seconds.append((time.process_time() - cpu, time.perf_counter() - wall))
    return Seconds(*map(min, zip(*seconds, strict=True))), value


def factored_case() -> tuple[Seconds, Seconds, float]:
    """Seconds of the factored path and of `svdvals`, and the largest relative error."""
    left, right = gaussian(SIDE, RANK, seed=0), gaussian(RANK, SIDE, seed=1)
    ours, values = timed(factored_singular_values, left, right, repeat=5)
    peer, expected = timed(torch.linalg.svdvals, left @ right, repeat=1)
    return ours, peer, float((values - expected[:RANK]).abs().max() / expected[0])


def dense_case(cols: int) -> tuple[Seconds, Seconds, float]:
    """Seconds of the Gram path and of `svdvals`, and the relative error of the effective rank."""
    update = gaussian(SIDE, cols, seed=0) * DECAYS["power 0.6"](torch.arange(1.0, cols + 1))
    ours, values = timed(dense_singular_values, update)
    peer, expected = timed(torch.linalg.svdvals, update, repeat=1)
    return ours, peer, abs(effective_rank(values) / effective_rank(expected) - 1)


def estimate_case(kind: str) -> tuple[Seconds, Seconds, float, float]:
    """Seconds of the estimate and of the Gram path on the formed update; relative error and standard error."""
    if kind == "DoRA":
        base, left, right = gaussian(SIDE, SIDE, seed=0), gaussian(SIDE, RANK, seed=1), gaussian(RANK, SIDE, seed=2)
        left, magnitude = 0.1 * left, base.norm(dim=1) * (1 + 0.01 * gaussian(SIDE, seed=3))
        build = lambda: dora_map(base, left, right, magnitude)  # noqa: E731
    elif kind == "QuanTA":
        frozen = [gaussian(size, size, seed=size + 1) / size**0.5 for size in gate_sizes(DIMS)]
        trained = [gate + 0.01 * gaussian(*gate.shape, seed=9) for gate in frozen]
        build = lambda: quanta_map(trained, frozen, DIMS, SIDE, SIDE)  # noqa: E731
    else:
        matrix = update_of(kind, SIDE, 0)
        build = lambda: dense_map(matrix)  # noqa: E731
    ours, found = timed(lambda: estimate_spectrum(build(), torch.Generator().manual_seed(100))["effective_rank"])
    update = build().multiply(torch.eye(SIDE)).T.contiguous()
    peer, values = timed(dense_singular_values, update, repeat=1)
    exact = effective_rank(values)
    return ours, peer, found.value / exact - 1, found.std_error / exact


def covered_case() -> tuple[int, float]:
    """Count the cases that have the exact effective rank within two standard errors, and the worst relative error."""
    torch.set_num_threads(1)
    covered, worst = 0, 0.0
    for case in range(COVERED_CASES):
        matrix = update_of(KINDS[case % len(KINDS)], COVERED_SIDE, 10 * case)
        found = estimate_spectrum(dense_map(matrix), torch.Generator().manual_seed(case + 1))["effective_rank"]
        exact = effective_rank(dense_singular_values(matrix))
        covered += abs(found.value - exact) < 2 * found.std_error
        worst = max(worst, abs(found.value / exact - 1))
    return covered, worst


def compare_case() -> tuple[float, float]:
    """Seconds by the clock to count what differs between two bfloat16 checkpoints, and to copy one of them."""
    before = gaussian(ENTRIES, seed=0).bfloat16()
    after = torch.where(gaussian(ENTRIES, seed=1) > 1, before * 1.01, before)
    target = torch.empty_like(before)
    ours, _ = timed(count_changed, before, after, repeat=5)
    copied, _ = timed(lambda: target.copy_(before), repeat=5)
    return ours.wall, copied.wall


def rows_of(case: str, measured: Measured, ours: Seconds, peer: Seconds, name: str) -> list[Row]:
    """One comparison of times, of a core and by the clock."""
    pairs = {"CPU time": (ours.cpu, peer.cpu), "wall time": (ours.wall, peer.wall)}
    return [
        Row(f"{case}; {what}", mine, other, name, other / mine, "s", measured.peak_memory_gib)
        for what, (mine, other) in pairs.items()
    ]


def parts_case() -> dict[str, Seconds]:
    """What the Gram path is made of: the lower triangle of the products, and their eigenvalues."""
    update = gaussian(SIDE, SIDE, seed=0) * DECAYS["power 0.6"](torch.arange(1.0, SIDE + 1))
    products, gram = timed(lower_gram, update)
    values, _ = timed(lambda: torch.linalg.eigvalsh(gram, UPLO="L"))
    vector = update[0].clone()
    once, _ = timed(lambda: [gram @ vector for _ in range(16)])
    return {"products": products, "eigenvalues": values, "one product with a vector": Seconds(*(x / 16 for x in once))}


def main() -> None:
    """All cases, each in a process of its own."""
    rows = []
    found = measure(factored_case)
    ours, peer, error = found.value
    rows.extend(rows_of(f"LoRA r={RANK}, {SIDE}x{SIDE}: factored, error {error:.1e}", found, ours, peer, "svdvals"))
    for cols in (SIDE, 3 * SIDE):
        found = measure(dense_case, cols)
        ours, peer, error = found.value
        rows.extend(rows_of(f"{SIDE}x{cols}: Gram, error {error:.1e}", found, ours, peer, "svdvals"))
    found = measure(parts_case)
    parts = found.value
    whole = Seconds(*(parts["products"][i] + parts["eigenvalues"][i] for i in (0, 1)))
    for name, part in parts.items():
        rows.extend(rows_of(f"{SIDE}x{SIDE}: Gram, {name}", found, part, whole, "products and eigenvalues"))
    for kind in (*KINDS, "DoRA", "QuanTA"):
        found = measure(estimate_case, kind)
        ours, peer, error, std_error = found.value
        case = f"{kind}, {SIDE}x{SIDE}: estimate, error {error:+.2%}, std. error {std_error:.2%}"
        rows.extend(rows_of(case, found, ours, peer, "Gram"))
    covered, worst = measure(covered_case).value
    case = f"{COVERED_SIDE}x{COVERED_SIDE}: within two std. errors, worst error {worst:.1%}"
    rows.append(Row(case, covered, COVERED_CASES, "cases", covered / COVERED_CASES, "cases"))
    ours, copied = measure(compare_case).value
    for case, sides, name in (
        ("changed bfloat16 weights, bytes compared", 2, "copy of the same bytes"),
        ("changed bfloat16 weights, bytes moved", 1, "copy, bytes read and written"),  # the stricter view
    ):
        ours_rate, copy_rate = 4 * ENTRIES / 1e9 / ours, 4 * ENTRIES / 1e9 / (sides * copied)
        rows.append(Row(case, ours_rate, copy_rate, name, ours_rate / copy_rate, "GB/s"))
    report("spectra", rows)


if __name__ == "__main__":
    main()
