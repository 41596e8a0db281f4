"""Keys of a recipe act: several updates per generation, clip-higher, dropout, a number of steps."""

import pandas as pd
import pytest
import torch
from bound_rows import bind_row
from transformers import AutoModelForCausalLM, Qwen3Config

from rlvr.bases.loading import load_base, load_tokenizer
from rlvr.bases.tokenizer import build_tokenizer
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, read_table, write_json, write_table
from rlvr.core.seals import run_digests
from rlvr.prompts import render_prompt
from rlvr.tables import METRICS, PROBLEMS
from rlvr.train.keeping import make_kept_run
from rlvr.train.run import train_run
from rlvr.train.stopping import RunStopped, StopWhenAsked

PROBLEM_COUNT = 32
NUMBERS = [number for number in range(111, 999) if "0" not in str(number)][:PROBLEM_COUNT]
ROW = {
    "run_id": "r", "model": "m", "dataset": "d", "method": "lora", "seed": 42, "rank": 32, "alpha": 64,
    "target_modules": "all_linear", "completions_per_step": 16,
}  # fmt: skip


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Folder with a random base and problems."""
    folder = tmp_path_factory.mktemp("inputs")
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(folder / "base")
    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 1, "head_dim": 16}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    tokens = {name: getattr(tokenizer, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
    config = Qwen3Config(vocab_size=len(tokenizer), tie_word_embeddings=True, **sizes, **heads, **tokens)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder / "base")
    problems = [
        {"problem_id": f"p{i}", "dataset": "d", "question": f"Last digit of {number}?", "answer": str(number % 10)}
        | {"verifier": "math", "difficulty": 9.0, "topic": None, "meta": "{}", "solution": str(number)}
        for i, number in enumerate(NUMBERS)
    ]
    write_table(pd.DataFrame(problems), folder / "train.parquet", PROBLEMS)
    return folder


def stop_once_behind(step, monkeypatch):
    """The next run that comes to this step is asked to stop there; later ones are not."""
    on_step_end, stopped = StopWhenAsked.on_step_end, []

    def stop_once(self, args, state, control, **_):
        if state.global_step == step and not stopped:
            stopped.append(True)
            self.asked = True
        return on_step_end(self, args, state, control)

    monkeypatch.setattr(StopWhenAsked, "on_step_end", stop_once)


def length_reward(completions, log_metric, **_):
    """A reward in which the completions of a group differ, whatever a random base writes."""
    log_metric("accuracy", 0.0)
    log_metric("format", 0.0)
    return [float(len(text)) for text in completions]


@pytest.fixture
def train(inputs, tmp_path, monkeypatch):
    """Trains the row with changes of its resolved settings; returns manifest and metrics."""
    monkeypatch.setattr("rlvr.train.trainer.make_reward", lambda *_: length_reward)

    def run(name, **changes):
        out = tmp_path / name
        settings = bind_row(ROW) | {"max_completion_tokens": 12, "warmup_fraction": 0.0, "dropout": 0.0} | changes
        write_json(settings, tmp_path / f"{name}.json")
        train_run(tmp_path / f"{name}.json", inputs / "base", inputs / "train.parquet", out)
        return read_json(out / "run.json"), read_table(out / "metrics.parquet", METRICS)

    return run


def test_several_updates_share_one_generation(train):
    manifest, metrics = train("four", updates_per_generation=4)
    assert manifest["steps"] == 16 and list(metrics["step"]) == list(range(1, 17))  # 32 problems, 2 per step
    for column in ("reward", "completion_length", "zero_std_share"):
        assert not metrics[column].isna().any()
        assert all(len(set(metrics[column].iloc[start : start + 4])) == 1 for start in range(0, 16, 4))
    assert metrics["reward"].nunique() > 1 and metrics["grad_norm"].nunique() > 4


def test_clip_higher_acts_on_stale_completions_and_only_there(train):
    def weights(name, updates, high):
        changes = {"updates_per_generation": updates, "clip_epsilon_high": high, "learning_rate": 0.05}
        return train(name, max_steps=8, **changes)[0]["sha256"]

    assert weights("one", 1, 0.2) == weights("one-higher", 1, 0.28)  # on-policy: every ratio is 1
    assert weights("four", 4, 0.2) != weights("four-higher", 4, 0.28)


def test_max_steps_takes_precedence_over_epochs(train):
    assert train("short", max_steps=3)[0]["steps"] == 3
    assert train("long", max_steps=20)[0]["steps"] == 20  # more than one epoch


def test_dropout_acts_and_is_off_in_the_rollouts(train):
    plain, first = train("plain", max_steps=2)
    dropped, second = train("dropped", max_steps=2, dropout=0.5)
    assert plain["sha256"] != dropped["sha256"]
    assert first["completion_length"].iloc[0] == second["completion_length"].iloc[0]  # the start samples alike


def spread_by_problem(completions, prompts, log_metric, **_):
    """Rewards in which only the groups of every second problem have spread."""
    log_metric("accuracy", 0.0)
    log_metric("format", 0.0)
    numbers = [int(prompt.split("digit of ")[1].split("?")[0]) for prompt in prompts]
    return [float(place % 2) if number % 2 == 0 else 1.0 for place, number in enumerate(numbers)]


def test_resampling_fills_generations_with_groups_that_have_spread(train, monkeypatch):
    monkeypatch.setattr("rlvr.train.trainer.make_reward", lambda *_: spread_by_problem)
    _, plain = train("plain", max_steps=4)
    assert (plain["zero_std_share"] > 0).any() and (plain["extra_rollouts"] == 0).all()
    _, bounded = train("bounded", max_steps=4, resampling_rounds=1)
    manifest, filled = train("filled", max_steps=4, resampling_rounds=40)
    assert (filled["zero_std_share"] == 0).all()
    assert (bounded["extra_rollouts"] <= 16).all() and filled["extra_rollouts"].sum() > bounded["extra_rollouts"].sum()
    assert (filled["extra_rollouts"] % 8 == 0).all()
    assert manifest["settings"]["resampling_rounds"] == 40


def test_masked_truncated_completions_carry_no_loss(train):
    """A random base hardly ever ends: with all rollouts cut nothing is learned, with them trained on something is."""
    _, kept = train("kept", max_steps=2)
    assert (kept["clipped_share"] > 0.5).all() and (kept["grad_norm"] > 0).all()
    _, masked = train("masked", max_steps=2, truncated_completions="mask", max_completion_tokens=3)
    ended = masked["clipped_share"] < 1
    assert ((masked["grad_norm"] > 0) <= ended).all()
    assert masked["grad_norm"].sum() < kept["grad_norm"].sum()


def test_a_kept_step_is_the_run_that_ends_there(train, tmp_path):
    """Under a constant rate, the first four steps of eight are those of a run of four."""
    constant = {"schedule": "constant", "updates_per_generation": 2}
    kept, _ = train("kept", max_steps=8, keep_steps=[4, 7], **constant)
    alone, _ = train("alone", max_steps=8, **constant)
    short, metrics = train("short", max_steps=4, **constant)
    assert kept["sha256"] == alone["sha256"], "keeping a step changed the run"
    make_kept_run(tmp_path / "kept", 4, "r_t400", tmp_path / "r_t400")
    found = read_json(tmp_path / "r_t400" / "run.json")
    assert found["sha256"] == short["sha256"] != kept["sha256"]
    assert (found["run_id"], found["settings"]["run_id"], found["kept_of"], found["steps"]) == (
        "r_t400",
        "r_t400",
        "r",
        4,
    )
    assert found["files"] == run_digests(tmp_path / "r_t400")
    shown = read_table(tmp_path / "r_t400" / "metrics.parquet", METRICS)
    pd.testing.assert_frame_equal(
        shown.drop(columns=["run_id", "seconds"]), metrics.drop(columns=["run_id", "seconds"]), check_exact=True
    )
    with pytest.raises(InputError, match="steps/5"):
        make_kept_run(tmp_path / "kept", 5, "r_t500", tmp_path / "r_t500")
    (tmp_path / "kept" / "steps" / "7" / "adapter" / "adapter_config.json").write_text("{}")
    with pytest.raises(InputError, match="has changed"):
        make_kept_run(tmp_path / "kept", 7, "r_t700", tmp_path / "r_t700")


def test_a_run_that_was_stopped_keeps_its_steps(train, tmp_path, monkeypatch):
    whole, _ = train("whole", max_steps=8, keep_steps=[2, 6], checkpoint_every_steps=2)
    stop_once_behind(4, monkeypatch)
    with pytest.raises(RunStopped):
        train("cut", max_steps=8, keep_steps=[2, 6], checkpoint_every_steps=2)
    assert [path.name for path in (tmp_path / "cut" / "steps").iterdir()] == ["2"]
    resumed, _ = train("cut", max_steps=8, keep_steps=[2, 6], checkpoint_every_steps=2)
    assert resumed["resumed_from_step"] == 4 and resumed["sha256"] == whole["sha256"]
    weights = [{k: v for k, v in one["files"].items() if k.endswith(".safetensors")} for one in (resumed, whole)]
    assert weights[0] == weights[1] and len(weights[0]) == 3


IN_PLACE = {"rollout_weights": "in_place", "base_dtype": "bfloat16", "max_steps": 6, "learning_rate": 0.01}


def test_rollouts_that_are_merged_in_place_move_a_bfloat16_base_and_exact_ones_do_not(train, tmp_path):
    exact, _ = train("exact", **{**IN_PLACE, "rollout_weights": "exact"})
    moved, _ = train("in-place", keep_steps=[2], **IN_PLACE)
    make_kept_run(tmp_path / "in-place", 2, "r_t2", tmp_path / "r_t2")
    assert 0 < read_json(tmp_path / "r_t2" / "run.json")["base_drift"] < moved["base_drift"], "as far as it was then"
    assert exact["base_drift"] == 0 and exact["sha256"]["base_before"] == exact["sha256"]["base_after"]
    assert 1e-4 < moved["base_drift"] < 0.05 and moved["sha256"]["base_before"] != moved["sha256"]["base_after"]
    assert exact["sha256"]["adapter_after"] != moved["sha256"]["adapter_after"]
    nearly, _ = train("float32", **{**IN_PLACE, "base_dtype": "float32"})
    assert 0 < nearly["base_drift"] < 1e-6


def test_a_stopped_run_with_a_moved_base_goes_on_from_the_moved_base(train, monkeypatch):
    whole, _ = train("whole", **IN_PLACE)
    stop_once_behind(3, monkeypatch)
    with pytest.raises(RunStopped):
        train("cut", **IN_PLACE)
    resumed, _ = train("cut", **IN_PLACE)
    assert resumed["resumed_from_step"] == 3 and resumed["base_drift"] == whole["base_drift"]
    assert resumed["sha256"] == whole["sha256"]


def test_only_an_adapter_can_be_merged_in_place():
    bare = {"method": "full", "rank": None, "alpha": None, "target_modules": None}
    with pytest.raises(InputError, match="'full' has no adapter that could be merged in place"):
        bind_row({**ROW, **bare, "rollout_weights": "in_place"})
    with pytest.raises(InputError, match="no setting 'rollout_weights'"):
        bind_row({**ROW, "algorithm": "sft", "rollout_weights": "in_place"})


SFT = {"algorithm": "sft", "group_size": 1, "max_completion_tokens": 24, "schedule": "constant"}


def test_sft_learns_the_solutions_and_writes_what_every_run_writes(train, tmp_path):
    manifest, metrics = train("sft", epochs=4, learning_rate=0.01, **SFT)
    assert manifest["steps"] == 8 and manifest["tuner"] == "LoraModel" and manifest["inputs"]["solutions_sha256"]
    assert metrics["loss"].iloc[-1] < metrics["loss"].iloc[0] and (metrics["grad_norm"] > 0).all()
    assert metrics["reward"].isna().all() and metrics["entropy"].notna().all()
    assert metrics["completion_length"].between(6, 8).all()  # digits, closing tag, box, answer, brace, end
    assert (tmp_path / "sft" / "adapter" / "adapter_model.safetensors").is_file()
    assert manifest["sha256"]["base_before"] == manifest["sha256"]["base_after"]


def test_the_first_loss_of_sft_is_the_cross_entropy_of_the_solutions_one_by_one(train, inputs):
    _, metrics = train("first", max_steps=1, completions_per_step=32, micro_batch_completions=8, **SFT)
    tokenizer, model = load_tokenizer(inputs / "base"), load_base(inputs / "base")
    total = count = 0.0
    for row in read_table(inputs / "train.parquet", PROBLEMS).itertuples():
        prompt = tokenizer(render_prompt(row.question, "compact"))["input_ids"]
        digits = row.question.split()[-1].strip("?")
        text = f"{digits}</think>\\boxed{{{row.answer}}}"
        ids = prompt + tokenizer(text, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
        for place in range(len(prompt), len(ids)):
            total, count = total - logits[place - 1, ids[place]].item(), count + 1
    assert metrics["loss"].iloc[0] == pytest.approx(total / count, rel=1e-5)
    assert metrics["completion_length"].iloc[0] == pytest.approx(count / 32)


def test_a_stopped_run_of_sft_goes_on_in_its_second_epoch_as_if_nothing_had_happened(train, monkeypatch):
    whole, _ = train("whole", epochs=2, checkpoint_every_steps=1, keep_steps=[1], **SFT)
    stop_once_behind(3, monkeypatch)
    with pytest.raises(RunStopped):
        train("cut", epochs=2, checkpoint_every_steps=1, keep_steps=[1], **SFT)
    resumed, _ = train("cut", epochs=2, checkpoint_every_steps=1, keep_steps=[1], **SFT)
    assert resumed["resumed_from_step"] == 3 and resumed["sha256"] == whole["sha256"]


@pytest.mark.parametrize(
    "method", [{"method": "adalora"}, {"method": "full", "rank": None, "alpha": None, "target_modules": None}]
)
def test_sft_trains_other_methods_too(train, method):
    manifest, metrics = train("other", max_steps=3, **SFT, **method)
    assert manifest["steps"] == 3 and metrics["loss"].notna().all()


def test_a_row_of_sft_says_nothing_of_rollouts():
    assert bind_row({**ROW, "algorithm": "sft"})["generation"] == "transformers"
    with pytest.raises(InputError, match="algorithm 'sft' has no setting 'kl_beta'"):
        bind_row({**ROW, "algorithm": "sft", "kl_beta": 0.1})
