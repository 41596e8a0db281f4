"""The Gram path against svdvals, and that it notices where single precision does not suffice."""

import pytest
import torch

from rlvr.spectra import dense
from rlvr.spectra.dense import dense_singular_values, gram_eigenvalues, lower_gram, uncertain_entropy
from rlvr.spectra.quantities import effective_rank, participation_ratio


@pytest.fixture(autouse=True)
def no_small_case(monkeypatch):
    monkeypatch.setattr(dense, "SMALL_SIDE", 0)
    monkeypatch.setattr(dense, "ROWS_AT_A_TIME", 50)  # several blocks, the last one shorter


@pytest.mark.parametrize("shape", [(120, 120), (120, 300), (300, 120)])
@pytest.mark.parametrize("decay", [0.0, 0.6, 2.0])
def test_values_and_ranks_equal_those_of_svdvals(shape, decay):
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(shape, generator=generator) * torch.arange(1.0, shape[1] + 1) ** -decay
    expected = torch.linalg.svdvals(matrix.double())
    found = dense_singular_values(matrix)
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3 * float(expected[0]))
    assert effective_rank(found) == pytest.approx(effective_rank(expected), rel=1e-4)
    assert participation_ratio(found) == pytest.approx(participation_ratio(expected), rel=1e-5)


def test_a_faint_tail_goes_to_double_precision():
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(700, 1, generator=generator) @ torch.randn(1, 700, generator=generator)
    matrix += 1.2e-2 * torch.randn(700, 700, generator=generator)
    assert uncertain_entropy(gram_eigenvalues(matrix), torch.float32) > dense.MAX_UNCERTAIN_ENTROPY
    assert uncertain_entropy(gram_eigenvalues(matrix.double()), torch.float64) < dense.MAX_UNCERTAIN_ENTROPY
    expected = torch.linalg.svdvals(matrix.double())
    torch.testing.assert_close(dense_singular_values(matrix), expected, rtol=1e-6, atol=1e-6 * float(expected[0]))


@pytest.mark.parametrize("rows", [60, 200])
def test_everything_is_made_where_the_matrix_lies(rows):
    """With another default device, as a GPU would be: a tensor made without naming its place could not be used."""
    matrix = torch.randn(rows, 80, generator=torch.Generator().manual_seed(0))
    expected = dense_singular_values(matrix)
    with torch.device("meta"):
        assert torch.equal(dense_singular_values(matrix), expected)


def test_lower_half_of_the_gram_matrix():
    wide = torch.randn(130, 200, dtype=torch.float64)
    torch.testing.assert_close(lower_gram(wide).tril(), (wide @ wide.T).tril())


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_size_of_the_entries_does_not_matter(scale):
    matrix = torch.randn(60, 80, generator=torch.Generator().manual_seed(0))
    found, expected = dense_singular_values(matrix * scale), torch.linalg.svdvals(matrix.double()) * scale
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=0)
    assert not dense_singular_values(torch.zeros(60, 80)).any()
