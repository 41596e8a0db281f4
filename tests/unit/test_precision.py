"""The function that is sampled is the one that was trained, on a base in bfloat16, too."""

from pathlib import Path

import pytest
import torch
from small_models import settings_of, small_model

from rlvr.adapters.merging import merged_tensors, merged_weights, rollout_weights
from rlvr.adapters.methods import METHODS
from rlvr.core.errors import InputError
from rlvr.evaluate.precision import check_lost, load_tuned, lost_share

ADAPTERS = [name for name, method in METHODS.items() if method.tuner]
SMALL = dict.fromkeys(METHODS, 2e-5)  # standard deviation of what stands for training
SMALL |= dict.fromkeys(("ia3", "ln-tuning", "vera"), 3e-4)  # gains, of which bfloat16 holds three digits
BELOW_ACTIVATIONS = ("adalora", "ia3", "ln-tuning")  # so small that outputs in bfloat16 do not show it, merged or not
TOKENS = torch.randint(3, 40, (64, 48), generator=torch.Generator().manual_seed(0))


def base_model(dtype=torch.float32, tied=False):
    """The random base whose weights are those of bfloat16, whatever its type."""
    model = small_model(dtype=torch.bfloat16)
    if tied:
        model.config.tie_word_embeddings = True
        model.tie_weights()
    return model.to(dtype)


@pytest.fixture(scope="module")
def base_dir(tmp_path_factory):
    """The folder of the base."""
    folder = tmp_path_factory.mktemp("base")
    base_model(torch.bfloat16).save_pretrained(folder)
    return folder


def barely_trained(method, dtype=torch.float32):
    """The method on the base, moved by less than most steps of bfloat16."""
    torch.manual_seed(0)
    model = METHODS[method].attach(base_model(dtype), settings_of(method)).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in (parameter for parameter in model.parameters() if parameter.requires_grad):
            parameter += SMALL[method] * torch.randn(parameter.shape, generator=generator)
    return model


def tuned(method):
    """Every tensor of the barely trained model in float32."""
    model = barely_trained(method)
    found = merged_tensors(model, torch.float32) if METHODS[method].tuner else model.state_dict()
    return {name: tensor.clone() for name, tensor in found.items()}


def in_float32(tensors):
    """Logits of these weights, computed in float32: only the weights themselves are rounded."""
    model = base_model()
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return logits(model)


def logits(model):
    with torch.no_grad():
        return model(TOKENS).logits.float()


@pytest.mark.parametrize("method", ["lora", "dora", "ia3", "ln-tuning", "vera", "full", "sparse-union"])
def test_a_small_update_is_sampled_whole_where_the_cast_loses_much_of_it(method, base_dir):
    tensors = tuned(method)
    cast, kept = base_model(torch.bfloat16), base_model(torch.bfloat16)
    cast.load_state_dict(tensors)
    load_tuned(kept, tensors, base_dir)
    expected, base = in_float32(tensors), logits(base_model())
    assert torch.equal(in_float32(kept.state_dict()), expected)
    assert (in_float32(cast.state_dict()) - expected).norm() > 0.3 * (expected - base).norm()
    state, untrained = kept.state_dict(), base_model().state_dict()
    moved = {name for name, tensor in tensors.items() if not torch.equal(tensor, untrained[name])}
    assert any(state[name].dtype == torch.float32 for name in moved)
    assert all(state[name].dtype == torch.bfloat16 for name in state.keys() - moved)
    assert kept(TOKENS).logits.dtype == torch.bfloat16


def test_a_widened_module_computes_in_float32_between_inputs_and_outputs_of_bfloat16(base_dir):
    tensors, model = tuned("full"), base_model(torch.bfloat16)
    load_tuned(model, tensors, base_dir)
    x = torch.randn(5, 16, generator=torch.Generator().manual_seed(2)).to(torch.bfloat16)
    found, weight = model.model.layers[0].mlp.up_proj(x), tensors["model.layers.0.mlp.up_proj.weight"]
    assert torch.equal(found, (x.float() @ weight.T).to(torch.bfloat16))
    assert not torch.equal(found, (x @ weight.to(torch.bfloat16).T))


def test_gains_that_bfloat16_cannot_hold_are_sampled_all_the_same(base_dir):
    tensors = {name: tensor.clone() for name, tensor in base_model().state_dict().items()}
    for name in tensors:
        if name.endswith("norm.weight"):
            tensors[name] += 1e-3
    cast, kept = base_model(torch.bfloat16), base_model(torch.bfloat16)
    cast.load_state_dict(tensors)
    load_tuned(kept, tensors, base_dir)
    assert torch.equal(logits(cast), logits(base_model(torch.bfloat16))), "the cast evaluates the base bit for bit"
    assert not torch.equal(logits(kept), logits(base_model(torch.bfloat16)))


def test_in_float32_nothing_is_widened_and_the_logits_are_those_of_the_merged_model(base_dir):
    tensors, model, plain = tuned("lora"), base_model(), base_model()
    plain.load_state_dict(tensors)
    load_tuned(model, tensors, base_dir)
    assert torch.equal(logits(model), logits(plain))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_tied_head_stays_the_embedding(tmp_path):
    model, base_dir = base_model(torch.bfloat16, tied=True), tmp_path
    model.save_pretrained(base_dir)
    tensors = {name: tensor.float() + 1e-5 for name, tensor in model.state_dict().items()}
    load_tuned(model, tensors, base_dir)
    assert model.lm_head.weight is model.model.embed_tokens.weight and model.lm_head.weight.dtype == torch.float32
    assert torch.equal(model.lm_head.weight, tensors["lm_head.weight"])


@pytest.mark.parametrize("method", ADAPTERS)
def test_rollouts_on_a_bfloat16_base_sample_from_the_function_of_the_loss(method):
    model = barely_trained(method, torch.bfloat16)
    expected = logits(model)
    with rollout_weights(model):
        assert torch.equal(logits(model), expected)
    if method not in BELOW_ACTIVATIONS:
        with merged_weights(model):
            assert not torch.equal(logits(model), expected), "nothing to see: the merge rounds nothing"
    wide = barely_trained(method)
    with merged_weights(wide):
        merged = logits(wide)
    with rollout_weights(wide):
        assert torch.equal(logits(wide), merged), "a float32 base is merged, as it was"


# The share that is lost


@pytest.fixture
def stored(tmp_path) -> tuple[Path, dict[str, torch.Tensor]]:
    """A base of bfloat16 on disk, and its tensors in float32."""
    model = base_model(torch.bfloat16)
    model.save_pretrained(tmp_path)
    return tmp_path, {name: tensor.float() for name, tensor in model.state_dict().items()}


def moved_by(tensors, relative):
    """One matrix of the model with a normal update of a norm relative to its own."""
    name = "model.layers.0.mlp.up_proj.weight"
    update = torch.randn(tensors[name].shape, generator=torch.Generator().manual_seed(3))
    return tensors | {name: tensors[name] + relative * update * tensors[name].norm() / update.norm()}


def test_the_share_is_what_rounding_removes(stored):
    folder, tensors = stored
    shares = [lost_share(folder, moved_by(tensors, size), "bfloat16") for size in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == pytest.approx(1, abs=0.05) and 0.4 < shares[2] < 0.95 and shares[4] < 0.05
    assert [lost_share(folder, moved_by(tensors, size), "float32") for size in (1e-5, 1e-1)] == [0, 0]
    assert lost_share(folder, tensors, "bfloat16") == 0, "no update, no loss"


def test_the_share_counts_every_tensor(stored):
    folder, tensors = stored
    gains = {name: tensor + 1e-3 for name, tensor in tensors.items() if name.endswith("norm.weight")}
    assert gains and lost_share(folder, tensors | gains, "bfloat16") == 1
    whole = {name: tensor + 0.5 for name, tensor in gains.items()} | moved_by(tensors, 1e-5)
    both = lost_share(folder, tensors | whole | {name: tensor + 0.5 for name, tensor in gains.items()}, "bfloat16")
    assert 0 < both < 0.05, "weighted by energy, not by tensors"


def test_a_base_that_is_stored_wider_is_compared_with_itself_as_it_is_sampled(tmp_path):
    model = small_model()
    model.save_pretrained(tmp_path)
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert lost_share(tmp_path, tensors, "bfloat16") == 0
    assert lost_share(tmp_path, moved_by(tensors, 1e-5), "bfloat16") > 1, "a step of the grid is more than the update"


def test_a_share_above_the_bound_is_refused_by_name():
    check_lost(0.1, 0.1, "lora-r8")
    with pytest.raises(InputError, match=r"run 'lora-r8': .* 0\.31 of its update; the bound is 0\.1\..*float32"):
        check_lost(0.31, 0.1, "lora-r8")
