"""Singular values, estimates and decompositions of tensors on a GPU are those of the CPU."""

import pytest
import torch

from rlvr.spectra.dense import dense_singular_values
from rlvr.spectra.krylov import estimate_spectrum
from rlvr.spectra.quantities import effective_rank, factored_singular_values
from rlvr.weights.decompositions import VARIANTS
from rlvr.weights.linear_maps import dense_map, dora_map, quanta_map
from rlvr.weights.quanta_gates import gate_sizes

DIMS = [8, 8, 8]


def gaussian(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def falling(rows, cols):
    """A matrix whose singular values fall from 1 to 0.001."""
    left, right = (torch.linalg.qr(gaussian(size, 200, seed=seed).double()).Q for size, seed in ((rows, 1), (cols, 2)))
    return (left * torch.logspace(0, -3, 200, dtype=torch.float64)) @ right.T


def gates(seed):
    return [gaussian(size, size, seed=seed) / size**0.5 for size in gate_sizes(DIMS)]


@pytest.mark.parametrize(("rows", "cols"), [(300, 400), (700, 600), (600, 1300)])
def test_exact_singular_values(rows, cols, device):
    matrix = gaussian(rows, cols)
    found, expected = dense_singular_values(matrix.to(device)).cpu(), dense_singular_values(matrix)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert effective_rank(found) == pytest.approx(effective_rank(expected), rel=1e-5)


def test_factored_singular_values(device):
    left, right = gaussian(300, 16), gaussian(16, 500, seed=1)
    found = factored_singular_values(left.to(device), right.to(device)).cpu()
    torch.testing.assert_close(found, factored_singular_values(left, right))


MAPS = {
    "dense": lambda to: dense_map(to(gaussian(600, 700))),
    "dora": lambda to: dora_map(
        to(gaussian(600, 700)), to(gaussian(600, 8, seed=1)), to(gaussian(8, 700, seed=2)), to(gaussian(600).abs())
    ),
    "quanta": lambda to: quanta_map([to(g) for g in gates(1)], [to(g) for g in gates(2)], DIMS, 600, 512),
}


@pytest.mark.parametrize("kind", MAPS)
def test_estimates_from_products(kind, device):
    found, expected = (
        estimate_spectrum(MAPS[kind](to), torch.Generator().manual_seed(3))
        for to in (lambda tensor: tensor.to(device), lambda tensor: tensor)
    )
    for name, estimate in expected.items():
        assert found[name].value == pytest.approx(estimate.value, rel=1e-3), name


@pytest.mark.parametrize("variant", VARIANTS)
def test_both_ends_of_a_decomposition(variant, device):
    matrix = falling(260, 200)
    for found, expected in zip(VARIANTS[variant](matrix.to(device), 8), VARIANTS[variant](matrix, 8), strict=True):
        assert found.values.device.type == device.type
        torch.testing.assert_close(found.values.cpu(), expected.values, rtol=1e-3, atol=1e-7)
        torch.testing.assert_close(found.product().cpu(), expected.product(), rtol=0, atol=1e-5)
