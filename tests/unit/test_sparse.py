"""Sparse full fine-tuning: which entries a mask trains, and that all others stay as they are, bit for bit."""

import dataclasses

import numpy as np
import pytest
import torch
from small_models import settings_of, small_model, token_batch
from transformers import AutoModelForCausalLM

from rlvr.adapters.masking import trained_masks
from rlvr.adapters.methods import METHODS

SPARSE = [name for name, method in METHODS.items() if method.family == "sparse"]
RATE, DECAY = 1e-2, 0.5


def attached(method, dtype=torch.float32, **changes):
    settings = dataclasses.replace(settings_of(method), **changes)
    return METHODS[method].attach(small_model(dtype=dtype), settings).train()


def slow_mask(weight, method, rank=2, density=0.5):
    """A mask entry by entry, in NumPy."""
    weight = weight.detach().double().numpy()
    left, values, right = np.linalg.svd(weight, full_matrices=False)
    score = np.abs(left[:, :rank] * values[:rank] @ right[:rank])
    principal = score >= np.sort(score, axis=None)[::-1][round(density * score.size) - 1]
    low = np.abs(weight) < np.abs(weight).mean()
    masks = {"principal": principal, "non-principal": ~principal, "low-magnitude": low, "union": low | ~principal}
    return torch.from_numpy(masks[method.removeprefix("sparse-")])


@pytest.mark.parametrize("method", [name for name in SPARSE if name != "sparse-random"])
def test_masks_are_those_of_the_definition(method):
    masks = trained_masks(attached(method))
    assert len(masks) == 10
    for name, mask in masks.items():
        assert torch.equal(mask, slow_mask(small_model().get_parameter(name), method))


def test_the_random_mask_is_as_dense_as_the_union_in_every_matrix_and_drawn_from_the_seed():
    union = trained_masks(attached("sparse-union"))
    one, same, other = (trained_masks(attached("sparse-random", seed=seed)) for seed in (1, 1, 2))
    for name, mask in one.items():
        assert mask.sum() == union[name].sum() and not torch.equal(mask, union[name])
        assert torch.equal(mask, same[name]) and not torch.equal(mask, other[name])
    first, second = (one[f"model.layers.{layer}.self_attn.q_proj.weight"] for layer in (0, 1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("arguments", [{}, {"fused": True}], ids=["plain", "fused"])
@pytest.mark.parametrize("method", SPARSE)
def test_weights_outside_the_mask_do_not_move_by_a_bit_weight_decay_included(method, arguments, dtype):
    model, base = attached(method, dtype), small_model(dtype=dtype)
    make, settings = METHODS[method].make_optimizer, dataclasses.replace(settings_of(method), weight_decay=DECAY)
    optimizer = make(model, settings, torch.optim.AdamW, {"lr": RATE, **arguments})
    for _ in range(3):
        optimizer.zero_grad()
        model(token_batch()).logits.float().square().mean().backward()
        optimizer.step()
    masks = trained_masks(model)
    for name, parameter in model.named_parameters():
        start, mask = base.get_parameter(name), masks.get(name, torch.zeros_like(parameter, dtype=torch.bool))
        assert torch.equal(parameter[~mask], start[~mask])
        if name in masks:
            assert not parameter.grad[~mask].any()
            assert (parameter[mask] != start[mask]).float().mean() > 0.9


def test_weights_inside_the_mask_move_as_under_adamw_with_the_same_decay():
    model = attached("sparse-union")
    settings = dataclasses.replace(settings_of("sparse-union"), weight_decay=DECAY)
    optimizer = METHODS["sparse-union"].make_optimizer(model, settings, torch.optim.AdamW, {"lr": RATE})
    plain = {name: model.get_parameter(name).detach().clone().requires_grad_(True) for name in trained_masks(model)}
    reference = torch.optim.AdamW(plain.values(), RATE, weight_decay=DECAY)
    for _ in range(3):
        optimizer.zero_grad()
        model(token_batch()).logits.square().mean().backward()
        for name, parameter in plain.items():
            parameter.grad = model.get_parameter(name).grad.clone()
        optimizer.step()
        reference.step()
    for name, mask in trained_masks(model).items():
        torch.testing.assert_close(model.get_parameter(name)[mask], plain[name][mask], rtol=0, atol=1e-7)


def test_the_decay_follows_the_schedule():
    model = attached("sparse-principal")
    settings = dataclasses.replace(settings_of("sparse-principal"), weight_decay=DECAY)
    optimizer = METHODS["sparse-principal"].make_optimizer(model, settings, torch.optim.AdamW, {"lr": RATE})
    optimizer.param_groups[0]["lr"] = 0.0
    for parameter in (parameter for parameter in model.parameters() if parameter.requires_grad):
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, small_model().get_parameter(name))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_saved_weights_are_those_of_the_base_outside_the_mask(dtype, tmp_path):
    model = attached("sparse-union", dtype)
    with torch.no_grad():
        for name, mask in trained_masks(model).items():
            model.get_parameter(name)[mask] += 0.25
    model.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=dtype)
    assert loaded.state_dict().keys() == small_model().state_dict().keys()
    for name, value in loaded.named_parameters():
        assert torch.equal(value, model.get_parameter(name))
        moved = value != small_model(dtype=dtype).get_parameter(name)
        assert not moved[~trained_masks(model)[name]].any() if name in trained_masks(model) else not moved.any()


def test_gradients_reach_masked_weights_through_checkpointed_layers():
    gradients = []
    for checkpointing in (False, True):
        model = attached("sparse-union")
        if checkpointing:
            model.gradient_checkpointing_enable()
        model(token_batch()).logits.square().mean().backward()
        gradients.append({name: model.get_parameter(name).grad for name in trained_masks(model)})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient)
