"""Updates along the singular directions of their base: closed forms, slow versions, invariances."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.spectra.directions import (
    along_directions,
    cumulative_energy,
    decompose,
    diagonal_share,
    initial_norms,
    mode_shares,
    subspace_similarity,
    tail_mean,
)

SEEDS = st.integers(0, 10_000)


def gaussian(rows: int, cols: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, cols, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(st.integers(1, 7), st.integers(1, 7), SEEDS)
@settings(deadline=None, max_examples=40)
def test_magnitudes_are_the_inner_products_one_by_one(rows, cols, seed):
    base, update = decompose(gaussian(rows, cols, seed)), gaussian(rows, cols, seed + 1)
    slow = [abs(float(base.left[:, i] @ update @ base.right[i])) for i in range(min(rows, cols))]
    torch.testing.assert_close(along_directions(update, base), torch.tensor(slow, dtype=torch.float64))


def test_an_update_along_one_mode_shows_in_that_mode_only():
    """PiSSA-like and MiLoRA-like updates: all in the first, all in the last mode."""
    base = decompose(gaussian(6, 4, 0))
    for mode in (0, 3):
        update = 2.5 * torch.outer(base.left[:, mode], base.right[mode])
        shares = mode_shares(along_directions(update, base))
        assert float(shares[mode]) == pytest.approx(1.0)
        energy = cumulative_energy(along_directions(update, base))
        assert energy.tolist() == pytest.approx([0.0] * mode + [1.0] * (4 - mode), abs=1e-12)
        assert diagonal_share(update, along_directions(update, base)) == pytest.approx(1.0)


def test_scaling_the_base_is_an_update_in_proportion_to_its_values():
    base_weight = torch.diag(torch.tensor([4.0, 2.0, 1.0]))
    magnitudes = along_directions(0.1 * base_weight, decompose(base_weight))
    assert mode_shares(magnitudes).tolist() == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    assert cumulative_energy(magnitudes).tolist() == pytest.approx([16 / 21, 20 / 21, 1.0])


@given(SEEDS, st.floats(1e-3, 1e3))
@settings(deadline=None, max_examples=30)
def test_shares_ignore_rotation_scaling_and_transposition(seed, scale):
    weight, update = gaussian(6, 4, seed), gaussian(6, 4, seed + 1)
    expected = mode_shares(along_directions(update, decompose(weight)))
    left, right = (torch.linalg.qr(gaussian(n, n, seed + n)).Q for n in (6, 4))
    for w, u in (
        (left @ weight @ right, left @ update @ right),
        (weight.T, update.T),
        (scale * weight, update / scale),
    ):
        torch.testing.assert_close(mode_shares(along_directions(u, decompose(w))), expected, atol=1e-8, rtol=1e-6)


def test_the_first_order_change_of_the_values():
    """The meaning of c_i: |s_i(W + e D) - s_i(W)| / e as e goes to 0."""
    weight, update = gaussian(5, 5, 0), gaussian(5, 5, 1)
    step = 1e-7
    shift = (torch.linalg.svdvals(weight + step * update) - torch.linalg.svdvals(weight)).abs() / step
    torch.testing.assert_close(along_directions(update, decompose(weight)), shift, rtol=1e-4, atol=1e-5)


def test_a_random_update_shows_little_on_the_diagonal():
    base, update = decompose(gaussian(60, 120, 0)), gaussian(60, 120, 1)
    assert diagonal_share(update, along_directions(update, base)) == pytest.approx(1 / 120, rel=0.5)


def test_a_zero_update_has_no_shares():
    base = decompose(gaussian(3, 3, 0))
    nothing = along_directions(torch.zeros(3, 3), base)
    assert mode_shares(nothing).tolist() == cumulative_energy(nothing).tolist() == [0.0] * 3
    assert diagonal_share(torch.zeros(3, 3), nothing) == 0.0


def test_similarity_of_factors_inside_outside_and_at_random():
    right = decompose(gaussian(32, 48, 0)).right
    inside = gaussian(4, 4, 1) @ right[:4]
    assert subspace_similarity(inside, right[:4]) == pytest.approx(1.0)
    assert subspace_similarity(inside, right[-4:]) == pytest.approx(0.0, abs=1e-12)
    drawn = [subspace_similarity(gaussian(4, 48, seed), right[:4]) for seed in range(40)]
    assert sum(drawn) / 40 == pytest.approx(math.sqrt(4 / 48), rel=0.1)
    assert subspace_similarity(torch.zeros(4, 48), right[:4]) == 0.0


def test_initial_norms_are_those_of_the_factors():
    """Equations 3, 4 and 7 of "Geometry-Preserving Orthonormal Initialization", multiplied out."""
    weight, rank = gaussian(12, 9, 0), 3
    triples = decompose(weight)
    norms = initial_norms(triples.values, rank)
    for name, ends in (("pissa", triples.first(rank)), ("milora", triples.last(rank))):
        root = ends.values.sqrt()
        assert norms[name] == pytest.approx(float(((ends.left * root) @ (root[:, None] * ends.right)).norm()))
    assert norms["olora"] == pytest.approx(float((triples.first(rank).left @ triples.first(rank).right).norm()))
    assert norms["lora"] == 0.0 and norms["milora"] < norms["pissa"]


def test_the_tail_is_the_mean_of_the_smallest():
    assert tail_mean(torch.tensor([9.0, 4.0, 2.0, 1.0]), 2) == 1.5
    assert tail_mean(torch.tensor([9.0, 3.0]), 16) == 6.0
