"""Additions of methods to the optimizer, the loss and the steps of a run."""

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from peft.tuners.adalora import AdaLoraLayer
from small_models import settings_of, small_model, token_batch
from trl import GRPOTrainer

from rlvr.adapters import rank_allocation
from rlvr.adapters.methods import METHODS
from rlvr.core.errors import InputError
from rlvr.train.manifest import fingerprint
from rlvr.train.trainer import Trainer

ADAPTERS = [name for name, method in METHODS.items() if method.tuner]
SPARSE = [name for name, method in METHODS.items() if method.family == "sparse"]
ADALORA = METHODS["adalora"]
RATE = 1e-2


def attached(method, **changes):
    torch.manual_seed(0)
    return METHODS[method].attach(small_model(), settings_of(method, **changes)).train()


def grpo_loss(model):
    """Dr. GRPO on one group of three completions with advantages 1, 0, -1, on-policy."""
    tokens = token_batch()
    scores = torch.log_softmax(model(tokens).logits[:, :-1], dim=-1).gather(-1, tokens[:, 1:, None]).squeeze(-1)
    ratio = (scores - scores.detach()).exp()
    return -(ratio * torch.tensor([[1.0], [0.0], [-1.0]])).sum() / ratio.numel()


def step(model, optimizer):
    grpo_loss(model).backward()
    optimizer.step()


def make_optimizer(model, method):
    arguments = {"lr": RATE, "betas": (0.9, 0.999), "eps": 1e-8}
    made = METHODS[method].make_optimizer(model, settings_of(method), torch.optim.AdamW, arguments)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return torch.optim.AdamW(trained, **arguments) if made is None else made


@pytest.mark.parametrize("method", [*ADAPTERS, *SPARSE])
def test_a_step_of_grpo_changes_the_adapter_and_only_the_adapter(method):
    model = attached(method)
    before, frozen = fingerprint(model), {n: p.clone() for n, p in model.named_parameters() if not p.requires_grad}
    with torch.no_grad():
        start = model(token_batch()).logits
    optimizer = make_optimizer(model, method)
    step(model, optimizer)
    after = fingerprint(model)
    assert after.base == before.base and after.adapter != before.adapter
    assert all(torch.equal(dict(model.named_parameters())[name], value) for name, value in frozen.items())
    with torch.no_grad():
        assert (model(token_batch()).logits - start).abs().max() > 1e-6


def test_lora_plus_moves_b_faster_than_a_by_its_ratio():
    model = attached("lora-plus")
    optimizer = make_optimizer(model, "lora-plus")
    assert [group["lr"] for group in optimizer.param_groups] == [RATE, 4 * RATE]
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for group, part in zip(optimizer.param_groups, ("lora_A", "lora_B"), strict=True):
        assert len(group["params"]) == 10 and all(part in names[id(parameter)] for parameter in group["params"])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter) if parameter.requires_grad else None
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    optimizer.step()
    moves = {name: (before[name] - value).max().item() for name, value in model.named_parameters()}
    assert {round(move / RATE, 3) for name, move in moves.items() if "lora_" in name} == {1.0, 4.0}


def test_lora_plus_keeps_the_weight_decay_of_the_run():
    settings = dataclasses.replace(settings_of("lora-plus"), weight_decay=0.125)
    made = METHODS["lora-plus"].make_optimizer(attached("lora-plus"), settings, torch.optim.AdamW, {"lr": RATE})
    assert {group["weight_decay"] for group in made.param_groups} == {0.125}


def trained_with_allocation(steps, total, model=None, first=1):
    """An AdaLoRA model after steps ``first`` .. ``steps`` of ``total``, its callback called as the trainer does."""
    model = model or attached("adalora")
    callback, optimizer = rank_allocation.Allocation(model, "run 'r'"), make_optimizer(model, "adalora")
    callback.on_train_begin(None, SimpleNamespace(max_steps=total), None)
    for done in range(first - 1, steps):
        model.zero_grad()
        (grpo_loss(model) + ADALORA.penalty(model)).backward()
        optimizer.step()
        callback.on_optimizer_step(None, SimpleNamespace(global_step=done), None)
    return model


def live_ranks(model):
    return [int((m.lora_E["default"] != 0).sum()) for m in model.modules() if isinstance(m, AdaLoraLayer)]


def test_adalora_falls_along_its_cubic_to_the_final_budget_and_stays_there():
    # 10 modules, rank 2 in the end, 3 at first; of 20 steps the first 2 and the last 6 keep the budget
    for steps in (2, 5, 9, 14, 17, 20):
        left = max(0.0, 1 - max(steps - 2, 0) / 12)
        ranks = live_ranks(trained_with_allocation(steps, 20))
        assert sum(ranks) == int(10 * left**3 + 20)
    assert len(set(ranks)) > 1, "every module kept the same rank: nothing was allocated"


def test_adalora_prunes_what_it_saves_and_loads_it_back(tmp_path):
    from peft import PeftModel

    model = trained_with_allocation(20, 20).eval()
    with torch.no_grad():
        expected = model(token_batch()).logits
    model.save_pretrained(tmp_path)
    loaded = PeftModel.from_pretrained(small_model(), tmp_path).eval()
    layers = [module for module in loaded.modules() if isinstance(module, AdaLoraLayer)]
    assert sum(layer.lora_A["default"].shape[0] for layer in layers) == 20
    with torch.no_grad():
        torch.testing.assert_close(loaded(token_batch()).logits, expected, rtol=0, atol=1e-6)


def test_adalora_resumes_with_the_importance_that_it_had(tmp_path):
    halfway = trained_with_allocation(8, 20)
    ADALORA.save_state(halfway, tmp_path)
    resumed = attached("adalora")
    assert ADALORA.load_state(resumed, tmp_path)
    assert fingerprint(resumed) == fingerprint(halfway)
    for name in ("ipt", "exp_avg_ipt", "exp_avg_unc"):
        saved, found = (getattr(model.base_model.rankallocator, name) for model in (halfway, resumed))
        assert saved.keys() == found.keys() and all(torch.equal(saved[key], found[key]) for key in saved)
    assert live_ranks(trained_with_allocation(9, 20, resumed, first=9)) == live_ranks(
        trained_with_allocation(9, 20, halfway, first=9)
    )


def test_adalora_needs_steps_to_allocate():
    with pytest.raises(InputError, match="run 'r': 1 steps are too few"):
        trained_with_allocation(1, 1)


def test_adalora_divisor_is_no_parameter_even_on_a_bfloat16_base():
    model = METHODS["adalora"].attach(small_model(dtype=torch.bfloat16), settings_of("adalora"))
    assert not any("ranknum" in name for name, _ in model.named_parameters())
    assert not any("ranknum" in name for name in model.state_dict())


def test_the_orthogonality_term_is_the_mean_distance_from_orthonormal_factors():
    model = attached("adalora")
    layers = [module for module in model.modules() if isinstance(module, AdaLoraLayer)]
    for layer in layers:
        for factor in (layer.lora_A["default"], layer.lora_B["default"].T):
            factor.data.copy_(torch.eye(*factor.shape))
    assert ADALORA.penalty(model) == 0
    layers[0].lora_A["default"].data *= 2  # A A^T - I = 3 I of size 3
    assert ADALORA.penalty(model).item() == pytest.approx(
        rank_allocation.ORTHOGONALITY * 3 * 3**0.5 / (2 * len(layers))
    )
    layers[0].lora_A["default"].grad = None
    ADALORA.penalty(model).backward()
    assert layers[0].lora_A["default"].grad.abs().sum() > 0


def test_the_penalty_is_counted_once_a_step_however_many_micro_batches(monkeypatch):
    model, trainer = attached("adalora"), object.__new__(Trainer)
    trainer.method, trainer.current_gradient_accumulation_steps = METHODS["adalora"], 4
    trainer.accelerator = SimpleNamespace(unwrap_model=lambda wrapped: wrapped)
    inputs = {"completion_mask": torch.ones(2, 3)}
    monkeypatch.setattr(GRPOTrainer, "compute_loss", lambda *_, **__: torch.tensor(1.0))
    measured = []
    monkeypatch.setattr(Trainer, "_measure_divergence", lambda _, batch: measured.append(batch))
    assert Trainer.loss_is_scaled_for_ga, "the base class would divide by the micro batches once more"
    added = sum((trainer.compute_loss(model, inputs) - 1).item() for _ in range(4))
    assert added == pytest.approx(ADALORA.penalty(model).item(), rel=1e-5)
    trainer.method = METHODS["lora"]
    assert trainer.compute_loss(model, inputs) == 1
    assert measured == [inputs] * 5
