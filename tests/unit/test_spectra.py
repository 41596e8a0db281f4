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
from rlvr.spectra.decay_fits import fit_power_law, summarise_decay
from rlvr.spectra.diagnostics import diagnose
from rlvr.spectra.frozen import frozen_spectra, measure_frozen
from rlvr.spectra.measure import measure_pair
from rlvr.spectra.quantities import (
    describe_spectrum,
    describe_update,
    effective_rank,
    energy_rank,
    factored_singular_values,
    frobenius_norm,
    participation_ratio,
    stable_rank,
)
from rlvr.spectra.rounding import describe_stored, stored_update
from rlvr.spectra.settings import DiagnosticsSettings
from rlvr.spectra.sparsity import rounding_floor
from rlvr.weights.matrices import ModuleUpdate

MODULE = "model.layers.0.self_attn.q_proj"
SETTINGS = DiagnosticsSettings(principal_rank=1, mask_share=0.5, top_directions=2)


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
    left, right = (torch.linalg.qr(random_matrix(n, n, seed + n)).Q for n in (6, 4))
    expected = dict(describe_spectrum(torch.linalg.svdvals(matrix)))
    for changed, factor in ((scale * matrix, scale), (left @ matrix, 1), (matrix @ right, 1), (matrix.T, 1)):
        found = dict(describe_spectrum(torch.linalg.svdvals(changed)))
        found["frobenius_norm"] /= factor
        assert found == pytest.approx(expected, rel=1e-9)


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
    found = {quantity.name: quantity.value for quantity in describe_update(torch.ones(2), bound=8, base_norm=2.0)}
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
    measure_pair(
        base_dir, run_dir, "some_run", SETTINGS, tmp_path / "spectra.parquet", tmp_path / "diagnostics.parquet"
    )
    frame = pd.read_parquet(tmp_path / "spectra.parquet").set_index("quantity")
    assert set(frame.run_id) == {"some_run"} and set(frame.method[:3]) == {"factored"}
    assert set(frame.method[frame.index.str.startswith("bf16_")]) == {"exact"}
    assert frame.value["effective_rank"] == pytest.approx(2) and frame.value["rank_bound"] == 2
    assert frame.value["frobenius_norm"] == pytest.approx(3 * math.sqrt(2))  # alpha / r = 3 on two directions


def measured_frozen(base_dir, tmp_path, top):
    paths = tmp_path / "frozen.parquet", tmp_path / "decay.parquet"
    measure_frozen(base_dir, "some-model", top, *paths)
    return [pd.read_parquet(path) for path in paths]


def test_measure_frozen_normalises_by_the_largest(base_dir, tmp_path):
    frame, decay = measured_frozen(base_dir, tmp_path, 2)
    np.testing.assert_allclose(frame.normalised, [1.0, 0.5])
    assert list(frame["index"]) == [1, 2] and set(frame.projection) == {"q_proj"}
    curve = decay[(decay.quantity == "normalised") & (decay.projection == "all")]
    np.testing.assert_allclose(curve["mean"], [1.0, 0.5, 0.25])  # the whole of it, whatever is kept


def test_a_zero_frozen_matrix_is_named(tmp_path):
    save_file({f"{MODULE}.weight": torch.zeros(3, 3)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"q_proj\.weight' is zero"):
        measured_frozen(tmp_path, tmp_path, None)


@given(st.floats(0.0, 3.0), st.floats(1e-3, 1e3), st.integers(2, 50))
def test_a_power_law_is_recovered(exponent, scale, count):
    fit = fit_power_law(scale * np.arange(1, count + 1) ** -exponent)
    assert fit.exponent == pytest.approx(exponent, abs=1e-6)
    assert fit.r_squared == pytest.approx(1.0, abs=1e-6) or exponent < 1e-6


def test_values_that_are_zero_up_to_rounding_take_no_part_in_a_fit():
    exact = 1 / np.arange(1.0, 11.0)
    assert fit_power_law(np.append(exact, [1e-17, 0.0])).exponent == pytest.approx(1.0)


def test_what_is_no_power_law_has_a_low_r_squared():
    exponential = fit_power_law(np.exp(-np.arange(60) / 4.0))
    assert exponential.r_squared < 0.85


def test_decay_over_layers_by_hand(tmp_path):
    """Two layers of one projection with values (1, 1/2) and (1, 1/4), one of another."""
    diagonals = {("0", "q_proj"): (4.0, 2.0), ("1", "q_proj"): (8.0, 2.0), ("0", "up_proj"): (1.0, 1.0)}
    weights = {
        f"model.layers.{layer}.x.{name}.weight": torch.diag(torch.tensor(values))
        for (layer, name), values in diagonals.items()
    }
    save_file(weights, tmp_path / "model.safetensors")
    table = summarise_decay(pd.concat(frozen_spectra(tmp_path)), top=None).set_index(
        ["projection", "quantity", "index"]
    )
    second = table.loc["q_proj", "normalised", 2]
    assert second["mean"] == pytest.approx(0.375) and second["std"] == pytest.approx(0.25 / math.sqrt(2))
    assert second["layers"] == 2 and table.loc["up_proj", "normalised", 2]["std"] == 0.0
    assert table.loc["all", "normalised", 2]["mean"] == pytest.approx((0.5 + 0.25 + 1) / 3)
    assert table.loc["q_proj", "exponent_full", 0]["mean"] == pytest.approx(1.5)  # 2^-1 and 2^-2 at index 2
    assert "exponent_top" not in table.index.get_level_values("quantity")


# Energy ranks, and what bfloat16 storage leaves of an update.


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=12), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
@settings(deadline=None)
def test_energy_rank_is_the_first_count_that_holds_the_share(values, share):
    ordered = sorted(values, reverse=True)
    energies = np.cumsum(np.square(ordered))
    slow = next(k for k in range(1, len(ordered) + 1) if energies[k - 1] >= share * energies[-1] * (1 - 1e-12))
    found = energy_rank(torch.tensor(ordered, dtype=torch.float64), share)
    assert abs(found - slow) <= int(math.isclose(energies[slow - 1], share * energies[-1], rel_tol=1e-9))


def test_energy_ranks_of_closed_forms():
    assert [energy_rank(torch.ones(100), share) for share in (0.9, 0.95, 0.99)] == [90, 95, 99]  # orthogonal
    assert energy_rank(torch.tensor([3.0, 0.0]), 0.99) == 1 and energy_rank(torch.zeros(3), 0.9) == 0


def module_update(base: torch.Tensor, factors: tuple[torch.Tensor, torch.Tensor]) -> ModuleUpdate:
    rank = factors[0].shape[1]
    return ModuleUpdate(MODULE, 0, "q_proj", *base.shape, rank, lambda: base, factors=factors)


def run_diagnostics(update: ModuleUpdate) -> pd.DataFrame:
    return diagnose(update, update.matrices(), SETTINGS)


@pytest.mark.parametrize(("step", "noise"), [(1.0, 0.01), (3e-4, 2.0)])
def test_rounding_drowns_a_low_rank_update_as_it_shrinks(step, noise):
    """A rank-one update far above the spacing of bfloat16 stays one; near the spacing, noise of high rank drowns it."""
    base = random_matrix(128, 96, 0).to(torch.bfloat16)
    update = module_update(base, (step * random_matrix(128, 1, 1), random_matrix(1, 96, 2)))
    values = factored_singular_values(*update.factors)
    found = {quantity.name: quantity.value for quantity in describe_stored(update.matrices(), values)}
    assert (found["rounding_distance"] > 0.5) == (noise > 1)
    assert (found["bf16_effective_rank"] > 10) == (noise > 1)
    assert found["bf16_rank_gap"] == pytest.approx(found["bf16_effective_rank"] - 1)
    if noise < 1:
        assert found["rounding_distance"] == pytest.approx(found["rounding_floor"], rel=0.05)


def test_the_stored_update_is_the_difference_of_what_is_stored():
    base, tuned = random_matrix(6, 5, 0), random_matrix(6, 5, 1)
    expected = tuned.bfloat16().double() - base.bfloat16().double()
    assert torch.equal(stored_update(base, tuned), expected)
    assert rounding_floor(tuned) < 0.01 * float(expected.norm())


def test_diagnostics_of_a_module_by_hand():
    """W = diag(4, 2, 1), update 0.5 on the last diagonal entry: the last mode, off the principal weight."""
    base = torch.diag(torch.tensor([4.0, 2.0, 1.0]))
    last = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64)
    frame = run_diagnostics(module_update(base, (0.5 * last.T, last))).set_index(["quantity", "index"])["value"]
    assert [frame["mode_share", index] for index in (1, 2, 3)] == pytest.approx([0, 0, 1])
    assert frame["bf16_sparsity", 0] == pytest.approx(8 / 9)
    assert list(frame["row_ratio"]) == list(frame["column_ratio"]) == pytest.approx([0, 0, 1 / 3])
    assert frame["normalised_spectral_shift", 0] == pytest.approx(0.5 / math.sqrt(21))
    assert list(frame["left_angle"]) == list(frame["right_angle"]) == pytest.approx([0, 0], abs=1e-12)
    assert frame["similarity_bottom", 0] == 1.0 and frame["similarity_top", 0] == pytest.approx(0, abs=1e-12)
    assert frame["initial_norm_pissa", 0] == 4.0 and frame["initial_norm_milora", 0] == 1.0
    assert frame["diagonal_share", 0] == pytest.approx(1.0) and frame["tail_mean", 0] == pytest.approx(7 / 3)


def test_a_zero_base_has_no_directions(base_dir):
    ones = torch.ones(3, 1, dtype=torch.float64)
    with pytest.raises(InputError, match=r"q_proj\.weight: is zero"):
        run_diagnostics(module_update(torch.zeros(3, 3), (ones, ones.T)))
