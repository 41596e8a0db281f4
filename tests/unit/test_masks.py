"""Masks over weights: closed forms, exact sizes, and the densities that "The Path Not Taken" prints."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.core.errors import InputError
from rlvr.weights.decompositions import Triples
from rlvr.weights.masks import (
    below_mean_mask,
    density,
    low_magnitude_mask,
    principal_mask,
    random_mask,
    top_share_mask,
)


def gaussian(rows: int, cols: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, cols, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(st.integers(1, 8), st.integers(1, 8), st.floats(0, 1), st.integers(0, 99), st.booleans())
@settings(deadline=None, max_examples=60)
def test_a_share_is_an_exact_number_of_the_largest_scores(rows, cols, share, seed, tied):
    scores = gaussian(rows, cols, seed).round() if tied else gaussian(rows, cols, seed)
    mask = top_share_mask(scores, share)
    assert int(mask.sum()) == round(share * rows * cols)
    if mask.any() and not mask.all():
        assert scores[mask].min() >= scores[~mask].max()


def test_a_share_outside_zero_and_one_is_refused():
    with pytest.raises(InputError, match=r"share 1\.5"):
        top_share_mask(torch.ones(2, 2), 1.5)


def test_principal_and_low_magnitude_masks_by_hand():
    weight = torch.tensor([[3.0, 0.1], [-2.0, 0.5]])
    assert low_magnitude_mask(weight, 0.5).tolist() == [[False, True], [False, True]]
    assert below_mean_mask(weight).tolist() == [[False, True], [False, True]]  # mean magnitude 1.4
    assert principal_mask(weight, 0.25).tolist() == [[True, False], [False, False]]


def test_principal_weights_follow_the_reconstruction_not_the_weight():
    """A large entry that no leading direction carries is not principal."""
    left, right = torch.ones(8, 1) / 8**0.5, torch.ones(1, 8) / 8**0.5
    weight = 8 * left @ right  # all ones
    weight[0, 0] = -1.0
    leading = Triples(*torch.linalg.svd(weight, full_matrices=False)).first(1).product()
    assert not principal_mask(leading, 0.5)[0, 0]


def test_the_mean_threshold_keeps_58_percent_of_a_gaussian():
    """P(|x| < E|x|) = erf(1 / sqrt(pi)) = 0.575; table 3 of "The Path Not Taken" counts 58.59 % for its model."""
    assert density(below_mean_mask(gaussian(400, 400))) == pytest.approx(0.5751, abs=0.005)


@pytest.mark.parametrize("seed", range(10))
def test_the_mean_of_a_bfloat16_matrix_is_not_rounded_before_it_is_compared(seed):
    weight = gaussian(64, 48, seed).bfloat16()
    exact = weight.double().abs()
    assert torch.equal(below_mean_mask(weight), exact < exact.mean())


def test_complements_and_unions_have_the_densities_of_sets():
    weight = gaussian(40, 40)
    principal, low = principal_mask(gaussian(40, 40, 1), 0.5), below_mean_mask(weight)
    assert density(~principal) == 0.5
    union = ~principal | low
    assert density(union) == pytest.approx(density(~principal) + density(low) - density(~principal & low))


def test_a_random_mask_has_the_same_size_elsewhere():
    like = low_magnitude_mask(gaussian(30, 30), 0.3)
    drawn = random_mask(like, torch.Generator().manual_seed(5))
    assert drawn.sum() == like.sum() and not torch.equal(drawn, like)
    assert torch.equal(drawn, random_mask(like, torch.Generator().manual_seed(5)))
