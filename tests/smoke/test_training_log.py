"""What a run logs of its tokens, against slow code: one sequence at a time, no padding, a base of its own."""

from collections import defaultdict

import pandas as pd
import pytest
import torch
from small_models import settings_of
from small_runs import length_reward, train, weights_of, write_inputs
from transformers import AutoModelForCausalLM

from rlvr.core.io import read_json, read_table, write_json
from rlvr.tables import METRICS
from rlvr.train.trainer import Trainer

LOGGED = ["kl", "kl_rollout", "entropy", "ratio_clipped_share", "zero_std_share"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Folder with a random base and training problems."""
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(autouse=True)
def rewards_that_differ(monkeypatch):
    monkeypatch.setattr("rlvr.train.trainer.make_reward", lambda *_: length_reward)


@pytest.fixture
def spec(tmp_path):
    """Writes the spec of a run that moves at once, two updates per generation, 16 completions a step."""

    def write(method, **changes):
        size = {"completions_per_step": 16, "micro_batch_completions": 4, "updates_per_generation": 2, "max_steps": 4}
        short = {"run_id": method, "max_completion_tokens": 12, "warmup_fraction": 0.0, "learning_rate": 0.05}
        short |= {"clip_epsilon": 0.01, "clip_epsilon_high": 0.02}
        path = tmp_path / f"{method}-{len(list(tmp_path.iterdir()))}.json"
        write_json(settings_of(method).to_json() | size | short | changes, path)
        return path

    return write


def logps(model, prompt, tokens, temperature):
    """Log-probabilities over the vocabulary before every token of a completion, by a pass over it alone."""
    with torch.no_grad():
        logits = model(torch.cat([prompt, tokens])[None]).logits[0, len(prompt) - 1 : -1]
    return (logits.double() / temperature).log_softmax(-1)


def rows_of(batch):
    """Prompt, completion and sampler's log-probabilities of every sequence, without padding, and its place."""
    for row in range(len(batch["completion_ids"])):
        prompt = batch["prompt_ids"][row][batch["prompt_mask"][row].bool()]
        kept = batch["completion_mask"][row].bool()
        yield row, prompt, batch["completion_ids"][row][kept], batch["sampling_per_token_logps"][row][kept]


def slow_terms(model, base, batch, settings):
    """What every token of a micro batch contributes to the logged means, as lists by column."""
    found = defaultdict(list)
    for row, prompt, tokens, sampled in rows_of(batch):
        now, before = (logps(each, prompt, tokens, settings.temperature) for each in (model, base))
        own, reference = (table.gather(1, tokens[:, None])[:, 0] for table in (now, before))
        found["entropy"] += (-(now.exp() * now).sum(1)).tolist()
        found["kl"] += ((reference - own).exp() - 1 - (reference - own)).tolist()
        found["kl_rollout"] += ((own - sampled).exp() - 1 - (own - sampled)).tolist()
        ratio, advantage = (own - batch["old_per_token_logps"][row][: len(tokens)]).exp(), batch["advantages"][row]
        low, high = ratio < 1 - settings.clip_epsilon, ratio > 1 + settings.clip_epsilon_high
        found["ratio_clipped_share"] += (low if advantage < 0 else high & (advantage > 0)).double().tolist()
    return found


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("lora", {}),
        ("lora", {"micro_batch_completions": 16, "temperature": 0.7}),
        ("full", {}),
        ("full", {"kl_beta": 0.1}),
    ],
)
def test_the_log_is_that_of_slow_code(method, changes, spec, inputs, tmp_path, monkeypatch):
    base = AutoModelForCausalLM.from_pretrained(inputs / "base", dtype=torch.float32).eval()
    terms, measure = defaultdict(lambda: defaultdict(list)), Trainer._measure_divergence

    def watch(self, batch):
        for name, values in slow_terms(self.accelerator.unwrap_model(self.model), base, batch, self.run).items():
            terms[self.state.global_step + 1][name] += values
        measure(self, batch)

    monkeypatch.setattr(Trainer, "_measure_divergence", watch)
    train(spec(method, **changes), inputs, tmp_path / "run")
    log = read_table(tmp_path / "run/metrics.parquet", METRICS).set_index("step")
    slow = pd.DataFrame({step: {name: sum(v) / len(v) for name, v in found.items()} for step, found in terms.items()}).T
    for name in slow:
        assert log[name].tolist() == pytest.approx(slow[name].tolist(), rel=2e-3, abs=1e-9), name
    assert log.loc[1, "kl"] == 0 < log.loc[4, "kl"]
    assert log.loc[1, "kl_rollout"] < 1e-9 < log.loc[2, "kl_rollout"], "the second update is off the policy"
    assert log.loc[2, "ratio_clipped_share"] > 0


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("lora", {"base_dtype": "bfloat16"}),
        ("adalora", {"rank": 4, "alpha": 8.0}),
        ("lora", {"dropout": 0.2}),
        ("full", {"base_dtype": "bfloat16", "gradient_checkpointing": True}),
        ("sparse-union", {"weight_decay": 0.1}),
    ],
)
def test_logging_moves_no_bit_of_the_training(method, changes, spec, inputs, tmp_path):
    found = {}
    for every in (0, 1, 2):
        train(spec(method, base_kl_every=every, **changes), inputs, tmp_path / str(every))
        log = read_table(tmp_path / str(every) / "metrics.parquet", METRICS).drop(columns="seconds")
        assert log["kl"].notna().tolist() == {0: [False] * 4, 1: [True] * 4, 2: [True, True, False, False]}[every]
        assert log[[name for name in LOGGED if name != "kl"]].notna().all(axis=None)
        lost = read_json(tmp_path / str(every) / "run.json")["rollout_lost_share"]
        assert lost["last"] == log["rollout_lost_share"].iloc[-1] < 1e-3, "rollouts of what was trained"
        found[every] = (weights_of(tmp_path / str(every)), log.drop(columns="kl").to_dict("records"))
    assert found[0] == found[1] == found[2]
