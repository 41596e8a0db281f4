"""Estimated spectra against exact ones: error, honesty of the error bars, maps that never form the update."""

from dataclasses import replace

import pytest
import torch

from rlvr.core.errors import InputError
from rlvr.spectra import krylov
from rlvr.spectra.dense import dense_singular_values
from rlvr.spectra.krylov import estimate_spectrum
from rlvr.spectra.quantities import effective_rank, participation_ratio, stable_rank
from rlvr.weights.linear_maps import dense_map, dora_map, quanta_map
from rlvr.weights.quanta_gates import apply_quanta, dense_quanta, gate_sizes, update_matrix

SIDE = 640
DECAYS = {
    "flat": lambda index: torch.ones_like(index),
    "heavy": lambda index: index**-0.6,
    "heavier": lambda index: index**-1.0,
    "exponential": lambda index: torch.exp(-8 * index / len(index)),
}
SPIKES = {"spiked": 30, "nearly low rank": 90}


def matrix_of(kind, seed, rows=SIDE, cols=SIDE):
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(rows, cols, generator=generator)
    if kind in SPIKES:
        count = SPIKES[kind]
        spikes = torch.randn(rows, count, generator=generator) @ torch.randn(count, cols, generator=generator)
        return 0.3 * noise + spikes
    return noise * DECAYS[kind](torch.arange(1.0, cols + 1))


@pytest.mark.parametrize("kind", [*DECAYS, *SPIKES])
def test_estimates_are_close_and_their_errors_honest(kind):
    exact = effective_rank(dense_singular_values(matrix_of(kind, 0)))
    update = dense_map(matrix_of(kind, 0))
    # seeds apart from the matrix's: the same numbers as probes would be its own rows
    seeds = range(100, 120)
    found = [estimate_spectrum(update, torch.Generator().manual_seed(seed))["effective_rank"] for seed in seeds]
    errors = torch.tensor([estimate.value / exact - 1 for estimate in found])
    covered = sum(abs(estimate.value - exact) < 2 * estimate.std_error for estimate in found)
    assert errors.square().mean().sqrt() < 0.01
    assert covered >= 18  # 90 of 100 over the kinds


@pytest.mark.parametrize(("rows", "cols"), [(600, 700), (700, 600)])
def test_all_quantities_of_either_orientation(rows, cols):
    matrix = matrix_of("heavy", 3, rows, cols)
    values = dense_singular_values(matrix)
    found = estimate_spectrum(dense_map(matrix), torch.Generator().manual_seed(100))
    assert found["effective_rank"].value == pytest.approx(effective_rank(values), rel=0.02)
    assert found["participation_ratio"].value == pytest.approx(participation_ratio(values), rel=0.02)
    assert found["stable_rank"].value == pytest.approx(stable_rank(values), rel=1e-4)


CONSTRUCTED = 160
EQUAL, SPIKES_OVER_FLAT = (
    (1, 5, 16, 23, 24, 25, 30, 48, 100, CONSTRUCTED),
    ((1, 3), (1, 30), (1, 300), (2, 10), (30, 5)),
)
FLOORS = ((4, 0.02), (16, 0.02), (16, 0.1), (24, 0.05), (32, 0.02), (64, 0.1))
FALLING = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)


def with_values(values):
    """A single-precision matrix with these singular values, and others that are zero."""
    left, right = (
        torch.linalg.qr(torch.randn(CONSTRUCTED, len(values), generator=torch.Generator().manual_seed(seed)).double()).Q
        for seed in (len(values), len(values) + 1000)
    )
    return (left * torch.as_tensor(values, dtype=torch.float64) @ right.T).float()


def merged(rank):
    """A LoRA update as the difference of single-precision weights, which carries their rounding."""
    generator = torch.Generator().manual_seed(rank)
    base = torch.randn(CONSTRUCTED, CONSTRUCTED, generator=generator) / CONSTRUCTED**0.5
    left, right = (torch.randn(*shape, generator=generator) for shape in ((CONSTRUCTED, rank), (rank, CONSTRUCTED)))
    return (base + 0.01 * left @ right) - base


def noisy(rank, size):
    noise = torch.randn(CONSTRUCTED, CONSTRUCTED, generator=torch.Generator().manual_seed(rank)) / CONSTRUCTED**0.5
    return with_values([1.0] * rank) + size * noise


def spectra_of(kind):
    """About 40 matrices whose Krylov spaces run out, hold as many equal values as there are probes, or fall far."""
    rest = lambda rank: [1.0] * (CONSTRUCTED - rank)  # noqa: E731
    return {
        "merged": lambda: {f"rank {rank}": merged(rank) for rank in (1, 2, 4, 8, 16, 24, 32, 64, 96)},
        "equal": lambda: {f"{rank} values": with_values([1.0] * rank) for rank in EQUAL},
        "spikes": lambda: {f"{n} of {s}": with_values([float(s)] * n + rest(n)) for n, s in SPIKES_OVER_FLAT},
        "floor": lambda: {
            **{f"{n} over {f}": with_values([1.0] * n + [f * one for one in rest(n)]) for n, f in FLOORS},
            **{f"{n} in noise of {f}": noisy(n, f) for n, f in ((8, 0.01), (40, 0.05))},
        },
        "geometric": lambda: {str(q): with_values([q**i for i in range(CONSTRUCTED)]) for q in FALLING},
        "zero": lambda: {"zero": torch.zeros(CONSTRUCTED, CONSTRUCTED)},
    }[kind]()


QUANTITIES = {"effective_rank": effective_rank, "participation_ratio": participation_ratio, "stable_rank": stable_rank}


@pytest.mark.parametrize("kind", ["merged", "equal", "spikes", "floor", "geometric", "zero"])
def test_constructed_spectra_lie_within_two_standard_errors(kind):
    """At least 90 % of 12 seeds each; nothing impossible, and no error bar of 0 where something was estimated."""
    inside = dict.fromkeys(QUANTITIES, 0)
    matrices = spectra_of(kind)
    for matrix in matrices.values():
        values = torch.linalg.svdvals(matrix.double())
        for seed in range(12):
            found = estimate_spectrum(dense_map(matrix), torch.Generator().manual_seed(1000 + seed))
            for name, quantity in QUANTITIES.items():
                estimate, exact = found[name], quantity(values)
                inside[name] += abs(estimate.value - exact) <= 2 * estimate.std_error
                assert (estimate.std_error > 0) == (exact > 0)
                assert exact == 0 or 1 <= estimate.value <= CONSTRUCTED
    assert min(inside.values()) >= 0.9 * 12 * len(matrices)


@pytest.mark.parametrize("kind", ["merged", "equal"])
def test_a_space_that_runs_out_is_exact(kind):
    """The Krylov space of a few distinct values is small; nothing that is only rounding may be added to it."""
    for name, matrix in spectra_of(kind).items():
        values = torch.linalg.svdvals(matrix.double())
        found = estimate_spectrum(dense_map(matrix), torch.Generator().manual_seed(100))
        for quantity, formula in QUANTITIES.items():
            assert found[quantity].value == pytest.approx(formula(values), rel=1e-5), (name, quantity)
            assert found[quantity].std_error < 1e-3 * formula(values)


def test_products_that_are_not_finite_are_an_error():
    broken = dense_map(torch.ones(100, 100))
    with pytest.raises(InputError, match="not finite"):
        estimate_spectrum(replace(broken, multiply=lambda x: x * torch.nan), torch.Generator())


def test_scale_does_not_matter_and_zero_is_zero():
    matrix = matrix_of("flat", 1)
    first, tiny = (
        estimate_spectrum(dense_map(scaled), torch.Generator().manual_seed(100))["effective_rank"].value
        for scaled in (matrix, 1e-17 * matrix)
    )
    assert tiny == pytest.approx(first, rel=1e-4)
    assert estimate_spectrum(dense_map(0 * matrix), torch.Generator())["effective_rank"].value == 0


def test_too_small_an_update_is_refused():
    with pytest.raises(ValueError, match="30 x 90 is too small"):
        estimate_spectrum(dense_map(torch.randn(30, 90)), torch.Generator())


def assert_same_map(found, matrix):
    rows, cols = matrix.shape
    assert (found.rows, found.cols) == (rows, cols)
    x, y = torch.randn(3, cols, dtype=matrix.dtype), torch.randn(3, rows, dtype=matrix.dtype)
    torch.testing.assert_close(found.multiply(x), x @ matrix.T)
    torch.testing.assert_close(found.multiply_transposed(y), y @ matrix)
    assert found.squared_norm == pytest.approx(float(matrix.square().sum()), rel=1e-9)


def test_dora_map_is_the_update():
    torch.manual_seed(0)
    base, left, right = (torch.randn(*shape, dtype=torch.float64) for shape in ((20, 30), (20, 4), (4, 30)))
    magnitude = torch.rand(20, dtype=torch.float64) + 5
    direction = base + left @ right
    expected = magnitude[:, None] * direction / direction.norm(dim=1, keepdim=True) - base
    assert_same_map(dora_map(base, left, right, magnitude), expected)


@pytest.mark.parametrize(("rows", "cols"), [(24, 24), (40, 24), (24, 40), (20, 24), (24, 20)])
def test_quanta_map_is_the_update(rows, cols):
    torch.manual_seed(0)
    dims = [4, 2, 3]
    trained, frozen = ([torch.randn(size, size, dtype=torch.float64) for size in gate_sizes(dims)] for _ in range(2))
    assert_same_map(quanta_map(trained, frozen, dims, rows, cols), update_matrix(trained, frozen, dims, rows, cols))
    x = torch.randn(5, 24, dtype=torch.float64)
    torch.testing.assert_close(apply_quanta(x, trained, dims, transposed=True), x @ dense_quanta(trained, dims))


@pytest.mark.parametrize("family", ["dense", "dora", "quanta"])
def test_everything_is_made_where_the_update_lies(family):
    """With another default device, as a GPU would be: a tensor made without naming its place could not be used."""
    torch.manual_seed(0)
    base, left, right = torch.randn(60, 60), torch.randn(60, 4), torch.randn(4, 60)
    trained, frozen = ([torch.randn(size, size) for size in gate_sizes([4, 5, 3])] for _ in range(2))
    build = {
        "dense": lambda: dense_map(base),
        "dora": lambda: dora_map(base, left, right, base.norm(dim=1)),
        "quanta": lambda: quanta_map(trained, frozen, [4, 5, 3], 60, 60),
    }[family]
    expected = estimate_spectrum(build(), torch.Generator().manual_seed(100))
    with torch.device("meta"):
        assert estimate_spectrum(build(), torch.Generator("cpu").manual_seed(100)) == expected


def test_more_steps_change_little_once_the_quadrature_has_converged(monkeypatch):
    update, generator = dense_map(matrix_of("exponential", 0)), torch.Generator
    before = estimate_spectrum(update, generator().manual_seed(100))["effective_rank"].value
    monkeypatch.setattr(krylov, "STEPS", 26)
    after = estimate_spectrum(update, generator().manual_seed(100))["effective_rank"].value
    assert after == pytest.approx(before, rel=5e-3)
