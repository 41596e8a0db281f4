"""Whole training runs on a random base: every method, what they write, and resuming bit for bit."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
import transformers
from peft import PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors.torch import load_file
from small_models import settings_of
from small_runs import STEPS, length_reward, train, weights_of, write_inputs
from transformers import AutoModelForCausalLM

from rlvr.adapters.masking import trained_masks
from rlvr.adapters.methods import METHODS
from rlvr.bases.loading import load_tokenizer
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, read_table, sha256_file, write_json
from rlvr.core.provenance import LIBRARY
from rlvr.evaluate.sampling import SamplingSettings, load_engine
from rlvr.prompts import render_prompt
from rlvr.tables import METRICS
from rlvr.train.manifest import InvalidRun
from rlvr.train.metrics import ProgressLines
from rlvr.train.run import attach_adapter, train_run
from rlvr.train.trainer import Trainer
from rlvr.weights.decompositions import decompose_base
from rlvr.weights.updates import iterate_updates, tuned_state_dict

ROOT = Path(__file__).resolve().parents[2]
PROJECTIONS = [f"model.layers.0.self_attn.{name}_proj" for name in "qkvo"]
PROJECTIONS += [f"model.layers.0.mlp.{name}_proj" for name in ("gate", "up", "down")]
NORMS = ["input_layernorm", "post_attention_layernorm", "self_attn.q_norm", "self_attn.k_norm"]
NORMS = [*(f"model.layers.0.{name}" for name in NORMS), "model.norm"]
# A checkpoint of PEFT's, one of a bare model, and those with state of our own: allocator, groups, start, tuner, masks.
# QuanTA's is that of the killed process; that every adapter survives its file is a unit test.
RESUMED = ("lora", "full", "adalora", "lora-plus", "pissa", "mora", "sparse-union")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Folder with a random base and training problems for ``STEPS`` steps."""
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture
def spec(tmp_path):
    """Writes the spec of a method's run on the random base and returns its path."""

    def write(method, **changes):
        short = {"run_id": method, "checkpoint_every_steps": 2, "max_completion_tokens": 12}
        write_json(settings_of(method).to_json() | short | changes, tmp_path / f"{method}.json")
        return tmp_path / f"{method}.json"

    return write


class OneStep(ProgressLines):
    """Ends training after the first step, the schedule staying that of a whole run."""

    def on_step_end(self, args, state, control, **_):
        control.should_training_stop = True


@pytest.fixture
def watched(monkeypatch):
    """Lets ``train_run`` take one step; returns the model's start and, after the run, the model itself."""
    seen = {}

    def watch(*given):
        seen["model"] = attach_adapter(*given)
        seen["start"] = {name: tensor.clone() for name, tensor in seen["model"].state_dict().items()}
        return seen["model"]

    monkeypatch.setattr("rlvr.train.run.attach_adapter", watch)
    monkeypatch.setattr("rlvr.train.trainer.ProgressLines", OneStep)
    monkeypatch.setattr("rlvr.train.run.check_steps", lambda *_: None)
    monkeypatch.setattr("rlvr.train.trainer.make_reward", lambda *_: length_reward)
    return seen


def adapted_modules(method):
    """Names of what a method adapts in the one layer of the base, on the widest target set; not from the model."""
    if method == "full":
        return {*PROJECTIONS, *NORMS, "model.embed_tokens"}
    if method == "ln-tuning":
        return set(NORMS)
    return set(PROJECTIONS)


@pytest.mark.parametrize("method", METHODS)
def test_a_step_of_every_method_changes_the_adapter_and_only_the_adapter(method, spec, inputs, tmp_path, watched):
    large = {"gradient_checkpointing": True, "kl_beta": 0.1}  # what runs at full size may ask for
    widest = {"target_modules": "all_linear"} if "target_modules" in METHODS[method].takes else {}
    path = spec(method, warmup_fraction=0.0, completions_per_step=16, micro_batch_completions=16, **large, **widest)
    manifest = train(path, inputs, tmp_path)
    assert manifest["steps"] == 1
    assert (manifest["moved_share"] is None) == bool(METHODS[method].tuner)
    assert read_table(tmp_path / "metrics.parquet", METRICS)["kl"].item() < 1e-6
    model, start = watched["model"], watched["start"]
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, start[name])}
    assert changed <= trained | {"lm_head.weight"}  # tied to the embedding
    for name, mask in trained_masks(model).items():
        before, after = start[name], model.state_dict()[name]
        assert torch.equal(before[~mask], after[~mask]) and not torch.equal(before[mask], after[mask])
    expected = adapted_modules(method)
    assert {row["module"] for row in manifest["trainable_modules"]} == expected
    assert all(any(f"{module}." in name for name in changed) for module in expected)
    weights = {"adapter"} if METHODS[method].tuner else {"model"}
    weights |= {"model"} if METHODS[method].exports else set()
    shown = {path.name for path in tmp_path.iterdir() if not path.name.startswith(".") and path.suffix != ".json"}
    assert shown == {*weights, "metrics.parquet"}
    written = {update.module for update in iterate_updates(inputs / "base", tmp_path) if update.dense().norm() > 0}
    assert written == expected & set(PROJECTIONS)


@pytest.mark.parametrize("method", RESUMED)
def test_a_run_is_the_same_after_an_interruption(method, spec, inputs, tmp_path, monkeypatch):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    manifest = train(spec(method), inputs, whole)
    assert manifest["steps"] == STEPS and manifest["resumed_from_step"] is None
    assert str(tmp_path) not in (whole / "run.json").read_text()
    metrics = read_table(whole / "metrics.parquet", METRICS)
    assert metrics["step"].tolist() == list(range(1, STEPS + 1))
    assert metrics["learning_rate"].max() == pytest.approx(read_json(spec(method))["learning_rate"], rel=0.1)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        step = Trainer.training_step
        patch.setattr(Trainer, "training_step", lambda self, *given: stop_at(4, self, step, given))
        train(spec(method), inputs, broken)
    assert not (broken / "run.json").exists()
    resumed = train(spec(method), inputs, broken)
    assert resumed["resumed_from_step"] == 4
    assert resumed["sha256"] == manifest["sha256"]
    assert weights_of(broken) == weights_of(whole)
    again = read_table(broken / "metrics.parquet", METRICS)
    pd.testing.assert_frame_equal(again.drop(columns="seconds"), metrics.drop(columns="seconds"))


@pytest.mark.parametrize(("method", "changes"), [("adalora", {"rank": 4, "alpha": 8.0}), ("ia3", {})])
def test_an_exported_run_is_evaluated_with_its_adapter(method, changes, spec, inputs, tmp_path):
    config = train(spec(method, **changes), inputs, tmp_path / "run")["peft_config"]
    if method == "adalora":
        ranks = [sum(kept) for kept in config["rank_pattern"].values()]
        assert sum(ranks) == config["target_r"] * len(ranks) and len(set(ranks)) > 1
    base = AutoModelForCausalLM.from_pretrained(inputs / "base", dtype=torch.float32).eval()
    adapted = PeftModel.from_pretrained(base, tmp_path / "run/adapter").eval()
    bare = AutoModelForCausalLM.from_pretrained(inputs / "base", dtype=torch.float32).eval()
    tokens = torch.arange(12).view(2, 6)
    with torch.no_grad():
        start = bare(tokens).logits
        bare.load_state_dict(tuned_state_dict(inputs / "base", tmp_path / "run"), strict=True)
        tuned = bare(tokens).logits
        torch.testing.assert_close(tuned, adapted(tokens).logits, rtol=0, atol=1e-5)
    assert (tuned - start).abs().max() > 1e-3


def test_a_start_from_a_stored_decomposition_is_measured_against_the_base(spec, inputs, tmp_path):
    path = tmp_path / "triples/triples.safetensors"
    decompose_base(inputs / "base", 4, "exact", path)
    train_run(spec("pissa", kl_beta=0.1), inputs / "base", inputs / "train.parquet", tmp_path / "run", path)
    assert read_json(tmp_path / "run/run.json")["inputs"]["decomposition_sha256"] == sha256_file(path)
    kl = read_table(tmp_path / "run/metrics.parquet", METRICS)["kl"]
    assert kl.iloc[0] < 1e-6 < kl.iloc[-1]


def stop_at(steps, trainer, step, given):
    if trainer.state.global_step == steps:
        raise KeyboardInterrupt
    return step(trainer, *given)


def test_a_killed_process_resumes_to_the_same_weights_bit_for_bit(spec, inputs, tmp_path):
    path, killed = spec("quanta", epochs=3), tmp_path / "killed"
    command = [sys.executable, "-m", "rlvr.train", "--spec", path, "--base", inputs / "base"]
    command += ["--train", inputs / "train.parquet", "--out", killed]
    env = {**os.environ, "PYTHONPATH": str(LIBRARY), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
    deadline = time.monotonic() + 120
    while not (killed / "checkpoints/checkpoint-2/seal.json").exists():
        assert process.poll() is None and time.monotonic() < deadline, process.stderr.read().decode()
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL and not (killed / "run.json").exists()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    assert "resuming from checkpoint-" in done.stdout and f"step {3 * STEPS}/{3 * STEPS}" in done.stdout
    manifest = train(path, inputs, tmp_path / "whole")
    resumed = read_json(killed / "run.json")
    assert 2 <= resumed["resumed_from_step"] < 3 * STEPS and resumed["sha256"] == manifest["sha256"]
    assert weights_of(killed) == weights_of(tmp_path / "whole")


def test_a_kill_between_the_last_step_and_the_manifest_costs_no_training(spec, inputs, tmp_path, monkeypatch):
    path, out = spec("lora"), tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("rlvr.train.run.manifest", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        train(path, inputs, out)
    manifest = train(path, inputs, out)
    assert manifest["resumed_from_step"] == STEPS
    assert manifest["sha256"] == train(path, inputs, tmp_path / "whole")["sha256"]


def test_a_kill_while_checkpoints_are_removed_costs_no_training(spec, inputs, tmp_path, monkeypatch, capsys):
    path, out = spec("lora"), tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("rlvr.train.run.discard_all", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        train(path, inputs, out)
    (newest,) = (out / "checkpoints").glob("checkpoint-*")
    next(newest.glob("*.safetensors")).unlink()  # half removed
    manifest = read_json(out / "run.json")
    for name in ("run.json", "metrics.parquet"):  # what Snakemake does before it starts a job again
        (out / name).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "training_step", lambda *_: pytest.fail("trained again"))
        assert train(path, inputs, out) == manifest
    assert "nothing to train" in capsys.readouterr().out and not (out / "checkpoints").exists()
    changed = train(spec("lora", learning_rate=1e-3), inputs, out)
    assert changed["sha256"] != manifest["sha256"]


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(spec, inputs, tmp_path, monkeypatch, capsys):
    path, out, step = spec("lora", epochs=3), tmp_path / "run", Trainer.training_step
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("rlvr.train.checkpoints.discard", lambda _: None)  # a kill before the older one is removed
        patch.setattr(Trainer, "training_step", lambda self, *given: stop_at(5, self, step, given))
        train(path, inputs, out)
    content = bytearray((weights := out / "checkpoints/checkpoint-4/adapter_model.safetensors").read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    manifest = train(path, inputs, out)
    assert manifest["resumed_from_step"] == 2 and "adapter_model.safetensors' has changed" in capsys.readouterr().out
    assert manifest["sha256"] == train(path, inputs, tmp_path / "whole")["sha256"]


@pytest.mark.parametrize("stop", [4, 6, 8])  # of 9 steps: within the second epoch, behind it, within the third
def test_a_run_that_stops_in_a_later_epoch_goes_on_with_that_epochs_order(
    stop, spec, inputs, tmp_path, monkeypatch, seen_prompts
):
    path = spec("lora", epochs=3, max_steps=0, completions_per_step=128, micro_batch_completions=128)
    manifest, steps = train(path, inputs, tmp_path / "whole"), 3 * STEPS // 2
    whole = list(seen_prompts)
    assert manifest["steps"] == steps == len(whole) and whole[0] != whole[STEPS // 2]
    seen_prompts.clear()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        step = Trainer.training_step
        patch.setattr(Trainer, "training_step", lambda self, *given: stop_at(stop, self, step, given))
        train(path, inputs, tmp_path / "broken")
    seen_prompts.clear()
    resumed = train(path, inputs, tmp_path / "broken")
    assert resumed["resumed_from_step"] == stop and seen_prompts == whole[stop:]
    assert resumed["sha256"] == manifest["sha256"]


@pytest.fixture
def seen_prompts(monkeypatch):
    """The prompts of every generation, in order; rewards by length, so that every step moves the weights."""
    seen = []

    def reward(prompts, **given):
        seen.append(prompts)
        return length_reward(**given)

    monkeypatch.setattr("rlvr.train.trainer.make_reward", lambda *_: reward)
    return seen


def test_checkpoints_of_other_settings_are_thrown_away(spec, inputs, tmp_path, monkeypatch):
    out, step = tmp_path / "run", Trainer.training_step
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "training_step", lambda self, *given: stop_at(4, self, step, given))
        train(spec("lora", learning_rate=1e-3), inputs, out)
    assert (out / "checkpoints/checkpoint-4").exists()
    manifest = train(spec("lora"), inputs, out)
    assert manifest["resumed_from_step"] is None and manifest["settings"]["learning_rate"] == 1e-2


def test_batches_above_one_pass_accumulate(spec, inputs, tmp_path):
    manifest = train(spec("lora", completions_per_step=128), inputs, tmp_path / "run")
    assert manifest["steps"] == STEPS // 2 and manifest["prompts_per_step"] == 16


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rannk": 1}, r"lora\.json: unknown key 'rannk'"),
        ({"devices": 1}, "there is no GPU"),
        ({"max_prompt_tokens": 5}, r"train\.parquet, problem 'p0': its prompt has .* max_prompt_tokens is 5"),
        ({"template": "unknown"}, "template 'unknown'"),
    ],
)
def test_unusable_settings_stop_before_training(changes, message, spec, inputs, tmp_path):
    if "devices" in changes and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(InputError, match=message):
        train(spec("lora", **changes), inputs, tmp_path / "run")


def changed_base(inputs, folder, name, **settings):
    """A copy of the base with other settings in one of its JSON files."""
    folder.mkdir()
    for path in (inputs / "base").iterdir():
        os.link(path, folder / path.name)
    content = json.loads((folder / name).read_text()) if (folder / name).exists() else {}
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_text(json.dumps(content | settings))
    return folder


def test_a_base_without_pad_token_is_refused(spec, inputs, tmp_path):
    base = changed_base(inputs, tmp_path / "base", "tokenizer_config.json", pad_token=None)
    with pytest.raises(InputError, match=r"tokenizer_config\.json: .*pad"):
        train_run(spec("lora"), base, inputs / "train.parquet", tmp_path / "run")


def test_a_base_that_pads_with_its_end_token_trains_and_samples_as_one_with_its_own(
    spec, inputs, tmp_path, seen_prompts
):
    end = load_tokenizer(inputs / "base").eos_token
    padded = changed_base(inputs, tmp_path / "base", "tokenizer_config.json", pad_token=end)
    assert load_tokenizer(padded).pad_token_id == load_tokenizer(padded).eos_token_id
    protocol = SamplingSettings(
        samples_per_problem=8, temperature=1.0, top_p=1.0, max_completion_tokens=12, batch_completions=16, seed=0,
        template="compact",
    )  # fmt: skip
    found = []
    for base, out in ((inputs / "base", tmp_path / "own"), (padded, tmp_path / "end")):
        train_run(spec("lora"), base, inputs / "train.parquet", out)
        # TRL takes a completion that is cut behind a drawn pad token, which a random base may draw, for an ended one
        metrics = read_table(out / "metrics.parquet", METRICS).drop(columns=["seconds", "clipped_share"])
        prompts = [render_prompt(question, "compact") for question in ("Last digit of 17?", "1" * 30)]
        drawn = load_engine(base, out, protocol).generate(prompts, protocol, 3)
        found.append((weights_of(out), metrics.to_dict("records"), drawn))
    assert repr(found[0]) == repr(found[1])
    assert {one.finish_reason for row in found[0][2] for one in row} == {"stop", "length"}, "both kinds of ends"


def constant_reward(completions, log_metric, **_):
    """A reward whose mean of eight is another number in float32."""
    log_metric("accuracy", 0.0)
    log_metric("format", 0.0)
    return [0.15] * len(completions)


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        ("lora", {}),
        ("lora", {"scale_rewards": "group"}),
        ("lora", {"scale_rewards": "batch", "weight_decay": 0.1}),
        ("full", {"weight_decay": 0.1}),
        ("adalora", {"rank": 4, "alpha": 8.0}),  # has a penalty that moves it all the same
    ],
)
def test_a_run_on_equal_rewards_is_invalid_whatever_else_moves_it(method, changes, spec, inputs, tmp_path, monkeypatch):
    monkeypatch.setattr("rlvr.train.trainer.make_reward", lambda *_: constant_reward)
    with pytest.raises(InvalidRun, match=rf"in all {STEPS} steps every group of 8 completions had equal rewards"):
        train(spec(method, **changes), inputs, tmp_path / "run")
    assert not (tmp_path / "run/run.json").exists()


@pytest.mark.parametrize("scaled", ["none", "group", "batch"])
def test_equal_rewards_carry_no_advantage_and_are_counted_where_others_differ(
    scaled, spec, inputs, tmp_path, monkeypatch
):
    kept = []

    def half(prompts, completions, log_metric, **_):
        rewards = constant_reward(completions, log_metric)
        return [index % 8 / 7 if index // 8 % 2 else value for index, value in enumerate(rewards)]

    def keep(self, *given, **named):
        kept.append(score(self, *given, **named))
        return kept[-1]

    score = Trainer._generate_and_score_completions
    monkeypatch.setattr(Trainer, "_generate_and_score_completions", keep)
    monkeypatch.setattr("rlvr.train.trainer.make_reward", lambda *_: half)
    train(spec("lora", scale_rewards=scaled), inputs, tmp_path / "run")
    shares = read_table(tmp_path / "run/metrics.parquet", METRICS)["zero_std_share"]
    assert shares.tolist() == [0.5] * STEPS and len(kept) == STEPS
    groups = kept[0]["advantages"].view(-1, 8)
    constant = (groups == 0).all(dim=1)
    assert constant.sum() == len(groups) // 2 and groups[~constant].std(dim=1).min() > 0.1


def test_what_is_logged_per_token_does_not_depend_on_micro_batches(spec, inputs, tmp_path, watched):
    base, rows = ROOT / "data/bases/qwen3-8b", []  # of a random one, every token is as uncertain as any other
    for size in (64, 16, 2):
        changes = {"micro_batch_completions": size, "max_completion_tokens": 24, "warmup_fraction": 0.0}
        train_run(spec("lora", **changes), base, inputs / "train.parquet", tmp_path / str(size))
        rows.append(read_table(tmp_path / str(size) / "metrics.parquet", METRICS).iloc[0])
    for row in rows[1:]:
        assert row["entropy"] == pytest.approx(rows[0]["entropy"], rel=1e-5)
        assert row["completion_length"] == rows[0]["completion_length"]
    assert rows[0]["completion_length"] < 24, "completions of one length: every mean of means would do"


@pytest.mark.parametrize(("method", "changes"), [("full", {}), ("sparse-union", {}), ("ia3", {})])
def test_a_written_model_generates_as_its_base(method, changes, spec, inputs, tmp_path, seen_prompts):
    released = {"eos_token_id": [1, 2], "temperature": 0.6, "do_sample": True, "pad_token_id": 0}
    base = changed_base(inputs, tmp_path / "base", "generation_config.json", **released)
    large = {"gradient_checkpointing": True, "base_dtype": "bfloat16", **changes}
    train_run(spec(method, **large), base, inputs / "train.parquet", tmp_path / "run")
    written = tmp_path / "run/model"
    assert read_json(base / "config.json")["use_cache"] and read_json(written / "config.json")["use_cache"]
    assert read_json(written / "generation_config.json") == read_json(base / "generation_config.json")
    stored = {tensor.dtype for tensor in load_file(written / "model.safetensors").values()}
    assert read_json(written / "config.json")["dtype"] == "float32" and torch.float32 in stored
    assert AutoModelForCausalLM.from_pretrained(written, dtype="auto").dtype == torch.float32


@pytest.mark.parametrize("method", ["lora", "dora", "ia3", "ln-tuning"])
def test_rollouts_on_a_bfloat16_base_are_of_the_adapter_beside_it(
    method, spec, inputs, tmp_path, monkeypatch, seen_prompts
):
    merged = []
    merge = BaseTunerLayer.merged.fget
    generate = transformers.GenerationMixin.generate

    def watch(self, *given, **named):
        layers = [module for module in self.modules() if isinstance(module, BaseTunerLayer)]
        merged.append((len(layers), any(merge(layer) for layer in layers)))
        return generate(self, *given, **named)

    monkeypatch.setattr(transformers.GenerationMixin, "generate", watch)
    precision = {"base_dtype": "bfloat16", "mixed_precision": "bf16"}
    train(spec(method, **precision), inputs, tmp_path / "narrow")
    assert len(merged) == STEPS and all(layers and not one for layers, one in merged)
    merged.clear()
    train(spec(method), inputs, tmp_path / "wide")
    assert len(merged) == STEPS and all(one for _, one in merged)
