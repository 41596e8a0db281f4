"""Estimated spectra against exact ones: error, honesty of the error bars, maps that never form the update."""

import pytest
import torch

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


def test_low_rank_is_exact_although_the_space_breaks_down():
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(400, 5, generator=generator) @ torch.randn(5, 300, generator=generator)
    found = estimate_spectrum(dense_map(matrix), torch.Generator().manual_seed(100))
    values = torch.linalg.svdvals(matrix.double())
    assert found["effective_rank"].value == pytest.approx(effective_rank(values), rel=1e-4)
    assert found["participation_ratio"].value == pytest.approx(participation_ratio(values), rel=1e-4)


def test_scale_does_not_matter_and_zero_is_zero():
    matrix = matrix_of("flat", 1)
    first, tiny = (
        estimate_spectrum(dense_map(scaled), torch.Generator().manual_seed(100))["effective_rank"].value
        for scaled in (matrix, 1e-12 * matrix)
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
