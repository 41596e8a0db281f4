"""Our QuanTA operator equals the official layer on every recorded case."""

import json
import math

import numpy as np
import pytest
import torch

from rlvr.weights.quanta_gates import (
    apply_quanta,
    fit_last,
    join_gates,
    pair_axes,
    parameter_count,
    split_gates,
    update_matrix,
)

CASES = range(5)
TOLERANCE = 1e-12


@pytest.fixture(scope="module")
def recorded(real_data):
    folder = real_data / "quanta"
    return np.load(folder / "quanta_official.npz"), json.loads((folder / "quanta_official.json").read_text())


def gates_of(arrays, case, state):
    """Recorded tensors (out_dim2, out_dim1, in_dim2, in_dim1) as matrices, in the recorded order of pairs."""
    archive, cards = arrays
    names = ["_".join(f"m{axis[1:]}" for axis in pair.split()) for pair in cards[case]["pairs"]]
    tensors = [torch.from_numpy(archive[f"case{case}_{state}_{name}"]) for name in names]
    return [tensor.flatten(2).flatten(0, 1) for tensor in tensors]


@pytest.mark.parametrize("case", CASES)
def test_order_of_pairs_and_parameter_count(recorded, case):
    card = recorded[1][case]
    assert [f"{late} {early}" for late, early in pair_axes(len(card["dims"]))] == card["pairs"]
    assert parameter_count(card["dims"]) == card["params"]


@pytest.mark.parametrize("case", CASES)
def test_update_equals_the_official_one(recorded, case):
    archive, cards = recorded
    rows, cols = archive[f"case{case}_W"].shape
    trained, frozen = gates_of(recorded, case, "trained"), gates_of(recorded, case, "init")
    update = update_matrix(trained, frozen, cards[case]["dims"], rows, cols)
    np.testing.assert_allclose(update, archive[f"case{case}_delta"], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("case", CASES)
def test_output_equals_the_official_one(recorded, case):
    archive, cards = recorded
    weight, x = (torch.from_numpy(archive[f"case{case}_{name}"]) for name in ("W", "x"))
    dims = cards[case]["dims"]
    cut = fit_last(x, math.prod(dims))
    change = apply_quanta(cut, gates_of(recorded, case, "trained"), dims)
    change = change - apply_quanta(cut, gates_of(recorded, case, "init"), dims)
    output = x @ weight.T + fit_last(change, weight.shape[0])
    np.testing.assert_allclose(output, archive[f"case{case}_y"], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("case", CASES)
def test_the_stored_vector_keeps_the_recorded_gates(recorded, case):
    gates = gates_of(recorded, case, "trained")
    again = split_gates(join_gates(gates), recorded[1][case]["dims"])
    assert all(torch.equal(left, right) for left, right in zip(gates, again, strict=True))
