"""Spectra against closed forms, slow obvious versions and invariances."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from rlvr.core.errors import InputError
from rlvr.spectra.frozen import measure_frozen
from rlvr.spectra.quantities import (
    describe,
    effective_rank,
    factored_singular_values,
    frobenius_norm,
    participation_ratio,
    stable_rank,
)  # fmt: skip
from rlvr.spectra.runs import measure_run

MODULE = "model.layers.0.self_attn.q_proj"


def random_matrix(rows: int, cols: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, cols, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("quantity", [effective_rank, participation_ratio, stable_rank])
def test_closed_forms(quantity):
    assert quantity(torch.ones(7)) == pytest.approx(7)  # orthogonal
    assert quantity(torch.tensor([3.0, 0.0, 0.0])) == pytest.approx(1)  # rank one
    assert quantity(torch.zeros(4)) == 0.0  # documented value of a zero update
    assert quantity(torch.full((5,), 1e-200, dtype=torch.float64)) == pytest.approx(5)  # squares would underflow


def test_two_unequal_values_by_hand():
    values = torch.tensor([2.0, 1.0])  # energy shares 0.8 and 0.2
    entropy = -0.8 * math.log(0.8) - 0.2 * math.log(0.2)
    assert effective_rank(values) == pytest.approx(math.exp(entropy))
    assert participation_ratio(values) == pytest.approx(25 / 17)
    assert stable_rank(values) == pytest.approx(1.25)
    assert frobenius_norm(values) == pytest.approx(math.sqrt(5))


def test_kronecker_product_multiplies_effective_ranks():
    left, right = (torch.linalg.svdvals(random_matrix(4, 4, seed)) for seed in (1, 2))
    product = torch.linalg.svdvals(torch.kron(random_matrix(4, 4, 1), random_matrix(4, 4, 2)))
    assert effective_rank(product) == pytest.approx(effective_rank(left) * effective_rank(right))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(0, 1000))
@settings(deadline=None, max_examples=60)
def test_factored_values_equal_those_of_the_product(rows, cols, rank, seed):
    left, right = random_matrix(rows, rank, seed), random_matrix(rank, cols, seed + 1)
    values = factored_singular_values(left, right)
    dense = torch.linalg.svdvals(left @ right)
    count = min(rows, cols, rank)
    assert len(values) == count
    torch.testing.assert_close(values, dense[:count], rtol=1e-9, atol=1e-9)


@given(st.integers(0, 1000), st.floats(1e-6, 1e6))
@settings(deadline=None, max_examples=40)
def test_rank_like_quantities_ignore_scale_rotation_and_transposition(seed, scale):
    matrix = random_matrix(6, 4, seed)
    rotation = torch.linalg.qr(random_matrix(6, 6, seed + 1)).Q
    expected = effective_rank(torch.linalg.svdvals(matrix))
    for changed in (scale * matrix, rotation @ matrix, matrix.T):
        assert effective_rank(torch.linalg.svdvals(changed)) == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=12))
@settings(deadline=None)
def test_the_order_of_the_ranks(values):
    """Renyi entropies fall with their order: effective (1) >= participation (2) >= stable (infinity) >= 1."""
    values_R = torch.tensor(values, dtype=torch.float64)
    ranks = [effective_rank(values_R), participation_ratio(values_R), stable_rank(values_R)]
    slack = 1 + 1e-9
    assert (
        len(values) * slack >= ranks[0] and ranks[0] * slack >= ranks[1] and ranks[1] * slack >= ranks[2] >= 1 / slack
    )


def test_describe_names_bound_and_share():
    found = {quantity.name: quantity.value for quantity in describe(torch.ones(2), bound=8, base_norm=2.0)}
    assert found["rank_bound"] == 8 and found["attained_share"] == pytest.approx(0.25)
    assert found["relative_norm"] == pytest.approx(math.sqrt(2) / 2)


@pytest.fixture
def base_dir(tmp_path):
    folder = tmp_path / "base"
    folder.mkdir()
    save_file({f"{MODULE}.weight": torch.diag(torch.tensor([4.0, 2.0, 1.0]))}, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    return folder


def test_measure_run_writes_every_quantity_of_a_lora_update(base_dir, tmp_path):
    run_dir = tmp_path / "run"
    (run_dir / "adapter").mkdir(parents=True)
    (run_dir / "adapter" / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "lora_alpha": 6, "r": 2}))
    name = f"base_model.model.{MODULE}"
    factors = {f"{name}.lora_A.weight": torch.eye(2, 3), f"{name}.lora_B.weight": torch.eye(3, 2)}
    save_file(factors, run_dir / "adapter" / "adapter_model.safetensors")
    measure_run(base_dir, run_dir, "some_run", tmp_path / "spectra.parquet")
    frame = pd.read_parquet(tmp_path / "spectra.parquet").set_index("quantity")
    assert set(frame.run_id) == {"some_run"} and set(frame.method) == {"factored"}
    assert frame.value["effective_rank"] == pytest.approx(2) and frame.value["rank_bound"] == 2
    assert frame.value["frobenius_norm"] == pytest.approx(3 * math.sqrt(2))  # alpha / r = 3 on two directions


def test_measure_frozen_normalises_by_the_largest(base_dir, tmp_path):
    measure_frozen(base_dir, "some-model", 2, tmp_path / "frozen.parquet")
    frame = pd.read_parquet(tmp_path / "frozen.parquet")
    np.testing.assert_allclose(frame.normalised, [1.0, 0.5])
    assert list(frame["index"]) == [1, 2] and set(frame.projection) == {"q_proj"}


def test_a_zero_frozen_matrix_is_named(tmp_path):
    save_file({f"{MODULE}.weight": torch.zeros(3, 3)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"q_proj\.weight' is zero"):
        measure_frozen(tmp_path, "some-model", None, tmp_path / "frozen.parquet")
