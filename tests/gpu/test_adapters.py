"""Every method on a bfloat16 base on a GPU, beside the same weights in float32 on the CPU."""

import pytest
import torch
from small_models import settings_of, small_model, token_batch

from rlvr.adapters.merging import merged_tensors, merged_weights
from rlvr.adapters.methods import METHODS
from rlvr.train.manifest import fingerprint

ADAPTERS = [name for name, method in METHODS.items() if method.tuner]
MOVED_BY = dict.fromkeys(METHODS, 0.05)  # standard deviation of what stands for training
MOVED_BY |= dict.fromkeys(("adalora", "vera", "ia3", "ln-tuning", "boft"), 0.2)  # gains, or products of small numbers
# relative; a bfloat16 rounds by up to 0.004, and on the CPU bfloat16 is off by up to 0.008 and 0.015
LOGITS, GRADIENTS = 0.015, 0.03
CYCLES = 20


def attached(method, device, dtype):
    """The method on a random base whose weights are those of bfloat16, whatever its type."""
    base = small_model(dtype=torch.bfloat16).to(device, dtype)
    torch.manual_seed(0)
    return METHODS[method].attach(base, settings_of(method)).eval()


def moved(method):
    """The method on the CPU in float32, what it trains away from its start."""
    model, generator = attached(method, "cpu", torch.float32), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in (parameter for parameter in model.parameters() if parameter.requires_grad):
            parameter += MOVED_BY[method] * torch.randn(parameter.shape, generator=generator)
    return model


def copied(model, method, device):
    """A copy of ``model`` on a bfloat16 base on ``device``, with its adapter or its weights and masks."""
    copy = attached(method, device, torch.bfloat16)
    copy.load_state_dict(model.state_dict())
    for name, buffer in model.named_buffers():
        copy.get_buffer(name).copy_(buffer)
    return copy


def outcome(model, device):
    """Logits, and the gradient of a weighted sum of them in all that is trained, as one vector; float32 on the CPU."""
    logits = model(token_batch().to(device)).logits.float()
    weights = torch.randn(logits.shape, generator=torch.Generator().manual_seed(2)).to(device)
    (logits * weights).sum().backward()
    gradients = [parameter.grad.float().flatten() for parameter in model.parameters() if parameter.requires_grad]
    return logits.detach().cpu(), torch.cat(gradients).cpu()


def distance(found, expected):
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("method", METHODS)
def test_forward_and_backward_are_those_of_float32_on_the_cpu(method, device):
    model = moved(method)
    on_device = copied(model, method, device)
    assert {parameter.device.type for parameter in on_device.parameters()} == {device.type}
    (logits, gradient), (found, found_gradient) = outcome(model, "cpu"), outcome(on_device, device)
    untrained = small_model(dtype=torch.bfloat16).float()(token_batch()).logits.detach()
    assert distance(untrained, logits) > 3 * LOGITS, "too small a change to be seen above the rounding"
    assert distance(found, logits) < LOGITS
    assert distance(found_gradient, gradient) < GRADIENTS


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("method", ADAPTERS)
def test_the_start_on_a_bfloat16_base_is_the_base_bit_for_bit(method, autocast, device):
    model, tokens = attached(method, device, torch.bfloat16), token_batch().to(device)
    base = small_model(dtype=torch.bfloat16).to(device)
    with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=autocast):
        assert torch.equal(model(tokens).logits, base(tokens).logits)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_trained_is_float32_on_a_bfloat16_base(method, device):
    model = attached(method, device, torch.bfloat16)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert trained and {parameter.dtype for parameter in trained} == {torch.float32}


@pytest.mark.parametrize("method", ADAPTERS)
def test_merges_leave_the_base_alone_and_the_export_is_that_of_the_cpu(method, device):
    model = moved(method)
    on_device, tokens = copied(model, method, device), token_batch().to(device)
    with torch.no_grad():
        before, expected = fingerprint(on_device), on_device(tokens).logits
        for _ in range(CYCLES):
            with merged_weights(on_device):
                on_device.merge_adapter()  # as TRL does before it sends weights to vLLM
                merged = on_device(tokens).logits
                on_device.unmerge_adapter()
        assert fingerprint(on_device) == before and torch.equal(on_device(tokens).logits, expected)
    assert distance(merged.float(), expected.float()) < 2 * LOGITS
    exported, reference = merged_tensors(on_device, torch.float32), merged_tensors(model, torch.float32)
    assert exported.keys() == reference.keys()
    for name, tensor in exported.items():
        assert tensor.device.type == "cpu" and distance(tensor, reference[name]) < 1e-5, name
