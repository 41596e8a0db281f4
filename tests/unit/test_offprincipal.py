"""Where updates land: closed forms, slow versions, bounds, and the intervention of "The Path Not Taken"."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.bases.symmetry import Heads, Symmetry, transform_tensor
from rlvr.spectra.directions import decompose
from rlvr.spectra.offprincipal import (
    column_ratio,
    consensus_ratio,
    independent_jaccard,
    jaccard,
    jaccard_matrix,
    mean_off_diagonal,
    normalised_spectral_shift,
    overlap,
    overlap_against_chance,
    principal_angles,
    profile_alignment,
    row_ratio,
)
from rlvr.spectra.sparsity import update_mask
from rlvr.weights.masks import density, low_magnitude_mask, principal_mask, top_share_mask

SEEDS = st.integers(0, 10_000)


def gaussian(rows: int, cols: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, cols, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rotation(size: int, seed: int) -> torch.Tensor:
    return torch.linalg.qr(gaussian(size, size, seed)).Q


def bernoulli(shape: tuple[int, int], p: float, seed: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < p


# Masks.


@given(st.integers(1, 5), st.integers(1, 5), SEEDS)
@settings(deadline=None, max_examples=40)
def test_jaccard_is_that_of_sets_of_places(rows, cols, seed):
    masks = [bernoulli((rows, cols), p, seed + n) for n, p in enumerate((0.3, 0.6))]
    first, second = ({place for place in itertools.product(range(rows), range(cols)) if mask[place]} for mask in masks)
    expected = len(first & second) / len(first | second) if first | second else 0.0
    assert jaccard(*masks) == pytest.approx(expected)
    assert overlap(*masks) == pytest.approx(len(first & second) / len(second) if second else 0.0)


def test_independent_masks_meet_the_baseline_and_equal_ones_exceed_it():
    first, second = bernoulli((600, 600), 0.2, 0), bernoulli((600, 600), 0.35, 1)
    assert jaccard(first, second) == pytest.approx(independent_jaccard(0.2, 0.35), rel=0.02)
    assert jaccard(first, first) == 1.0
    assert independent_jaccard(0.0, 0.0) == 0.0 and independent_jaccard(1.0, 0.5) == pytest.approx(0.5)


def test_the_jaccard_matrix_and_its_mean_without_the_diagonal():
    masks = [torch.tensor([True, True, False]), torch.tensor([True, False, False]), torch.tensor([False, False, True])]
    expected = torch.tensor([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    matrix = jaccard_matrix(masks)
    torch.testing.assert_close(matrix, expected)
    assert mean_off_diagonal(matrix) == pytest.approx(1 / 6)


def test_consensus_and_profiles_by_hand():
    masks = [torch.tensor([[True, True, False], [False, False, False]]), torch.tensor([[True, False, False]] * 2)]
    assert consensus_ratio(masks).tolist() == [[1.0, 0.5, 0.0], [0.5, 0.0, 0.0]]
    assert row_ratio(masks[0]).tolist() == pytest.approx([2 / 3, 0])
    assert column_ratio(masks[0]).tolist() == [0.5, 0.5, 0.0]


def test_peaks_that_stay_while_the_density_grows_are_aligned():
    """Figure 3: one stripe pattern at two densities, and noise."""
    stripes = torch.linspace(0.05, 0.4, 300)[:, None]
    draws = [torch.rand(300, 400, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)]
    early, late = draws[0] < 0.5 * stripes, draws[1] < 2 * stripes
    assert profile_alignment(row_ratio(early), row_ratio(late)) > 0.9
    assert abs(profile_alignment(row_ratio(bernoulli((300, 400), 0.2, 3)), row_ratio(late))) < 0.3
    assert profile_alignment(torch.ones(3), torch.arange(3)) == 0.0


@given(SEEDS, st.floats(0.1, 0.9))
@settings(deadline=None, max_examples=20)
def test_a_random_update_scores_the_density(seed, share):
    identified = top_share_mask(gaussian(200, 200, seed), share)
    found, chance = overlap_against_chance(identified, bernoulli((200, 200), 0.3, seed + 1))
    assert chance == pytest.approx(share, abs=1e-4) and found == pytest.approx(chance, abs=0.03)


def test_nothing_changed_overlaps_with_nothing():
    assert overlap(torch.ones(2, 2, dtype=torch.bool), torch.zeros(2, 2, dtype=torch.bool)) == 0.0


# Subspaces.


def test_angles_between_planes_by_hand():
    first = torch.eye(3, dtype=torch.float64)[:, :2]
    tilted = torch.tensor([[1, 0], [0, math.cos(0.3)], [0, math.sin(0.3)]], dtype=torch.float64)
    torch.testing.assert_close(principal_angles(first, tilted), torch.tensor([0.0, 0.3], dtype=torch.float64))
    assert principal_angles(first[:, :1], first[:, 1:2]).tolist() == pytest.approx([math.pi / 2])


@pytest.mark.parametrize("angle", [1e-12, 1e-6, 0.5, math.pi / 2 - 1e-9])
def test_small_and_right_angles_keep_their_digits(angle):
    """The arc cosine alone returns 0 for the first of these."""
    first = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    second = torch.tensor([[math.cos(angle)], [math.sin(angle)]], dtype=torch.float64)
    assert float(principal_angles(first, second)) == pytest.approx(angle, rel=1e-6)


@given(SEEDS, st.integers(1, 4))
@settings(deadline=None, max_examples=20)
def test_cosines_of_the_angles_are_the_papers(seed, k):
    first, second = (torch.linalg.qr(gaussian(9, k, seed + n)).Q for n in range(2))
    torch.testing.assert_close(principal_angles(first, second).cos(), torch.linalg.svdvals(first.T @ second))


@given(SEEDS, st.integers(1, 4))
@settings(deadline=None, max_examples=40)
def test_angles_are_symmetric_and_ignore_the_choice_of_basis(seed, k):
    first, second = (torch.linalg.qr(gaussian(9, k, seed + n)).Q for n in range(2))
    angles = principal_angles(first, second)
    torch.testing.assert_close(angles, principal_angles(second, first), atol=1e-7, rtol=0)
    turned = principal_angles(rotation(9, seed) @ first, rotation(9, seed) @ second @ rotation(k, seed + 5))
    torch.testing.assert_close(angles, turned, atol=1e-7, rtol=0)


@given(SEEDS, st.floats(1e-4, 2.0), st.integers(1, 5))
@settings(deadline=None, max_examples=60)
def test_wedin_bounds_the_rotation(seed, size, k):
    """Theorem 3.3, with the gap between sigma_k of one side and sigma_{k+1} of the other."""
    weight, change = gaussian(7, 6, seed), size * gaussian(7, 6, seed + 1)
    before, after = decompose(weight), decompose(weight + change)
    gap = float(before.values[k - 1] - after.values[k])
    if gap <= 1e-6:
        return
    residuals = [float(torch.linalg.matrix_norm(part, 2)) for part in (
        change.T @ before.left[:, :k], change @ before.right[:k].T)]  # fmt: skip
    for side in ("left", "right"):
        first, second = (getattr(part, side) for part in (before, after))
        first, second = (first[:, :k], second[:, :k]) if side == "left" else (first[:k].T, second[:k].T)
        assert float(principal_angles(first, second)[-1].sin()) <= max(residuals) / gap + 1e-9


@given(SEEDS, st.floats(1e-6, 10.0))
@settings(deadline=None, max_examples=60)
def test_weyl_and_mirsky_bound_the_shift(seed, size):
    """Corollaries 3.4 and 3.5: single values, all of them together, and the Ky Fan norms."""
    weight, change = gaussian(6, 5, seed), size * gaussian(6, 5, seed + 1)
    before, after, of_change = (torch.linalg.svdvals(matrix) for matrix in (weight, weight + change, change))
    slack = 1e-9 * (1 + size)
    assert float((after - before).abs().max()) <= float(of_change[0]) + slack
    shift = normalised_spectral_shift(before, after)
    assert shift <= float(of_change.norm() / before.norm()) + slack
    ky_fan = (after.cumsum(0) - before.cumsum(0)).abs()
    assert bool((ky_fan <= of_change.cumsum(0) + slack).all())


def test_a_rotation_of_the_weight_shifts_no_value_and_a_scaling_all_of_them():
    weight = gaussian(6, 5, 0)
    before = torch.linalg.svdvals(weight)
    assert normalised_spectral_shift(before, torch.linalg.svdvals(rotation(6, 1) @ weight)) < 1e-12
    assert normalised_spectral_shift(before, 1.5 * before) == pytest.approx(0.5)


# The intervention (section 4.3): geometry, here principal weights, decides where a run changes what is stored.


def geometry_led_update(weight: torch.Tensor, seed: int) -> torch.Tensor:
    """A stand-in for training that avoids principal weights: noise on all others, of a size that storage sees."""
    principal = principal_mask(decompose(weight).first(4).product(), 0.5)
    return torch.where(principal, 0.0, 0.02 * gaussian(*weight.shape, seed))


def low_rank_weight(seed: int) -> torch.Tensor:
    """A weight with a few strong directions that live on few coordinates, as in a trained model."""
    spread = torch.logspace(0, -1.5, 96, dtype=torch.float64)
    strong = (spread[:, None] * gaussian(96, 4, seed)) @ (gaussian(4, 128, seed + 1))
    return strong + 0.05 * gaussian(96, 128, seed + 2)


def mask_of_a_run(weight: torch.Tensor, seed: int) -> torch.Tensor:
    return update_mask(weight, weight + geometry_led_update(weight, seed))


def overlaps_with_an_independent_run(
    before: torch.Tensor, after: torch.Tensor, layer: int
) -> tuple[float, float, float]:
    """Overlap of the first run with a second one on the same weight, with one on the changed weight, and chance."""
    first, second = mask_of_a_run(before, 1000 + layer), mask_of_a_run(before, 2000 + layer)
    return overlap(first, second), overlap(first, mask_of_a_run(after, 3000 + layer)), density(first)


def test_overlap_falls_to_the_baseline_in_rotated_layers_only():
    """Figure 6, with plain rotations of both sides of one layer of four."""
    for layer in range(4):
        weight = low_rank_weight(10 * layer)
        changed = rotation(96, 77) @ weight @ rotation(128, 78) if layer == 2 else weight
        untouched, intervened, chance = overlaps_with_an_independent_run(weight, changed, layer)
        assert untouched > chance + 0.3  # two runs without intervention share their footprint
        assert intervened == pytest.approx(chance, abs=0.05) if layer == 2 else intervened > chance + 0.3


def test_the_loss_preserving_rotation_of_values_does_the_same():
    """Appendix C.3: a rotation within heads changes nothing that the model computes, and the geometry of o_proj.

    A rotation of columns cannot move structure along the rows, of which this weight has none.
    """
    heads, symmetry = Heads(query=4, key_value=2, size=32), Symmetry(rotated_layers=[1], permuted_layers=[], seed=0)
    columns = torch.exp(1.5 * gaussian(1, 128, 3))
    for layer in (0, 1):
        rows = torch.nn.functional.normalize(gaussian(96, 4, layer))  # all of one length: no structure along the rows
        weight = rows @ gaussian(4, 128, layer + 2) * columns + 0.05 * gaussian(96, 128, layer + 4)
        changed = transform_tensor(f"model.layers.{layer}.self_attn.o_proj.weight", weight, symmetry, heads)
        untouched, intervened, chance = overlaps_with_an_independent_run(weight, changed, layer)
        fall = (untouched - intervened) / (untouched - chance)
        assert fall > 0.9 if layer == 1 else abs(fall) < 0.1


def test_updates_that_avoid_principal_weights_score_below_the_baseline():
    """Figure 5: sub-random on principal weights, and the more so without those of low magnitude."""
    weight = low_rank_weight(5)
    update = mask_of_a_run(weight, 6)
    principal = principal_mask(decompose(weight).first(4).product(), 0.5)
    low = low_magnitude_mask(weight, 0.5)
    found, chance = overlap_against_chance(principal, update)
    assert found < 0.1 * chance
    assert overlap(low, update) > 0.5
    assert overlap(principal & ~low, update) <= found
