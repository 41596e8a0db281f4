"""Sparse full fine-tuning: which entries a mask trains, and that all others stay as they are, bit for bit."""

import dataclasses

import numpy as np
import pytest
import torch
from small_models import settings_of, small_model, token_batch
from transformers import AutoModelForCausalLM

from rlvr.adapters.masking import trained_masks
from rlvr.adapters.methods import METHODS
from rlvr.train.manifest import moved_share

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
        start = base.get_parameter(name).to(parameter.dtype)
        mask = masks.get(name, torch.zeros_like(parameter, dtype=torch.bool))
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


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("method", ["full", *SPARSE])
def test_what_is_trained_on_a_bfloat16_base_is_float32_so_that_small_steps_count(method, autocast):
    model, base = attached(method, torch.bfloat16), small_model(dtype=torch.bfloat16)
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert {parameter.dtype for parameter in trained.values()} == {torch.float32}
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, base.get_parameter(name).to(parameter.dtype))
        assert name in trained or parameter.dtype == torch.bfloat16
    arguments = {"lr": 1e-6}
    optimizer = METHODS[method].make_optimizer(model, settings_of(method), torch.optim.AdamW, arguments)
    optimizer = optimizer or torch.optim.AdamW(trained.values(), **arguments)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        logits = model(token_batch()).logits
    assert logits.dtype == (torch.float32 if method == "full" and not autocast else torch.bfloat16)
    logits.float().square().mean().backward()
    optimizer.step()
    for name, parameter in trained.items():
        has_gradient = parameter.grad != 0  # none outside a mask
        moved = (parameter != base.get_parameter(name).float())[has_gradient].float().mean()
        assert moved > 0.98, name  # in bfloat16 a step of 1e-6 moves nothing above 2.5e-4


@pytest.mark.parametrize("method", ["full", *SPARSE])
def test_weights_that_stay_bfloat16_are_a_named_choice_and_the_share_that_moved_shows_it(method, tmp_path):
    shares = {}
    small_model(dtype=torch.float32).save_pretrained(tmp_path)
    for choice in ("float32", "stored"):
        model = attached(method, torch.bfloat16, trained_dtype=choice)
        trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
        expected = torch.float32 if choice == "float32" else torch.bfloat16
        assert {parameter.dtype for parameter in trained.values()} == {expected}
        assert moved_share(model, tmp_path, "bfloat16") == 0
        model(token_batch()).logits.float().square().mean().backward()
        with torch.no_grad():
            for parameter in trained.values():
                parameter -= 1e-5 * parameter.grad.sign()
        shares[choice] = moved_share(model, tmp_path, "bfloat16")
    assert shares["float32"] > 0.8 > 0.4 > shares["stored"]
    assert moved_share(METHODS["lora"].attach(small_model(), settings_of("lora")), tmp_path, "float32") is None


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
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    assert loaded.state_dict().keys() == small_model().state_dict().keys()
    for name, value in loaded.named_parameters():
        assert torch.equal(value, model.get_parameter(name).float())
        moved = value != small_model(dtype=dtype).get_parameter(name).float()
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
