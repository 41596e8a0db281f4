"""The QuanTA operator on a GPU: the dense definition, in place, and memory beside PEFT's DoRA."""

import gc

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from rlvr.adapters.quanta import QuantaConfig
from rlvr.adapters.quanta.operator import add_quanta_update
from rlvr.weights.quanta_gates import parameter_count, split_gates, update_matrix

TOKENS, COLUMNS = 2048, 4096


@pytest.mark.parametrize(
    ("dims", "rows", "cols"), [([4, 4, 4], 64, 64), ([4, 2, 3], 30, 20), ([4, 2, 3], 20, 30), ([2, 3, 2, 2], 24, 24)]
)
def test_the_update_is_added_in_place_with_the_gradients_of_the_dense_definition(dims, rows, cols, device):
    generator, options = torch.Generator().manual_seed(0), {"dtype": torch.float64}
    shapes = ((5, 7, rows), (5, 7, rows), (5, 7, cols), (parameter_count(dims),), (parameter_count(dims),))
    output, weights, x, theta, theta_0 = (torch.randn(s, generator=generator, **options).to(device) for s in shapes)
    leaves = [tensor.requires_grad_(True) for tensor in (output, x, theta)]
    given = output.clone()
    found = add_quanta_update(given, x, theta, theta_0, dims)
    assert found.data_ptr() == given.data_ptr() and found.device.type == device.type
    delta = update_matrix(split_gates(theta, dims), split_gates(theta_0, dims), dims, rows, cols)
    expected = output + x @ delta.T
    torch.testing.assert_close(found, expected)
    wanted = torch.autograd.grad((expected * weights).sum(), leaves)
    for gradient, other in zip(torch.autograd.grad((found * weights).sum(), leaves), wanted, strict=True):
        torch.testing.assert_close(gradient, other)


def adapted(base, dims):
    """A layer under QuanTA, gates in float32 as PEFT leaves them."""
    return get_peft_model(nn.Sequential(base), QuantaConfig(dims=dims, target_modules=["0"]))


@pytest.mark.parametrize("dims", [[16, 16, 16], [16, 8, 8, 4]])
def test_a_small_update_of_a_real_layer_survives_bfloat16(dims, device):
    torch.manual_seed(0)
    layer = adapted(nn.Linear(COLUMNS, 1024, bias=False, dtype=torch.bfloat16).to(device), dims).model[0]
    with torch.no_grad():
        layer.base_layer.weight.zero_()
        layer.quanta_theta["default"] += 1e-4 * torch.randn(parameter_count(dims)).to(device)
    x = torch.randn(3, 11, COLUMNS).bfloat16().to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        found = layer(x)
    exact = x.double() @ layer.double().get_delta_weight("default").T
    assert found.dtype == torch.bfloat16 and (found.double() - exact).norm() < 0.01 * exact.norm()


def peak_mib(make, rows):
    """Peak memory that a forward and backward pass allocates beyond the layer and its input, in MiB."""
    base = nn.Linear(COLUMNS, rows, bias=False, device="cuda", dtype=torch.bfloat16).requires_grad_(False)
    layer = make(base)
    x = torch.randn(1, TOKENS, COLUMNS, device="cuda", dtype=torch.bfloat16, requires_grad=True)
    weights = torch.ones(1, TOKENS, rows, device="cuda", dtype=torch.bfloat16)
    layer(x).backward(weights)  # gradients, and what libraries keep
    torch.cuda.synchronize()
    gc.collect()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    layer(x).backward(weights)
    return (torch.cuda.max_memory_allocated() - before) / 2**20


@pytest.mark.parametrize("rows", [4096, 12288])
@pytest.mark.parametrize("dims", [[16, 16, 16], [16, 8, 8, 4]])
def test_a_pass_takes_less_memory_than_under_dora(dims, rows, device):
    if device.type != "cuda":
        pytest.skip("peak memory is what the allocator of CUDA counts; `make bench BENCH=quanta` weighs the CPU's")
    config = LoraConfig(r=16, lora_alpha=32, target_modules=["0"], use_dora=True)
    dora = peak_mib(lambda base: get_peft_model(nn.Sequential(base), config), rows)
    ours = peak_mib(lambda base: adapted(base, dims), rows)
    print(f"dims {dims}, {COLUMNS} -> {rows}, {TOKENS} tokens: {ours:.0f} MiB, DoRA r=16 {dora:.0f} MiB")
    assert ours < dora
