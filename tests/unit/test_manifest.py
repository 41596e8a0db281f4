"""A run that is not what it says gets no manifest."""

import dataclasses
import json

import pytest
import torch
from small_models import settings_of, small_model

from rlvr.adapters.masking import trained_masks
from rlvr.adapters.methods import METHODS
from rlvr.train.manifest import InvalidRun, check_change, check_method, fingerprint, hash_tensors, manifest

ADAPTERS = [name for name, method in METHODS.items() if method.tuner]
SPARSE = [name for name, method in METHODS.items() if method.family == "sparse"]


def attached(method):
    torch.manual_seed(0)
    return METHODS[method].attach(small_model(), settings_of(method))


def trained(method):
    """A model whose trainable weights have moved, with its fingerprints before and after."""
    model = attached(method)
    before = fingerprint(model)
    masks = trained_masks(model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter += 0.01 * masks.get(name, 1.0)
    return model, before, fingerprint(model)


@pytest.mark.parametrize("method", METHODS)
def test_an_honest_run_gets_its_manifest(method):
    model, before, after = trained(method)
    content = json.loads(json.dumps(manifest(model, settings_of(method), before, after, {"steps": 40})))
    assert content["status"] == "finished" and content["steps"] == 40 and content["tuner"] == METHODS[method].tuner
    assert content["trainable_parameters"] == sum(row["parameters"] for row in content["trainable_modules"])
    masks = trained_masks(model)
    ones = (masks.get(name, torch.ones_like(p)) for name, p in model.named_parameters() if p.requires_grad)
    assert content["trainable_parameters"] == sum(int(entries.sum()) for entries in ones)
    digests = content["sha256"]
    assert (digests["base_before"] == digests["base_after"]) == (method != "full")
    assert content["versions"]["torch"] and content["peak_memory_gib"]["host"] > 0


@pytest.mark.parametrize("method", ADAPTERS)
def test_the_base_is_hashed_as_without_adapter(method):
    assert fingerprint(attached(method)).base == fingerprint(small_model()).base


@pytest.mark.parametrize("method", ADAPTERS)
def test_a_changed_base_is_refused(method):
    model, before, _ = trained(method)
    with torch.no_grad():
        model.get_base_model().model.embed_tokens.weight[3, 3] += 1e-6
    with pytest.raises(InvalidRun, match="changed the base"):
        check_change(before, fingerprint(model), settings_of(method))


@pytest.mark.parametrize("method", SPARSE)
def test_a_change_outside_the_mask_is_refused(method):
    model, before, _ = trained(method)
    name, mask = next(iter(trained_masks(model).items()))
    with torch.no_grad():
        model.get_parameter(name)[tuple((~mask).nonzero()[0])] += 1e-6
    with pytest.raises(InvalidRun, match="changed the base"):
        check_change(before, fingerprint(model), settings_of(method))


@pytest.mark.parametrize("method", [*ADAPTERS, *SPARSE])
def test_an_unchanged_adapter_is_refused(method):
    before = fingerprint(attached(method))
    with pytest.raises(InvalidRun, match="left the adapter as it was"):
        check_change(before, before, settings_of(method))


def test_unchanged_weights_of_full_fine_tuning_are_refused():
    before = fingerprint(attached("full"))
    with pytest.raises(InvalidRun, match="left every weight"):
        check_change(before, before, settings_of("full"))


@pytest.mark.parametrize(
    ("built", "asked", "message"),
    [
        ("lora", {"method": "dora"}, "dora with use_dora True, found False"),
        ("dora", {"method": "lora"}, "lora with use_dora False, found True"),
        ("lora", {"rank": 3}, "r 3, found 2"),
        ("lora", {"alpha": 5.0}, "lora_alpha 5.0, found 4.0"),
        ("lora", {"target_modules": "attention"}, "trained projections"),
        ("quanta", {"dims": (4, 4)}, r"dims \[4, 4\], found \[4, 2, 2\]"),
        ("lora", {"method": "quanta", "dims": (4, 2, 2)}, "tuner QuantaModel, found LoraModel"),
        ("lora", {"method": "full"}, "tuner None, found LoraModel"),
        ("full", {"method": "lora"}, "tuner LoraModel, found None"),
    ],
)
def test_another_method_than_the_one_asked_for_is_refused(built, asked, message):
    settings = dataclasses.replace(settings_of(built), **asked)
    with pytest.raises(InvalidRun, match=message):
        check_method(attached(built), settings)


@pytest.mark.parametrize(("method", "part"), [("lora-fa", "lora_A"), ("boft", "boft_s")])
def test_an_adapter_that_trains_what_its_method_freezes_is_refused(method, part):
    model = attached(method)
    next(value for name, value in model.named_parameters() if part in name).requires_grad_(True)
    with pytest.raises(InvalidRun, match=rf"frozen parameters of the adapter .*{part}"):
        check_method(model, settings_of(method))


def test_frozen_weights_in_full_fine_tuning_are_refused():
    model = attached("full")
    model.lm_head.weight.requires_grad_(False)
    with pytest.raises(InvalidRun, match=r"frozen parameters.*weight"):
        check_method(model, settings_of("full"))


def test_a_weight_without_its_mask_is_refused():
    model = attached("sparse-union")
    del model.model.layers[1].mlp.up_proj.trained_mask
    with pytest.raises(InvalidRun, match=r"masked parameters .*layers\.1\.mlp\.up_proj"):
        check_method(model, settings_of("sparse-union"))


def test_a_diverged_run_is_refused():
    model, before, _ = trained("lora")
    next(parameter for parameter in model.parameters() if parameter.requires_grad).data[0] = torch.inf
    with pytest.raises(InvalidRun, match="diverged"):
        manifest(model, settings_of("lora"), before, fingerprint(model), {})


def test_hash_sees_names_types_shapes_and_values_but_no_order():
    one, two = torch.arange(6.0), torch.arange(6.0).bfloat16()
    reference = hash_tensors([("a", one), ("b", two)])
    assert reference == hash_tensors([("b", two), ("a", one.clone())])
    for changed in ([("a", one), ("c", two)], [("a", one), ("b", one)], [("a", one.view(2, 3)), ("b", two)]):
        assert hash_tensors(changed) != reference
    assert hash_tensors([("a", one + 1e-6), ("b", two)]) != reference
