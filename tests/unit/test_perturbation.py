"""Weyl, Mirsky and Wedin: closed forms, every random update keeps them, and a wrong pairing does not."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.spectra.directions import decompose, leading_triples
from rlvr.spectra.offprincipal import principal_angles
from rlvr.spectra.perturbation import perturbation_ratios, spectral_norm

NAMES = ("weyl_ratio", "mirsky_ratio", "wedin_ratio")


def gaussian(rows: int, cols: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, cols, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def ratios(base: torch.Tensor, tuned: torch.Tensor, count: int, claimed: torch.Tensor | None = None):
    """The ratios of a pair; ``claimed`` is an update that is said to be the one between them."""
    before = decompose(base)
    values, after = leading_triples(tuned, count)
    left = principal_angles(before.left[:, :count], after.left)
    right = principal_angles(before.right[:count].T, after.right.T)
    return perturbation_ratios(before, values, (left, right), tuned - base if claimed is None else claimed)


@given(st.integers(2, 12), st.integers(2, 12), st.floats(-9, 2), st.integers(0, 10_000), st.data())
@settings(deadline=None, max_examples=120)
def test_every_update_keeps_the_bounds(rows, cols, exponent, seed, data):
    count = data.draw(st.integers(1, min(rows, cols)))
    base = gaussian(rows, cols, seed)
    found = ratios(base, base + 10**exponent * gaussian(rows, cols, seed + 1), count)
    assert all(0 <= found[name] <= 1 + 1e-6 for name in NAMES), found


def test_the_bounds_are_met_by_the_updates_that_reach_them():
    base = torch.diag(torch.tensor([4.0, 2.0, 1.0], dtype=torch.float64))
    grown = torch.diag(torch.tensor([5.0, 2.0, 1.0], dtype=torch.float64))
    assert ratios(base, grown, 1) == pytest.approx({"weyl_ratio": 1, "mirsky_ratio": 1, "wedin_ratio": 0}, abs=1e-9)
    turned = torch.tensor([[math.cos(0.1), -math.sin(0.1)], [math.sin(0.1), math.cos(0.1)]], dtype=torch.float64)
    found = ratios(base[:2, :2], turned @ base[:2, :2], 1)
    norm = float(torch.linalg.matrix_norm(turned @ base[:2, :2] - base[:2, :2], 2))
    assert found["wedin_ratio"] == pytest.approx(math.sin(0.1) * (4 - 2) / norm)
    assert found["weyl_ratio"] == pytest.approx(0, abs=1e-9)


def test_the_update_of_another_module_breaks_them():
    base = gaussian(8, 6, 0)
    found = ratios(base, base + 0.1 * gaussian(8, 6, 1), 2, claimed=0.001 * gaussian(8, 6, 2))
    assert all(found[name] > 1 for name in NAMES)


def test_no_update_uses_nothing_of_a_bound():
    base = gaussian(5, 7, 3)
    assert ratios(base, base.clone(), 2) == dict.fromkeys(NAMES, 0.0)


@pytest.mark.parametrize("shape", [(3, 5), (600, 530)])
def test_the_norm_is_the_largest_singular_value_of_small_and_large_matrices(shape):
    matrix = gaussian(*shape, 4).float()
    assert spectral_norm(matrix) == pytest.approx(float(torch.linalg.svdvals(matrix.double())[0]), rel=1e-9)
    assert spectral_norm(torch.zeros(shape)) == 0.0
