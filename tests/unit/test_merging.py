"""Every adapter of the registry must survive saving, merging, exporting, and 200 merges into a bfloat16 base."""

import pytest
import torch
from peft import PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from small_models import settings_of, small_model, token_batch
from transformers import AutoModelForCausalLM

from rlvr.adapters.merging import adapted_weights, merged_in_place, merged_tensors, merged_weights
from rlvr.adapters.methods import METHODS
from rlvr.train.manifest import fingerprint

ADAPTERS = [name for name, method in METHODS.items() if method.tuner]


def moved(method, dtype=torch.float32, architecture="qwen3", scale=0.05):
    """A model whose trainable weights lie ``scale`` (deviation) away from their start, in evaluation mode."""
    torch.manual_seed(1)
    model = METHODS[method].attach(small_model(architecture, dtype=dtype), settings_of(method)).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in (parameter for parameter in model.parameters() if parameter.requires_grad):
            parameter += scale * torch.randn(parameter.shape, generator=generator).to(parameter.dtype)
    return model


def logits(model):
    with torch.no_grad():
        return model.eval()(token_batch()).logits


@pytest.mark.parametrize("method", METHODS)
def test_a_saved_model_computes_the_same_when_loaded(method, tmp_path):
    model = moved(method)
    expected = logits(model)
    assert (expected - logits(small_model())).abs().max() > 1e-4
    if isinstance(model, PeftModel):
        METHODS[method].save_adapter(model, tmp_path)
        loaded = METHODS[method].load_adapter(small_model(), tmp_path)
    else:
        model.save_pretrained(tmp_path)
        loaded = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    torch.testing.assert_close(logits(loaded), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("architecture", ["qwen3", "llama", "apertus"])
@pytest.mark.parametrize("method", ADAPTERS)
def test_merged_weights_compute_the_same_and_the_export_is_a_bare_model(method, architecture):
    model = moved(method, architecture=architecture)
    expected, before = logits(model), fingerprint(model)
    with merged_weights(model):
        torch.testing.assert_close(logits(model), expected, rtol=0, atol=1e-5)
    bare = small_model(architecture, seed=5)
    bare.load_state_dict(merged_tensors(model, torch.float32), strict=True)
    torch.testing.assert_close(logits(bare), expected, rtol=0, atol=1e-5)
    assert fingerprint(model) == before and torch.equal(logits(model), expected)


@pytest.mark.parametrize("method", ADAPTERS)
def test_the_export_is_merged_in_float32_and_cast_once(method):
    model = moved(method, torch.bfloat16)
    exact = merged_tensors(model, torch.float32)
    assert all(tensor.dtype == torch.float32 for tensor in exact.values())
    base = small_model(dtype=torch.bfloat16).state_dict()
    changed = [name for name, tensor in exact.items() if not torch.equal(tensor, base[name].float())]
    assert any(not torch.equal(exact[name], exact[name].bfloat16().float()) for name in changed)
    for name, tensor in merged_tensors(model, torch.bfloat16).items():
        assert torch.equal(tensor, exact[name].bfloat16()), name
    with merged_weights(model):
        held = {name.replace(".base_layer.", "."): tensor for name, tensor in model.get_base_model().named_parameters()}
        assert all(torch.equal(held[name].detach(), exact[name].to(held[name].dtype)) for name in changed)


@pytest.mark.parametrize("method", ADAPTERS)
def test_many_merges_never_move_a_bfloat16_base(method):
    """What is added to bfloat16 and taken away again differs after the first time: twenty are no weaker than more."""
    model = moved(method, torch.bfloat16)
    before, expected = fingerprint(model), logits(model)
    tensors = {name: parameter.data_ptr() for name, parameter in model.named_parameters()}
    for _ in range(20):
        with merged_weights(model):
            pass
    assert fingerprint(model) == before and torch.equal(logits(model), expected)
    assert tensors == {name: parameter.data_ptr() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("method", ADAPTERS)
def test_a_merge_within_a_merge_as_trl_does_it_leaves_the_base_alone(method):
    model = moved(method, torch.bfloat16)
    before, expected = fingerprint(model), logits(model)
    with merged_weights(model):
        model.merge_adapter()
        pushed = {name for name, _ in model.named_parameters() if str(model.base_model.prefix) not in name}
        model.unmerge_adapter()
    assert fingerprint(model) == before and torch.equal(logits(model), expected)
    bare = {f"base_model.model.{name}" for name, _ in small_model().named_parameters()}
    assert {name.replace(".base_layer.", ".") for name in pushed} == bare


@pytest.mark.parametrize("method", ADAPTERS)
def test_while_merged_a_layer_computes_what_its_own_forward_does_bit_for_bit(method):
    model = moved(method)
    layers = [module for module in model.modules() if isinstance(module, BaseTunerLayer)]
    with merged_weights(model):
        found = logits(model)
        for layer in layers:
            vars(layer).pop("forward", None)
        assert torch.equal(logits(model), found)
    assert layers and not any("forward" in vars(layer) for layer in layers)


@pytest.mark.parametrize("method", ["lora", "dora", "quanta", "mora"])
def test_merging_in_place_leaves_the_roundings_of_a_sum_and_a_difference(method):
    """Only a rounding of the sum and one of the difference can be left, each at most half a step of bfloat16."""
    model = moved(method, dtype=torch.bfloat16)
    start = {name: weight.clone().double() for name, weight in adapted_weights(model).items()}
    with merged_weights(model):
        merged = {name: weight.clone().double() for name, weight in adapted_weights(model).items()}
    with merged_in_place(model):
        inside = {name: weight.clone().double() for name, weight in adapted_weights(model).items()}
    left = {name: weight.double() for name, weight in adapted_weights(model).items()}
    drifts = []
    for name, weight in start.items():
        bound = torch.maximum(merged[name].abs(), weight.abs()) * 2**-8 * 2
        assert ((inside[name] - merged[name]).abs() <= bound).all(), "samples from the merged weights"
        if method != "dora":  # whose quotient of norms, rounded, moves a whole row
            assert ((left[name] - weight).abs() <= bound).all()
        drifts.append(float((left[name] - weight).norm() / weight.norm()))
    assert 0 < max(drifts) < 0.02
    assert not any(layer.merged for layer in model.modules() if isinstance(layer, BaseTunerLayer))


def test_merging_in_place_in_float32_moves_next_to_nothing():
    model = moved("lora")
    start = {name: weight.clone() for name, weight in adapted_weights(model).items()}
    with merged_in_place(model):
        pass
    for name, weight in adapted_weights(model).items():
        torch.testing.assert_close(weight, start[name], rtol=0, atol=1e-6)
