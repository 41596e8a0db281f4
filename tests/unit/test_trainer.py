"""The protocol as TRL gets it, the reward, merging, metrics and checkpoints."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from small_models import settings_of, small_model, token_batch
from transformers import PreTrainedModel
from trl.trainer import utils

from rlvr.adapters.merging import merged_weights
from rlvr.adapters.methods import METHODS
from rlvr.core.errors import InputError
from rlvr.core.io import check_table
from rlvr.rewards.reward import total_reward
from rlvr.rewards.trl_reward import make_reward
from rlvr.tables import METRICS
from rlvr.train.divergence import Base
from rlvr.train.fused_head import fit_tiles, score_labelled_only, uses_triton
from rlvr.train.manifest import fingerprint
from rlvr.train.metrics import metrics_frame
from rlvr.train.trainer import same_trainable, trl_config


def config(tmp_path, method="lora", **changes):
    return trl_config(settings_of(method, **changes), tmp_path)


def test_protocol_of_the_paper(tmp_path):
    found = config(tmp_path)
    assert (found.num_generations, found.beta, found.loss_type, found.scale_rewards) == (8, 0.0, "dr_grpo", "none")
    assert (found.optim, found.weight_decay, found.num_train_epochs) == ("adamw_torch_fused", 0.0, 1)
    assert not found.bf16 and not found.fp16 and not found.gradient_checkpointing and found.use_cpu
    assert found.per_device_train_batch_size * found.gradient_accumulation_steps == 64
    assert found.logging_steps == 1 and found.report_to == [] and not found.use_vllm


@pytest.mark.parametrize(("completions", "accumulation"), [(64, 1), (256, 4)])
def test_one_generation_cycle_is_one_optimizer_step(tmp_path, completions, accumulation):
    # a resumed run repeats itself only if checkpoints fall on the borders of generation cycles
    found = config(tmp_path, completions_per_step=completions)
    assert found.gradient_accumulation_steps == found.steps_per_generation == accumulation
    assert found.generation_batch_size == completions and found.num_iterations == 1


def rates(tmp_path, schedule, steps=40):
    """Learning rates as the trainer's own scheduler gives them."""
    from transformers import get_scheduler

    found = config(tmp_path, schedule=schedule, learning_rate=1.0)
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=found.learning_rate)
    warmup, kwargs = found.get_warmup_steps(steps), found.lr_scheduler_kwargs or {}
    scheduler = get_scheduler(found.lr_scheduler_type, optimizer, warmup, steps, scheduler_specific_kwargs=kwargs)
    values = []
    for _ in range(steps):
        values.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return values


@pytest.mark.parametrize(("fraction", "steps"), [(0.0, 0), (0.1, 4), (0.11, 5), (0.999, 40), (1.0, 40)])
def test_the_warmup_is_a_share_of_all_steps_the_whole_of_them_too(tmp_path, fraction, steps):
    assert config(tmp_path, warmup_fraction=fraction).get_warmup_steps(40) == steps


def test_cosine_falls_from_the_peak_to_its_floor_after_the_warmup(tmp_path):
    values = rates(tmp_path, "cosine")
    assert values[0] == 0 and max(values) == values[4] == 1.0
    assert 0.15 < values[-1] < 0.16


def test_constant_keeps_the_peak_after_the_warmup(tmp_path):
    values = rates(tmp_path, "constant")
    assert values[0] == 0 and set(values[4:]) == {1.0}


def test_vllm_runs_in_the_training_processes_and_keeps_long_sequences(tmp_path):
    found = config(tmp_path, generation="vllm")
    assert found.use_vllm and found.vllm_mode == "colocate" and found.generation_kwargs is None
    assert found.vllm_importance_sampling_mode == "token_truncate" and found.vllm_max_model_length == 64 + 24


@pytest.mark.parametrize("method", METHODS)
def test_every_trained_weight_takes_part_in_every_pass(tmp_path, method):
    """Otherwise processes that share a run would have to look for those that do not, in every step."""
    assert config(tmp_path, method).ddp_find_unused_parameters is False
    model = METHODS[method].attach(small_model(), settings_of(method)).train()
    model(token_batch(), labels=token_batch()).loss.backward()
    assert not [name for name, each in model.named_parameters() if each.requires_grad and each.grad is None]


def test_reward_is_the_evaluations_grader():
    completions, gold = ["3</think>\\boxed{3}", "no", "4</think>\\boxed{4}"], ["3", "3", "5"]
    logged = {}
    rewards = make_reward("compact")(
        completions=completions, answer=gold, verifier=["math"] * 3, log_metric=logged.__setitem__, prompts=[""] * 3
    )
    expected = [total_reward(text, answer, "math", "compact") for text, answer in zip(completions, gold, strict=True)]
    assert rewards == [reward.total for reward in expected]
    assert rewards[0] > rewards[2] > rewards[1]
    assert logged["accuracy"] == pytest.approx(1 / 3)
    assert logged["format"] == pytest.approx(sum(reward.format for reward in expected) / 3)


def test_reward_of_the_settings_reads_lengths_and_records():
    settings = settings_of("lora", reward="signed", overlong_buffer_tokens=4)
    rewards = make_reward("compact", settings.reward_rule)(
        completions=["</think>\\boxed{3}"] * 2, answer=["3"] * 2, verifier=["math"] * 2, meta=["{}"] * 2,
        completion_ids=[[0] * 5, [0] * settings.max_completion_tokens], log_metric=lambda *_: None,
    )  # fmt: skip
    assert rewards == [1.0, 0.0]


def test_a_diverged_adapter_cannot_be_merged_and_leaves_the_base_alone():
    model = METHODS["lora"].attach(small_model(), settings_of("lora"))
    before = fingerprint(model).base
    next(parameter for parameter in model.parameters() if parameter.requires_grad).data.fill_(torch.nan)
    with pytest.raises(ValueError, match="NaN"), merged_weights(model):
        pass
    assert fingerprint(model).base == before


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.tuner])
def test_the_reference_is_the_model_with_its_adapter_off_which_unfreezes_nothing(method, tmp_path):
    assert config(tmp_path, method, kl_beta=0.1).beta == 0.0, "TRL would add a second adapter"
    model, tokens = METHODS[method].attach(small_model(), settings_of(method)).eval(), token_batch()
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    with torch.no_grad():
        for name in trained:
            model.get_parameter(name).add_(0.05 * torch.randn(model.get_parameter(name).shape))
        moved = model(tokens).logits
        with same_trainable(model), model.disable_adapter():
            assert torch.equal(model(tokens).logits, small_model()(tokens).logits)
        assert torch.equal(model(tokens).logits, moved) and not torch.equal(moved, small_model()(tokens).logits)
    assert {name for name, parameter in model.named_parameters() if parameter.requires_grad} == trained


@pytest.mark.parametrize("method", ["full", "sparse-union"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("trained", ["float32", "stored"])
def test_without_an_adapter_the_reference_is_the_weights_set_back(method, dtype, trained, tmp_path):
    assert config(tmp_path, method, kl_beta=0.1).beta == 0.0, "TRL would hold a second model"
    settings, tokens = (
        settings_of(method, base_dtype=str(dtype).removeprefix("torch."), trained_dtype=trained),
        token_batch(),
    )
    model = METHODS[method].attach(small_model(dtype=dtype), settings).eval()
    base = Base(model, dtype)
    with torch.no_grad():
        start = model(tokens).logits
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05 * torch.randn(parameter.shape))
        moved, state = model(tokens).logits, {name: tensor.clone() for name, tensor in model.state_dict().items()}
        with base.in_place():
            assert torch.equal(model(tokens).logits, start)
        with pytest.raises(RuntimeError, match="inside"), base.in_place():
            raise RuntimeError("inside")
    assert torch.equal(model(tokens).logits, moved) and not torch.equal(moved, start)
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


LOGGED = {
    "reward": 1.0, "accuracy": 0.5, "format": 0.5, "entropy": 0.3, "grad_norm": 0.1, "learning_rate": 0.0,
    "completions/mean_length": 12.0, "completions/clipped_ratio": 0.0, "frac_reward_zero_std": 0.25, "step_time": 0.2,
}  # fmt: skip


def test_metrics_are_the_logged_steps_and_nothing_else():
    history = [{**LOGGED, "step": 1, "loss": 0.0}, {**LOGGED, "step": 2}, {"train_runtime": 3.0, "step": 2}]
    frame = check_table(metrics_frame(history, "r"), "metrics", METRICS)
    assert frame["step"].tolist() == [1, 2] and set(frame["run_id"]) == {"r"}
    assert frame["kl"].isna().all() and frame["zero_std_share"].tolist() == [0.25, 0.25]


def test_metrics_of_an_older_run_lack_what_it_did_not_log():
    frame = metrics_frame([{**LOGGED, "step": 1}], "r").drop(columns=["kl_rollout", "ratio_clipped_share"])
    read = check_table(frame, "metrics", METRICS)
    assert read[["kl_rollout", "ratio_clipped_share"]].isna().all(axis=None)
    with pytest.raises(InputError, match="entropy_of_tokens"):
        check_table(frame.assign(entropy_of_tokens=1.0), "metrics", METRICS)


def test_processes_of_a_run_draw_from_streams_that_no_run_of_another_seed_has(monkeypatch):
    from rlvr.train.sharding import process_seed

    seeds = {}
    for rank in range(4):
        monkeypatch.setenv("RANK", str(rank))
        seeds |= {(seed, rank): process_seed(seed) for seed in (42, 43, 44, 45)}
    assert [seeds[seed, 0] for seed in (42, 43, 44)] == [42, 43, 44]
    assert len(set(seeds.values())) == len(seeds)


def test_a_model_that_is_made_on_the_way_changes_nothing_that_is_drawn_later():
    import random

    import numpy as np
    from accelerate.utils import set_seed

    from rlvr.train.sharding import untouched_randomness

    def draws():
        return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002

    set_seed(3)
    undisturbed = draws(), draws()
    set_seed(3)
    first = draws()
    with untouched_randomness():
        set_seed(42)
        draws()
    assert (first, draws()) == undisturbed


def scored(model, columns):
    """Log-probabilities, entropies and the gradient of a trained model, with tiles of so many columns."""
    utils._CHUNKED_LOGPROB_CHUNK_SIZE = columns
    ids = token_batch()
    model.zero_grad()
    found = model(ids, labels=ids, fused_lm_head=True)
    (found.log_probs.sum() + 0.1 * found.log_probs.square().sum()).backward()
    return found.log_probs, found.entropy, *(each.grad for each in model.parameters())


def test_tiles_of_the_vocabularys_width_change_no_number(monkeypatch):
    monkeypatch.setattr(utils, "_CHUNKED_LOGPROB_CHUNK_SIZE", 2**15)
    model, vocabulary = small_model(), small_model().config.vocab_size
    utils.add_fused_lm_head(model, outputs=("log_probs", "entropy"))
    wide = scored(model, 2**15)
    fit_tiles(vocabulary)
    assert vocabulary == utils._CHUNKED_LOGPROB_CHUNK_SIZE
    assert all(torch.equal(one, other) for one, other in zip(wide, scored(model, vocabulary), strict=True))
    fit_tiles(2**17)
    assert vocabulary == utils._CHUNKED_LOGPROB_CHUNK_SIZE, "tiles never grow"


def completions_scored(model: PreTrainedModel, seen: list[int]) -> list[torch.Tensor]:
    """Log-probabilities, entropies and gradients where the first tokens and one of the last have no label."""
    tokens = token_batch()
    labels = tokens.clone()
    labels[:, :3] = labels[0, -1] = -100
    apply = utils._ChunkedLogProbFunction.apply

    def counted(hidden: torch.Tensor, *rest: Any) -> Any:
        seen.append(len(hidden))
        return apply(hidden, *rest)

    model.zero_grad()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "_ChunkedLogProbFunction", SimpleNamespace(apply=counted))
        found = model(tokens, labels=labels, fused_lm_head=True)
    (found.log_probs.sum() + 0.1 * found.log_probs.square().sum()).backward()
    return [found.log_probs, found.entropy, *(each.grad for each in model.parameters())]


def test_the_head_sees_scored_tokens_only_and_finds_the_numbers_of_all(monkeypatch):
    monkeypatch.setattr(utils, "_use_triton", uses_triton)
    model, seen = small_model(), []
    utils.add_fused_lm_head(model, outputs=("log_probs", "entropy"))
    everywhere = completions_scored(model, seen)
    score_labelled_only()
    labelled = completions_scored(model, seen)
    rows, length = token_batch().shape
    assert seen == [rows * (length - 1), rows * (length - 3) - 1]
    for one, other in zip(everywhere, labelled, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)


def test_a_batch_without_a_scored_token_has_a_gradient_of_zero(monkeypatch):
    monkeypatch.setattr(utils, "_use_triton", uses_triton)
    score_labelled_only()
    model, tokens = small_model(), token_batch()
    utils.add_fused_lm_head(model)
    found = model(tokens, labels=torch.full_like(tokens, -100), fused_lm_head=True)
    found.log_probs.sum().backward()
    assert all(not each.grad.any() for each in model.parameters() if each.grad is not None)
