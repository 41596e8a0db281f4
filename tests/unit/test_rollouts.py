"""What vLLM in the training processes would be sent, and what its type costs; vLLM itself is not needed."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from small_models import settings_of, small_model
from trl.generation.vllm_generation import VLLMGeneration

from rlvr.adapters.merging import Rounding, merged_tensors, merged_weights
from rlvr.adapters.methods import METHODS
from rlvr.train.divergence import Base
from rlvr.train.manifest import InvalidRun, fingerprint
from rlvr.train.signal import check_rollouts
from rlvr.train.trainer import Trainer

ADAPTERS = [name for name, method in METHODS.items() if method.tuner]


def moved_model(method, dtype, size=1e-3):
    model = METHODS[method].attach(small_model(dtype=dtype), settings_of(method, base_dtype="bfloat16"))
    base = Base(model, dtype)
    with torch.no_grad():
        for parameter in (parameter for parameter in model.parameters() if parameter.requires_grad):
            parameter += size * torch.randn(parameter.shape)
    return model, base


def pushed(model, base):
    """What TRL's own walk over the parameters hands to the engine, and the lost share, by the trainer's own method."""
    sent = {}
    sender = SimpleNamespace(model=model, _dist=SimpleNamespace(gather_params=nullcontext, is_fsdp=False))
    walk = VLLMGeneration._iter_named_params
    sender._fix_param_name_to_vllm = lambda name, *_, **__: name
    trainer = SimpleNamespace(
        accelerator=SimpleNamespace(unwrap_model=lambda given: given), model=model, _base=base,
        run=settings_of("lora"),
        _push_weights=lambda: sent.update({name: value.detach().clone() for name, value in walk(sender)}),
    )  # fmt: skip
    Trainer._push_merged_weights(trainer)
    return sent, trainer._lost_share


@pytest.mark.parametrize("method", ADAPTERS)
def test_the_engine_is_sent_the_merged_model_under_the_names_of_its_own(method):
    model, base = moved_model(method, torch.bfloat16)
    before = fingerprint(model)
    expected = merged_tensors(model, torch.bfloat16)
    sent, share = pushed(model, base)
    bare = dict(small_model(dtype=torch.bfloat16).named_parameters())
    assert (
        bare.keys() <= sent.keys()
        and {name: value.shape for name, value in bare.items()}.items()
        <= {name: value.shape for name, value in sent.items()}.items()
    )
    assert all(torch.equal(sent[name].to(torch.bfloat16), expected[name]) for name in bare), "the engine has one type"
    assert fingerprint(model) == before and 0 < share < 1.5


def test_a_float32_base_loses_next_to_nothing():
    for method in ADAPTERS:
        model, rounding = moved_model(method, torch.float32)[0], Rounding()
        with merged_weights(model, rounding):
            pass
        assert rounding.share < 1e-3, method


@pytest.mark.parametrize("method", ["full", "sparse-union"])
def test_trained_weights_of_the_base_are_measured_against_what_the_base_stores(method):
    model, base = moved_model(method, torch.bfloat16, size=1e-4)
    _, share = pushed(model, base)
    start, lost, moved = dict(small_model(dtype=torch.bfloat16).named_parameters()), 0.0, 0.0
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            change = weight.detach().double() - start[name].detach().double()
            used = weight.detach().to(torch.bfloat16).double() - start[name].detach().double()
            lost, moved = lost + (used - change).square().sum().item(), moved + change.square().sum().item()
    assert share == pytest.approx((lost / moved) ** 0.5, rel=1e-9) and share > 0.1


def test_rounding_by_hand():
    rounding = Rounding()
    assert rounding.share == 0
    rounding.add(torch.tensor([1.0, 1.0]), torch.tensor([1.0 + 2**-10, 1.0 + 2**-7]), torch.bfloat16)
    assert rounding.share == pytest.approx(2**-10 / (2**-20 + 2**-14) ** 0.5), "half a step is gone, a step is kept"


def test_a_bound_counts_from_the_second_half_on():
    settings = settings_of("lora", max_rollout_lost_share=0.5)
    check_rollouts(4, 0.9, settings, 10)
    check_rollouts(5, 0.4, settings, 10)
    with pytest.raises(InvalidRun, match=r"at step 5 of 10 rounding removes 0\.90 of the update"):
        check_rollouts(5, 0.9, settings, 10)
    check_rollouts(9, 1.0, settings_of("lora"), 10)
