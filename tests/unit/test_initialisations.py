"""LoRA from singular vectors, cosines and wavelets: closed forms, exact starts, the way back to the original base."""

import copy
import math

import numpy as np
import pytest
import scipy.fft
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, PeftModel, get_peft_model
from small_models import settings_of, small_model, token_batch

from rlvr.adapters.low_rank import lora_layers
from rlvr.adapters.methods import METHODS, orthonormal, residual
from rlvr.adapters.orthonormal_rows import check_even, cosine_rows, haar_transform, wavelet_rows
from rlvr.core.errors import InputError
from rlvr.weights.decompositions import decompose_base
from rlvr.weights.updates import iterate_updates, tuned_state_dict

ORTHONORMAL = [method.name for method in orthonormal.METHODS]
RESIDUAL = [method.name for method in residual.METHODS]
SCALING = 2.0  # alpha / rank of the settings


def attached(method, decomposition=None, base=None):
    torch.manual_seed(0)
    return METHODS[method].attach(base or small_model(), settings_of(method), decomposition).eval()


def moved(method):
    """A model whose factors lie away from their start."""
    model, generator = attached(method), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in (parameter for parameter in model.parameters() if parameter.requires_grad):
            parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
    return model


def logits(model):
    with torch.no_grad():
        return model(token_batch()).logits


def svd(layer):
    """Singular value decomposition of a layer's base weight by LAPACK, float64."""
    weight = layer.get_base_layer().weight.detach().double().numpy()
    return (torch.from_numpy(part) for part in np.linalg.svd(weight, full_matrices=False))


def ends(parts, method):
    return parts[-2:] if method in ("milora", "olora-tail", "lora-rlmo") else parts[:2]


@pytest.mark.parametrize("method", ORTHONORMAL)
def test_the_rows_of_a_are_orthonormal_and_b_is_zero(method):
    layers = list(lora_layers(attached(method)))
    assert len(layers) == 10
    for _, layer in layers:
        down = layer.lora_A["default"].weight
        torch.testing.assert_close(down @ down.T, torch.eye(2), rtol=0, atol=1e-6)
        assert down.dtype == torch.float32 and not layer.lora_B["default"].weight.any()


@pytest.mark.parametrize("method", ["lora-rlpo", "lora-rlmo"])
def test_singular_rows_span_the_right_singular_vectors_of_their_end(method):
    for _, layer in lora_layers(attached(method)):
        _, _, right = svd(layer)
        expected, found = ends(right, method), layer.lora_A["default"].weight.double()
        torch.testing.assert_close((found @ expected.T).abs(), torch.eye(2).double(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("rank", "size"), [(1, 1), (3, 7), (8, 8), (16, 1536), (32, 12288)])
def test_cosine_rows_are_the_first_of_the_orthonormal_dct(rank, size):
    basis = np.zeros((rank, size))
    basis[np.arange(rank), np.arange(rank)] = 1.0
    expected = torch.from_numpy(scipy.fft.idct(basis, type=2, norm="ortho", axis=1))  # inverse: rows of the matrix
    torch.testing.assert_close(cosine_rows(rank, size), expected, rtol=0, atol=1e-14)


def haar_matrix(size):
    """The recursive definition: sums of pairs through the smaller transform, then differences of pairs."""
    if size % 2:
        return np.eye(size)
    half = haar_matrix(size // 2)
    return np.concatenate([np.kron(half, [1, 1]), np.kron(np.eye(size // 2), [1, -1])]) / math.sqrt(2)


@given(st.integers(1, 48), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_haar_transform_is_the_recursive_matrix(size, rows):
    given = torch.randn(rows, size, dtype=torch.float64)
    expected = given @ torch.from_numpy(haar_matrix(size)).T
    torch.testing.assert_close(haar_transform(given), expected)
    torch.testing.assert_close(haar_transform(given).norm(dim=1), given.norm(dim=1))


@pytest.mark.parametrize(("rank", "size"), [(2, 2), (16, 1536), (32, 18944)])
def test_wavelet_rows_are_orthonormal_and_span_the_transformed_rows(rank, size):
    gaussian = torch.randn(rank, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    rows = wavelet_rows(gaussian)
    torch.testing.assert_close(rows @ rows.T, torch.eye(rank).double(), rtol=0, atol=1e-12)
    inside = haar_transform(gaussian) @ rows.T @ rows
    torch.testing.assert_close(inside, haar_transform(gaussian))


def test_an_odd_number_of_inputs_has_no_wavelets():
    with pytest.raises(InputError, match=r"module 'layers\.0\.q_proj': its weight of 8 x 15 has no Haar transform"):
        check_even("layers.0.q_proj", torch.zeros(8, 15))


def test_wavelets_are_drawn_anew_for_every_module_and_again_for_the_same_seed():
    one, two = ([layer.lora_A["default"].weight for _, layer in lora_layers(attached("wavelet-lora"))] for _ in "ab")
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one[0], one[1])


@pytest.mark.parametrize("method", RESIDUAL)
def test_start_factors_are_the_closed_form(method):
    for _, layer in lora_layers(attached(method)):
        left, values, right = svd(layer)
        left, values, right = ends(left.T, method).T, ends(values, method), ends(right, method)
        down, up = (layer.lora_A["default"].weight.double(), layer.lora_B["default"].weight.double())
        if method in ("pissa", "milora"):
            product, square = (left * values) @ right / SCALING, torch.diag(values / SCALING)
        else:
            product, square = left @ right, torch.eye(2).double()
        torch.testing.assert_close(up @ down, product, rtol=0, atol=1e-6)
        torch.testing.assert_close(down @ down.T, square, rtol=0, atol=1e-6)
        torch.testing.assert_close(up.T @ up, square, rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", RESIDUAL)
def test_the_start_is_the_base_bit_for_bit_and_so_is_the_model_without_adapter(method):
    assert torch.equal(logits(attached(method)), logits(small_model()))
    with (model := moved(method)).disable_adapter():
        assert torch.equal(logits(model), logits(small_model()))


def test_pissa_computes_what_peft_computes_from_its_residual_base():
    ours = attached("pissa")
    targets = list(ours.peft_config["default"].target_modules)
    config = LoraConfig(r=2, lora_alpha=4, init_lora_weights="pissa", target_modules=targets)
    theirs = get_peft_model(small_model(), config).eval()
    for (_, mine), (_, other) in zip(lora_layers(ours), lora_layers(theirs), strict=True):
        for name in ("lora_A", "lora_B"):
            moved_on = getattr(other, name)["default"].weight.data + 0.05
            getattr(mine, name)["default"].weight.data = moved_on.clone()
            getattr(other, name)["default"].weight.data = moved_on
    torch.testing.assert_close(logits(ours), logits(theirs), rtol=0, atol=1e-5)
    assert (logits(ours) - logits(small_model())).abs().max() > 1e-2


@pytest.mark.parametrize("method", RESIDUAL)
def test_gradients_are_those_of_the_dense_definition(method):
    layer = copy.deepcopy(next(layer for _, layer in lora_layers(moved(method)))).double()
    down, up = (factor["default"].weight.detach().requires_grad_(True) for factor in (layer.lora_A, layer.lora_B))
    x = torch.randn(5, layer.in_features, dtype=torch.float64)
    start = layer.lora_start_B["default"] @ layer.lora_start_A["default"]
    dense = layer.get_base_layer().weight.detach() + SCALING * (up @ down - start)
    torch.testing.assert_close(layer(x), x @ dense.T)
    expected = torch.autograd.grad((x @ dense.T).square().sum(), (down, up))
    factors = (layer.lora_A["default"].weight, layer.lora_B["default"].weight)
    for found, wanted in zip(torch.autograd.grad(layer(x).square().sum(), factors), expected, strict=True):
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("method", [*RESIDUAL, *ORTHONORMAL])
def test_a_finished_adapter_is_plain_lora_on_the_original_base(method, tmp_path):
    model, base = moved(method), tmp_path / "base"
    small_model().save_pretrained(base)
    (tmp_path / "run/adapter").mkdir(parents=True)
    METHODS[method].save_adapter(model, tmp_path / "run/adapter")
    loaded = PeftModel.from_pretrained(small_model(), tmp_path / "run/adapter").eval()
    assert type(loaded.peft_config["default"]) is LoraConfig
    torch.testing.assert_close(logits(loaded), logits(model), rtol=0, atol=1e-6)
    layers = dict(lora_layers(model))
    updates = {update.module: update for update in iterate_updates(base, tmp_path / "run")}
    assert updates.keys() == layers.keys()
    for name, update in updates.items():
        expected = layers[name].get_delta_weight("default").double()
        torch.testing.assert_close(update.dense(), expected, rtol=0, atol=1e-6)
        assert update.bound == (4 if method in RESIDUAL else 2)
    bare = small_model(seed=5)
    bare.load_state_dict(tuned_state_dict(base, tmp_path / "run"), strict=True)
    torch.testing.assert_close(logits(bare), logits(model), rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", RESIDUAL)
def test_a_checkpoint_is_no_adapter_of_its_own(method, tmp_path):
    moved(method).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="Unknown initialization"):
        PeftModel.from_pretrained(small_model(), tmp_path)


@pytest.mark.parametrize("method", RESIDUAL)
def test_a_checkpoint_brings_back_factors_and_start(method, tmp_path):
    model = moved(method)
    model.save_pretrained(tmp_path)
    other = attached(method, base=small_model(seed=3))
    other.load_adapter(tmp_path, "default", is_trainable=True)
    for (_, saved), (_, read) in zip(lora_layers(model), lora_layers(other), strict=True):
        for name in ("lora_start_A", "lora_start_B"):
            assert torch.equal(getattr(saved, name)["default"], getattr(read, name)["default"])
        assert torch.equal(saved.get_delta_weight("default"), read.get_delta_weight("default"))


@pytest.mark.parametrize("method", [*RESIDUAL, "lora-rlpo"])
def test_the_reference_that_trl_copies_is_the_base_and_leaves_the_policy_alone(method):
    model = attached(method)
    model.add_adapter("ref", model.peft_config["default"])
    for name, parameter in model.named_parameters():
        if ".default." in name:
            model.get_parameter(name.replace(".default.", ".ref.")).data.copy_(parameter.data)
    assert torch.equal(logits(model), logits(small_model()))
    with torch.no_grad():
        for parameter in (parameter for parameter in model.parameters() if parameter.requires_grad):
            parameter += 0.05
    assert (logits(model) - logits(small_model())).abs().max() > 1e-3
    model.set_adapter("ref")
    torch.testing.assert_close(logits(model), logits(small_model()), rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.decomposes])
def test_a_stored_decomposition_starts_the_run_that_a_computed_one_starts(method, tmp_path):
    small_model().save_pretrained(tmp_path / "base")
    path = tmp_path / "triples" / "triples.safetensors"
    decompose_base(tmp_path / "base", 3, "exact", path)
    computed, read = attached(method), attached(method, path)
    for (name, one), (_, other) in zip(computed.named_parameters(), read.named_parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6, msg=name)
    masks = [{n: b for n, b in model.named_buffers() if n.endswith("trained_mask")} for model in (computed, read)]
    assert masks[0].keys() == masks[1].keys() and bool(masks[0]) == method.startswith("sparse")
    for name, mask in masks[0].items():
        assert (mask != masks[1][name]).float().mean() < 0.02  # scores that differ by rounding may change sides
