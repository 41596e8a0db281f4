"""The QuanTA operator against slow definitions, and the tuner's promises: zero start, fixed base, save and merge."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import PeftModel, get_peft_model
from small_models import small_model, token_batch
from torch import nn

from rlvr.adapters.quanta import QuantaConfig, QuantaLinear, operator
from rlvr.adapters.quanta.quanta_layer import dense_is_cheaper
from rlvr.core.errors import InputError
from rlvr.weights.quanta_gates import (
    apply_change,
    apply_quanta,
    change_energy,
    dense_quanta,
    gate_sizes,
    join_gates,
    pair_axes,
    parameter_count,
    split_gates,
    update_matrix,
)

DIMS = [4, 2, 2]
TARGETS = ["q_proj", "k_proj", "o_proj", "up_proj", "down_proj"]
dims_strategy = st.lists(st.integers(2, 4), min_size=2, max_size=4)


def random_gates(dims, seed):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(size, size, generator=generator, dtype=torch.float64) for size in gate_sizes(dims)]


def gate_as_matrix(gate, dims, late, early):
    """The definition, entry by entry: the gate acts on the two axes and leaves all other indices alone."""
    indices = list(torch.cartesian_prod(*(torch.arange(size) for size in dims)).tolist())
    matrix = torch.zeros(len(indices), len(indices), dtype=gate.dtype)
    for row, out in enumerate(indices):
        for column, into in enumerate(indices):
            others = [axis for axis in range(len(dims)) if axis - len(dims) not in (late, early)]
            if all(out[axis] == into[axis] for axis in others):
                matrix[row, column] = gate[out[early] * dims[late] + out[late], into[early] * dims[late] + into[late]]
    return matrix


def adapted(seed=0, dims=DIMS, dtype=torch.float32, **changes):
    base = small_model(dtype=dtype)
    torch.manual_seed(seed)
    return get_peft_model(base, QuantaConfig(task_type="CAUSAL_LM", dims=dims, target_modules=TARGETS, **changes))


def perturb(model, scale=0.05):
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "quanta_theta" in name:
                parameter += scale * torch.randn(parameter.shape, generator=generator)
    return model


@given(dims=dims_strategy, seed=st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_operator_is_the_product_of_its_gates(dims, seed):
    gates = random_gates(dims, seed)
    slow = torch.eye(math.prod(dims), dtype=torch.float64)
    for gate, (late, early) in zip(gates, pair_axes(len(dims)), strict=True):
        slow = gate_as_matrix(gate, dims, late, early) @ slow
    torch.testing.assert_close(dense_quanta(gates, dims), slow, rtol=1e-10, atol=1e-10 * float(slow.abs().max()))


@given(dims=dims_strategy, seed=st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_operator_is_linear_and_dense_form_agrees(dims, seed):
    gates = random_gates(dims, seed)
    x = torch.randn(2, 3, math.prod(dims), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    dense = x @ dense_quanta(gates, dims).T
    torch.testing.assert_close(apply_quanta(x, gates, dims), dense, rtol=1e-9, atol=1e-9 * float(dense.abs().max()))


@given(dims=dims_strategy, rows=st.integers(1, 70), cols=st.integers(1, 70))
@settings(max_examples=20, deadline=None)
def test_update_is_cut_and_padded(dims, rows, cols):
    trained, frozen = random_gates(dims, 1), random_gates(dims, 2)
    whole = dense_quanta(trained, dims) - dense_quanta(frozen, dims)
    update = update_matrix(trained, frozen, dims, rows, cols)
    side = math.prod(dims)
    assert update.shape == (rows, cols)
    assert torch.equal(update[:side, :side], whole[:rows, :cols])
    assert not update[side:].any() and not update[:, side:].any()


@given(dims=dims_strategy)
def test_storage_is_a_view_of_one_vector(dims):
    theta = torch.arange(float(parameter_count(dims)))
    gates = split_gates(theta, dims)
    assert torch.equal(join_gates(gates), theta)
    assert gates[0].data_ptr() == theta.data_ptr()


def test_parameter_counts_of_the_paper():
    # SOURCE: paper, table 5: 7.7 M (d = 4) and 35.3 M (d = 3) over 180 modules
    assert parameter_count([16, 8, 8, 4]) * 180 == 7_741_440
    assert parameter_count([16, 16, 16]) * 180 == 35_389_440


def test_start_is_the_base_bit_for_bit():
    tokens = token_batch()
    with torch.no_grad():
        expected = small_model()(tokens).logits
        assert torch.equal(adapted()(tokens).logits, expected)


def test_only_gates_are_trainable_and_all_carry_the_prefix():
    model = adapted()
    trainable = {name: parameter.numel() for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert all("quanta_" in name for name in trainable)
    assert list(trainable.values()) == [parameter_count(DIMS)] * 2 * len(TARGETS)


@pytest.mark.parametrize("vectors", [1, 400])
@pytest.mark.parametrize(("rows", "cols"), [(16, 16), (8, 16), (40, 16), (16, 40)])
def test_gradients_equal_the_dense_definition(rows, cols, vectors):
    torch.manual_seed(0)
    layer = QuantaLinear(nn.Linear(cols, rows, dtype=torch.float64), "default", DIMS, "test").double()
    with torch.no_grad():
        layer.quanta_theta["default"] += 0.1 * torch.randn(parameter_count(DIMS), dtype=torch.float64)
    assert dense_is_cheaper(DIMS, vectors) == (vectors == 400)
    x, weights = torch.randn(vectors, cols, dtype=torch.float64), torch.randn(vectors, rows, dtype=torch.float64)
    theta = layer.quanta_theta["default"].detach().clone().requires_grad_()
    inputs, expected_inputs = x.clone().requires_grad_(), x.clone().requires_grad_()
    frozen = split_gates(layer.quanta_theta_0["default"], DIMS)
    delta = update_matrix(split_gates(theta, DIMS), frozen, DIMS, rows, cols)
    expected = expected_inputs @ (layer.base_layer.weight.detach() + delta).T + layer.base_layer.bias.detach()
    output = layer(inputs)
    torch.testing.assert_close(output, expected, rtol=1e-10, atol=1e-10)
    (output * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(layer.quanta_theta["default"].grad, theta.grad, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(inputs.grad, expected_inputs.grad, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("dims", "rows", "cols"), [([4, 3], 12, 12), ([4, 2, 3], 30, 20), ([2, 3, 2, 2], 20, 30)])
def test_update_in_chunks_passes_gradcheck(dims, rows, cols, monkeypatch):
    monkeypatch.setattr(operator, "CHUNK_ON_CPU", 2)
    torch.manual_seed(0)
    theta, theta_0 = torch.randn(2, parameter_count(dims), dtype=torch.float64)
    inputs = (torch.randn(5, rows), torch.randn(5, cols))
    output, x, theta = (tensor.double().requires_grad_() for tensor in (*inputs, theta))
    expected = output + x @ update_matrix(split_gates(theta, dims), split_gates(theta_0, dims), dims, rows, cols).T

    def function(output, x, theta):
        return operator.add_quanta_update(output.clone(), x, theta, theta_0, dims)

    torch.testing.assert_close(function(output, x, theta), expected)
    assert torch.autograd.gradcheck(function, (output, x, theta))


def test_only_the_trained_operator_keeps_activations():
    # kept: the vectors and both gate vectors, and for each trained gate but the first its input
    dims, vectors = [4, 4, 4], 100
    theta = torch.randn(parameter_count(dims), requires_grad=True)
    x, kept = torch.randn(vectors, 64, requires_grad=True), []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()) or tensor, lambda it: it):
        operator.add_quanta_update(torch.zeros(vectors, 64), x, theta, theta.detach().clone(), dims)
    assert sum(kept) == x.numel() + 2 * theta.numel() + 2 * x.numel()


def test_merge_and_unmerge():
    model, tokens = perturb(adapted()), token_batch()
    with torch.no_grad():
        adapter_logits = model(tokens).logits
        assert (adapter_logits - small_model()(tokens).logits).abs().max() > 1e-2
        model.merge_adapter()
        torch.testing.assert_close(model(tokens).logits, adapter_logits, rtol=0, atol=1e-5)
        model.unmerge_adapter()
        torch.testing.assert_close(model(tokens).logits, adapter_logits, rtol=0, atol=1e-5)
        merged = model.merge_and_unload()
        torch.testing.assert_close(merged(tokens).logits, adapter_logits, rtol=0, atol=1e-5)


def test_safe_merge_leaves_the_tensor_alone_and_refuses_nan():
    layer = QuantaLinear(nn.Linear(16, 16), "default", DIMS, "test")
    before, kept = layer.base_layer.weight.data, layer.base_layer.weight.detach().clone()
    with torch.no_grad():
        layer.quanta_theta["default"] += 0.1
    layer.merge(safe_merge=True)
    assert torch.equal(before, kept) and not torch.equal(layer.base_layer.weight, kept)
    layer.unmerge()
    with torch.no_grad():
        layer.quanta_theta["default"][0] = math.nan
    with pytest.raises(ValueError, match="broken"):
        layer.merge(safe_merge=True)


def test_adapter_off_is_the_base():
    model, tokens = perturb(adapted()), token_batch()
    with torch.no_grad(), model.disable_adapter():
        assert torch.equal(model(tokens).logits, small_model()(tokens).logits)


def test_save_and_reload(tmp_path):
    model, tokens = perturb(adapted()), token_batch()
    model.save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"adapter_config.json", "adapter_model.safetensors"}
    torch.manual_seed(99)  # other gates are drawn before the saved ones, trained and frozen, replace them
    again = PeftModel.from_pretrained(small_model(), tmp_path)
    with torch.no_grad():
        assert torch.equal(again(tokens).logits, model.eval()(tokens).logits)
    assert again.peft_config["default"].dims == DIMS


def test_bfloat16_base_keeps_float32_gates_and_a_zero_start():
    model, tokens = adapted(dtype=torch.bfloat16), token_batch()
    assert all(parameter.dtype == torch.float32 for name, parameter in model.named_parameters() if "quanta_" in name)
    with torch.no_grad():
        assert torch.equal(model(tokens).logits, small_model(dtype=torch.bfloat16)(tokens).logits)


@pytest.mark.parametrize("vectors", [4, 400])
def test_a_small_update_survives_mixed_precision(vectors):
    torch.manual_seed(0)
    layer = QuantaLinear(nn.Linear(16, 16, bias=False), "default", DIMS, "test")
    with torch.no_grad():
        layer.base_layer.weight.zero_()
        layer.quanta_theta["default"] += 1e-4 * torch.randn(parameter_count(DIMS))
    x = torch.randn(vectors, 16).bfloat16()
    exact = x.double() @ layer.double().get_delta_weight("default").T
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = layer.float()(x)
    assert output.dtype == torch.bfloat16
    assert (output.double() - exact).norm() < 0.01 * exact.norm()


@pytest.mark.parametrize("dims", [[4, 2], [16], [8, 4]])
def test_dims_that_do_not_fit_are_refused_with_module_and_shape(dims):
    with pytest.raises(InputError, match=r"layers\.0\.self_attn\.q_proj.*16 x 16"):
        adapted(dims=dims)


def test_only_linear_modules_are_adapted():
    with pytest.raises(InputError, match=r"embed_tokens.*Embedding"):
        get_peft_model(small_model(), QuantaConfig(dims=DIMS, target_modules=["embed_tokens"]))


@pytest.mark.parametrize("dims", [[4, 2, 3], [6, 4], [2, 3, 2, 2]])
@pytest.mark.parametrize("transposed", [False, True])
def test_the_change_of_small_steps_keeps_its_digits_in_single_precision(dims, transposed):
    """Steps of 1e-6 of the gates: the difference of two products would keep one digit."""
    generator = torch.Generator().manual_seed(0)
    frozen = [torch.randn(size, size, generator=generator) for size in gate_sizes(dims)]
    trained = [gate * (1 + 1e-6 * torch.randn(gate.shape, generator=generator)) for gate in frozen]
    exact = update_matrix([gate.double() for gate in trained], [gate.double() for gate in frozen], dims, 24, 24)
    found = apply_change(torch.eye(24), trained, frozen, dims, transposed).double()
    expected = exact if transposed else exact.T
    assert float((found - expected).norm()) < 1e-5 * float(expected.norm())


@pytest.mark.parametrize(("rows", "cols"), [(24, 24), (40, 24), (12, 24), (24, 6), (6, 30)])
@pytest.mark.parametrize("dims", [[4, 2, 3], [4, 6]])
def test_the_energy_of_the_change_follows_from_the_gates_alone(dims, rows, cols):
    generator = torch.Generator().manual_seed(1)
    frozen = [torch.randn(size, size, generator=generator, dtype=torch.float64) for size in gate_sizes(dims)]
    trained = [gate + 1e-3 * torch.randn(gate.shape, generator=generator, dtype=torch.float64) for gate in frozen]
    expected = float(update_matrix(trained, frozen, dims, rows, cols).square().sum())
    assert change_energy(trained, frozen, dims, rows, cols) == pytest.approx(expected, rel=1e-10)


def test_a_cut_through_an_index_has_no_contraction():
    gates = [torch.eye(size) for size in gate_sizes([4, 2, 3])]
    assert change_energy(gates, gates, [4, 2, 3], 20, 24) is None
    assert change_energy([torch.eye(4)] * 6, [torch.eye(4)] * 6, [2, 2, 2, 2], 16, 16) is None
