"""What is sampled on a GPU beside a bfloat16 base is the function that was trained."""

import pytest
import torch
from small_models import settings_of, small_model, token_batch

from rlvr.adapters.merging import Rounding, merged_tensors, merged_weights, rollout_weights
from rlvr.adapters.methods import METHODS
from rlvr.evaluate.precision import load_tuned, lost_share
from rlvr.train.divergence import Base, recorded_sampling

ADAPTERS = [name for name, method in METHODS.items() if method.tuner]
BELOW_A_STEP = 2e-5  # standard deviation of what stands for training; steps of bfloat16 at 0.02 are 6e-5 to 1e-4 wide


def base_model(device, dtype=torch.bfloat16):
    return small_model(dtype=torch.bfloat16).to(device, dtype)


def barely_trained(method, device, dtype):
    """The method on the base, moved by the same small numbers on every device and in every type."""
    torch.manual_seed(0)
    model = METHODS[method].attach(base_model("cpu", dtype), settings_of(method)).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in (parameter for parameter in model.parameters() if parameter.requires_grad):
            parameter += BELOW_A_STEP * torch.randn(parameter.shape, generator=generator)
    return model.to(device)


def logits(model, device):
    with torch.no_grad():
        return model(token_batch().to(device)).logits


@pytest.fixture(scope="module")
def base_dir(tmp_path_factory):
    """The folder of the base."""
    folder = tmp_path_factory.mktemp("base")
    base_model("cpu").save_pretrained(folder)
    return folder


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("method", ADAPTERS)
def test_rollouts_sample_from_the_function_of_the_loss_bit_for_bit(method, autocast, device):
    model = barely_trained(method, device, torch.bfloat16)
    with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
        expected = logits(model, device)
        with rollout_weights(model):
            assert torch.equal(logits(model, device), expected)


@pytest.mark.parametrize("method", ["lora", "dora", "quanta"])
def test_a_merge_in_bfloat16_would_sample_from_another_one(method, device):
    model = barely_trained(method, device, torch.bfloat16)
    expected = logits(model, device)
    with merged_weights(model):
        assert not torch.equal(logits(model, device), expected)


@pytest.mark.parametrize("method", METHODS)
def test_evaluation_keeps_what_training_moved_in_float32(method, device, base_dir):
    model = barely_trained(method, "cpu", torch.float32)
    tensors = merged_tensors(model, torch.float32) if METHODS[method].tuner else model.state_dict()
    tuned = base_model(device)
    load_tuned(tuned, tensors, base_dir)
    state = tuned.state_dict()
    assert all(torch.equal(state[name].float().cpu(), tensor) for name, tensor in tensors.items())
    assert {tensor.device.type for tensor in state.values()} == {device.type}
    assert logits(tuned, device).dtype == torch.bfloat16
    assert lost_share(base_dir, tensors, "bfloat16") > 0.2 and lost_share(base_dir, tensors, "float32") == 0


def test_a_widened_module_computes_in_float32(device, base_dir):
    tensors = {name: tensor.float() + BELOW_A_STEP for name, tensor in base_model("cpu").state_dict().items()}
    model = base_model(device)
    load_tuned(model, tensors, base_dir)
    x = torch.randn(5, 16, generator=torch.Generator().manual_seed(2)).to(device, torch.bfloat16)
    found = model.model.layers[0].mlp.up_proj(x)
    expected = x.double().cpu() @ tensors["model.layers.0.mlp.up_proj.weight"].double().T
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double().cpu(), expected, rtol=2**-8, atol=1e-6)


@pytest.mark.parametrize("method", ADAPTERS)
def test_what_a_merge_loses_is_what_the_files_say(method, device, base_dir):
    model, rounding = barely_trained(method, device, torch.bfloat16), Rounding()
    tensors = merged_tensors(model, torch.float32)
    with merged_weights(model, rounding):
        pass
    assert rounding.share == pytest.approx(lost_share(base_dir, tensors, "bfloat16"), rel=1e-3)
    assert rounding.share > 0.2
    unmerged = Rounding()
    with rollout_weights(model, unmerged):
        pass
    assert unmerged.share == 0, "beside the base nothing is rounded"


@pytest.mark.parametrize("method", ["lora", "adalora", "full", "sparse-random"])
def test_the_base_in_place_is_the_base_and_what_was_trained_comes_back(method, device):
    settings = settings_of(method, base_dtype="bfloat16")
    model = METHODS[method].attach(base_model(device), settings).eval()
    base, start = Base(model, torch.bfloat16), logits(model, device)
    with torch.no_grad():
        for parameter in (parameter for parameter in model.parameters() if parameter.requires_grad):
            parameter += 0.05 * torch.randn(parameter.shape, device=device)
    moved = logits(model, device)
    with base.in_place():
        assert torch.equal(logits(model, device), start)
    assert torch.equal(logits(model, device), moved) and not torch.equal(moved, start)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_the_sampler_records_the_log_probabilities_that_the_loss_would_compute(temperature, device):
    model, prompts = base_model(device, torch.float32), token_batch().to(device)
    with recorded_sampling(model, temperature) as recorded:
        drawn = model.generate(prompts, max_new_tokens=6, do_sample=True, temperature=temperature, top_k=0)
    table = (model(drawn).logits[:, prompts.shape[1] - 1 : -1].float() / temperature).log_softmax(-1)
    expected = table.gather(2, drawn[:, prompts.shape[1] :, None])[..., 0]
    alive = (drawn[:, prompts.shape[1] :] == model.generation_config.eos_token_id).cumsum(1) <= 1
    torch.testing.assert_close(recorded[0][alive], expected[alive], rtol=0, atol=1e-4)
