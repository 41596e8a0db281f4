"""Singular triples at both ends of a spectrum: against LAPACK, from files, and what does not fit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import small_model

from rlvr.core.errors import InputError
from rlvr.core.io import read_json
from rlvr.plan.freshness import triples_wanted
from rlvr.weights.decompositions import decompose_base, decomposition_cost, exact_ends, find_triples, randomised_ends
from rlvr.weights.tensors import TensorStore

MODULE = "model.layers.1.mlp.up_proj"


def gaussian(rows, cols, seed=0):
    return torch.randn(rows, cols, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def with_values(values, rows, cols):
    """A matrix with these singular values and random singular vectors."""
    left, right = (torch.linalg.qr(gaussian(size, len(values), seed)).Q for size, seed in ((rows, 1), (cols, 2)))
    return (left * torch.as_tensor(values, dtype=torch.float64)) @ right.T


def check_triples(triples, weight, tolerance):
    """Orthonormal, positive and falling, and singular for the weight."""
    identity = torch.eye(len(triples.values), dtype=triples.left.dtype)
    torch.testing.assert_close(triples.left.T @ triples.left, identity, rtol=0, atol=tolerance)
    torch.testing.assert_close(triples.right @ triples.right.T, identity, rtol=0, atol=tolerance)
    assert (triples.values > 0).all() and (triples.values.diff() <= tolerance).all()
    torch.testing.assert_close(weight @ triples.right.T, triples.left * triples.values, rtol=0, atol=tolerance)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_both_exact_ends_are_those_of_lapack(rows, cols, rank, seed):
    rank, weight = min(rank, rows, cols), gaussian(rows, cols, seed)
    leading, trailing = exact_ends(weight, rank)
    left, values, right = (torch.from_numpy(part) for part in np.linalg.svd(weight.numpy(), full_matrices=False))
    for found, part in ((leading, slice(0, rank)), (trailing, slice(len(values) - rank, None))):
        check_triples(found, weight, 1e-6)
        torch.testing.assert_close(found.values, values[part], rtol=0, atol=1e-7)
        expected = (left[:, part] * values[part]) @ right[part]
        torch.testing.assert_close(found.product(), expected, rtol=0, atol=1e-5)


def test_trailing_triples_of_an_ill_conditioned_weight_are_closer_than_those_of_a_float32_svd():
    weight = with_values(10.0 ** -np.linspace(-1, 5, 40), 40, 70)
    leading, trailing = exact_ends(weight, 5)
    check_triples(leading, weight, 1e-12)
    check_triples(trailing, weight, 1e-9)
    assert trailing.values[-1].item() == pytest.approx(1e-5, rel=1e-3)
    left, values, right = torch.linalg.svd(weight.float(), full_matrices=False)
    theirs = weight @ right[-5:].double().T - left[:, -5:] * values[-5:]
    ours = weight @ trailing.right.T - trailing.left * trailing.values
    assert ours.norm() < theirs.norm() / 100


def test_trailing_means_the_smallest_values_that_are_positive():
    weight = with_values([5.0, 3.0, 2.0, 1.0], 9, 7)
    trailing = exact_ends(weight, 2)[1]
    torch.testing.assert_close(trailing.values, torch.tensor([2.0, 1.0], dtype=torch.float64))
    with pytest.raises(InputError, match=r"rank 5: a weight of 9 x 7 has 4 positive singular values.*at most 4"):
        exact_ends(weight, 5)


@pytest.mark.parametrize("shape", [(60, 60), (90, 60), (60, 90)])
def test_randomised_ends_find_the_ends_of_a_falling_spectrum_and_leave_the_generator_alone(shape):
    weight, state = with_values(2.0 ** -torch.linspace(0, 12, 60), *shape), torch.random.get_rng_state()
    exact, found = exact_ends(weight, 4), randomised_ends(weight, 4)
    for one, other in zip(exact, found, strict=True):
        check_triples(other, weight, 1e-6)
        torch.testing.assert_close(other.values, one.values, rtol=1e-3, atol=1e-6)
        overlap = torch.linalg.matrix_norm(one.right @ other.right.T) ** 2 / 4
        assert overlap > 0.999
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(a.right, b.right) for a, b in zip(found, randomised_ends(weight, 4), strict=True))


def test_randomised_vectors_are_orthonormal_in_float32_where_no_value_stands_out():
    for triples in randomised_ends(gaussian(600, 400), 32):
        for factor in (triples.left.T.float(), triples.right.float()):
            torch.testing.assert_close(factor @ factor.T, torch.eye(32), rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    """Two bases of the same architecture on disk, with the exact decomposition of the first."""
    folder = tmp_path_factory.mktemp("bases")
    for name, seed in (("one", 0), ("two", 1)):
        small_model(seed=seed).save_pretrained(folder / name)
    decompose_base(folder / "one", 3, "exact", folder / "decomposition/triples.safetensors")
    return folder


@pytest.mark.parametrize("end", ["leading", "trailing"])
def test_a_file_gives_what_is_computed_from_the_weight(bases, end):
    stored, base = TensorStore(bases / "decomposition"), small_model(seed=0)
    for name, module in base.named_modules():
        if isinstance(module, torch.nn.Linear) and "layers" in name:
            computed = find_triples(name, module.weight, 2, end)
            read = find_triples(name, module.weight, 2, end, stored)
            assert read.left.dtype == torch.float32
            torch.testing.assert_close(read.product(), computed.product(), rtol=0, atol=1e-6)
            torch.testing.assert_close(read.right, computed.right, rtol=0, atol=1e-6)


def test_another_study_that_wants_fewer_triples_asks_for_those_there_are(bases):
    cost = bases / "decomposition/cost.json"
    held = read_json(cost)["rank"]
    assert [triples_wanted(wanted, cost) for wanted in (0, held, held + 1)] == [held, held, held + 1]
    assert triples_wanted(3, bases / "cost.json") == 3, "nothing is there"


def test_what_a_decomposition_cost_stands_beside_it(bases):
    cost = decomposition_cost(bases / "decomposition/triples.safetensors")
    assert cost["rank"] > 0 and cost["wall_time_s"] > 0 and cost["peak_memory_gib"]["host"] > 0
    assert decomposition_cost(None) is None and decomposition_cost(bases / "triples.safetensors") is None


def test_the_file_of_another_base_and_one_with_too_few_triples_are_refused(bases):
    stored = TensorStore(bases / "decomposition")
    other = small_model(seed=1).get_submodule(MODULE).weight
    with pytest.raises(InputError, match=rf"module '{MODULE}' of 48 x 16.*is of another base"):
        find_triples(MODULE, other, 2, "leading", stored)
    with pytest.raises(InputError, match=rf"module '{MODULE}' of 48 x 16.*holds 3 triples at each end, 4 are needed"):
        find_triples(MODULE, small_model(seed=0).get_submodule(MODULE).weight, 4, "leading", stored)
