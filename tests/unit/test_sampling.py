"""Sampling: the transformers engine on random weights, vLLM's arguments through a stand-in for the library."""

import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from rlvr.bases.architectures import tiny_config
from rlvr.bases.loading import load_tokenizer
from rlvr.bases.tokenizer import build_tokenizer
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, sha256_file, write_json
from rlvr.evaluate.engines import transformers_engine as engines
from rlvr.evaluate.engines.protocol import Sampled
from rlvr.evaluate.engines.vllm_engine import VllmEngine, engine_arguments, sampling_arguments
from rlvr.evaluate.sampled import check_record, record_of
from rlvr.evaluate.sampling import SamplingSettings, load_engine, sample, sample_file
from rlvr.prompts import render_prompt
from rlvr.tables import PROBLEMS, SAMPLES

PROTOCOL = SamplingSettings(
    samples_per_problem=3,
    temperature=1.0,
    top_p=0.9,
    max_completion_tokens=12,
    batch_completions=8,
    seed=0,
    template="compact",
)
QUESTIONS = ["2+2?", "What is the largest digit of 90315?", "1" * 300, "last of 7 8 9", "x"]


@pytest.fixture(scope="module")
def base_dir(tmp_path_factory) -> Path:
    """A random Llama whose weights are wide enough to make its choices distinct."""
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("base")
    tokenizer = build_tokenizer()
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(tiny_config("llama", tokenizer))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tuned_dir(base_dir: Path, tmp_path_factory) -> Path:
    """A finished full fine-tuning whose end token is far more likely."""
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("run")
    model = AutoModelForCausalLM.from_pretrained(base_dir)
    with torch.no_grad():
        model.model.norm.weight.mul_(3)
    model.save_pretrained(folder / "model")
    return folder


@pytest.fixture(scope="module")
def engine(base_dir: Path):
    return load_engine(base_dir, None, PROTOCOL)


def prompts() -> list[str]:
    return [render_prompt(question, "compact") for question in QUESTIONS]


def problems() -> pd.DataFrame:
    rows = [
        {
            "problem_id": f"p{index}", "dataset": "d", "question": question, "answer": "4", "verifier": "math",
            "difficulty": None, "topic": None, "meta": "{}",
        }
        for index, question in enumerate(QUESTIONS)
    ]  # fmt: skip
    return PROBLEMS.validate(pd.DataFrame(rows))


def test_same_seed_same_completions_other_seed_others(engine) -> None:
    first, again, other = (engine.generate(prompts(), PROTOCOL, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert all(len({completion.text for completion in completions}) == 3 for completions in first)


def test_sampling_leaves_the_global_generator_alone(engine) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    engine.generate(prompts()[:1], PROTOCOL, 0)
    assert torch.equal(torch.rand(3), expected)


def slow_greedy(engine, prompt: str, limit: int) -> Sampled:
    """One prompt without batch, padding or cache: the largest logit, token by token."""
    tokenizer, model = engine._tokenizer, engine._model
    ids = tokenizer(prompt)["input_ids"]
    drawn: list[int] = []
    while len(drawn) < limit and tokenizer.eos_token_id not in drawn:
        with torch.inference_mode():
            drawn.append(int(model(torch.tensor([ids + drawn])).logits[0, -1].argmax()))
    ended = drawn[-1] == tokenizer.eos_token_id
    return Sampled(tokenizer.decode(drawn, skip_special_tokens=True), len(drawn), "stop" if ended else "length")


def test_greedy_batches_equal_the_slow_decoder(engine) -> None:
    greedy = replace(PROTOCOL, temperature=0.0, samples_per_problem=1)
    completions_PK = engine.generate(prompts(), greedy, 0)
    assert completions_PK == [[slow_greedy(engine, prompt, 12)] for prompt in prompts()]


def test_tokens_are_counted_up_to_the_end_token(engine) -> None:
    tokenizer = engine._tokenizer
    end, pad, one = tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.convert_tokens_to_ids("1")
    generated = torch.tensor([[one, end, pad, pad], [one, one, one, one], [end, one, end, pad], [one, one, one, end]])
    assert list(engine._decode(generated, [end])) == [
        Sampled("1", 2, "stop"), Sampled("1111", 4, "length"), Sampled("", 1, "stop"),
        Sampled("111", 4, "stop"),
    ]  # fmt: skip


def test_temperature_and_top_p_reach_the_distribution(engine) -> None:
    greedy = engine.generate(prompts(), replace(PROTOCOL, temperature=0.0), 0)
    for cold in (replace(PROTOCOL, temperature=1e-4), replace(PROTOCOL, top_p=1e-6)):
        assert engine.generate(prompts(), cold, 3) == greedy


def test_the_models_own_sampling_defaults_are_ignored(engine) -> None:
    expected = engine.generate(prompts(), PROTOCOL, 1)
    engine._model.generation_config.min_p = 0.99
    engine._model.generation_config.repetition_penalty = 5.0
    assert engine.generate(prompts(), PROTOCOL, 1) == expected


def test_prompt_beyond_the_models_positions_is_an_error(engine) -> None:
    with pytest.raises(InputError, match="exceed 4096"):
        engine.generate(["1" * 4090], PROTOCOL, 0)


def test_long_prompts_pass(engine) -> None:
    (completions,) = engine.generate(["Find the sum. " * 150], PROTOCOL, 0)
    assert [completion.tokens > 0 for completion in completions] == [True] * 3


def test_batches_hold_every_row_once_within_their_bounds(monkeypatch) -> None:
    monkeypatch.setattr(engines, "MAX_BATCH_TOKENS", 1000)
    lengths = [10, 500, 90, 2000, 30]
    rows = [prompt for prompt in range(5) for _ in range(7)]
    found = list(engines.batches(rows, lengths, PROTOCOL))
    assert sorted(row for batch in found for row in batch) == rows
    assert max(map(len, found)) == PROTOCOL.batch_completions
    for batch in found:
        assert len(batch) == 1 or len(batch) * (max(lengths[row] for row in batch) + 12) <= 1000
    assert found[0] == [3]


def test_every_end_token_of_the_model_counts() -> None:
    assert engines.end_token_ids([7, 9], 2) == [2, 7, 9]
    assert engines.end_token_ids(None, 2) == engines.end_token_ids(2, 2) == [2]


def test_run_is_sampled_with_its_merged_weights(base_dir: Path, tuned_dir: Path) -> None:
    from transformers import AutoModelForCausalLM

    tuned = load_engine(base_dir, tuned_dir, PROTOCOL)
    reference = AutoModelForCausalLM.from_pretrained(tuned_dir / "model").state_dict()
    assert tuned._model.state_dict().keys() == reference.keys()
    assert all(torch.equal(tensor, reference[name]) for name, tensor in tuned._model.state_dict().items())


def test_samples_have_one_row_a_completion(engine) -> None:
    samples = SAMPLES.validate(sample(problems(), engine, "run", "b", PROTOCOL))
    assert samples["problem_id"].tolist() == [f"p{index}" for index in range(5) for _ in range(3)]
    assert samples["sample"].tolist() == [0, 1, 2] * 5
    other = sample(problems(), engine, "another-run", "b", PROTOCOL)
    assert (samples["text"].to_numpy() != other["text"].to_numpy()).any()


def test_sample_file(base_dir: Path, tmp_path: Path) -> None:
    problems().to_parquet(tmp_path / "eval.parquet")
    path = tmp_path / "eval.parquet"
    for name in ("a", "b"):
        out = tmp_path / f"{name}.parquet", tmp_path / f"{name}.json"
        sample_file({"b": path}, base_dir, None, "m_base", {"b": PROTOCOL}, *out)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert len(SAMPLES.validate(pd.read_parquet(tmp_path / "a.parquet"))) == 15
    asked = {"recipe": 1, "sampling": {"b": asdict(PROTOCOL)}}
    facts = {"lost_share": 0.0, "samples_sha256": sha256_file(tmp_path / "a.parquet")}
    assert read_json(tmp_path / "a.json") == record_of({"b": problems()}, base_dir, asked) | facts


def test_samples_whose_files_were_deleted_come_back_and_others_are_drawn_anew(
    base_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = tmp_path / "eval.parquet", (tmp_path / "samples.parquet", tmp_path / "samples.json")
    problems().to_parquet(path)
    engines: list[object] = []
    monkeypatch.setattr("rlvr.evaluate.sampling.load_engine", lambda *given: engines.append(1) or load_engine(*given))

    def drawn(protocol: SamplingSettings) -> list[bytes]:
        for each in out:
            each.unlink(missing_ok=True)  # what Snakemake does before it starts a job again
        sample_file({"b": path}, base_dir, None, "m_base", {"b": protocol}, *out)
        return [each.read_bytes() for each in out]

    first = drawn(PROTOCOL)
    assert drawn(PROTOCOL) == first and len(engines) == 1
    content = bytearray(first[0])
    content[-1] ^= 1
    (tmp_path / ".drawn/samples.parquet").write_bytes(content)
    assert drawn(PROTOCOL) == first and len(engines) == 2
    assert drawn(replace(PROTOCOL, seed=PROTOCOL.seed + 1)) != first and len(engines) == 3
    problems().assign(question="other?").to_parquet(path)
    assert drawn(PROTOCOL) != first and len(engines) == 4


def test_samples_are_compared_with_what_would_be_sampled_today(tmp_path: Path) -> None:
    def today(**columns: object) -> dict[str, object]:
        return record_of({"b": problems().assign(**columns)}, tmp_path, {"recipe": 1})

    write_json({"weights_sha256": {"model.safetensors": "1" * 64}}, tmp_path / "model.json")
    record = today()
    check_record(record, today(answer="7", topic="other"), "samples.json")  # golds are graded against later
    reworded = today(question="other?")
    digests = f"digest {record['problems']['b']}, today {reworded['problems']['b']}"
    with pytest.raises(
        InputError, match=rf"samples\.json: the samples are of other problems of 'b': {digests}.*delete"
    ):
        check_record(record, reworded, "samples.json")
    with pytest.raises(InputError, match=r"other settings: \{'recipe': 1\}, today \{'recipe': 2\}"):
        check_record(record, record | {"asked": {"recipe": 2}}, "samples.json")
    write_json({"weights_sha256": {"model.safetensors": "2" * 64}}, tmp_path / "model.json")
    with pytest.raises(InputError, match=f"another base: its weights were .*{'1' * 64}.*, today .*{'2' * 64}"):
        check_record(record, today(), "samples.json")


def test_samples_do_not_depend_on_the_suite(base_dir: Path, tmp_path: Path) -> None:
    problems().to_parquet(tmp_path / "eval.parquet")
    for suite in (["b"], ["first", "b"]):
        paths = dict.fromkeys(suite, tmp_path / "eval.parquet")
        protocols = dict.fromkeys(suite, PROTOCOL)
        out = tmp_path / f"{len(suite)}.parquet", tmp_path / f"{len(suite)}.json"
        sample_file(paths, base_dir, None, "m_base", protocols, *out)
    alone, together = (pd.read_parquet(tmp_path / f"{size}.parquet") for size in (1, 2))
    assert together["benchmark"].tolist() == ["first"] * 15 + ["b"] * 15
    pd.testing.assert_frame_equal(together.query("benchmark == 'b'").reset_index(drop=True), alone)
    assert (together["text"][:15].to_numpy() != alone["text"].to_numpy()).any()


def test_no_problem_is_an_error(base_dir: Path, tmp_path: Path) -> None:
    problems().head(0).to_parquet(tmp_path / "eval.parquet")
    with pytest.raises(InputError, match="no problem"):
        out = tmp_path / "out.parquet", tmp_path / "out.json"
        sample_file({"b": tmp_path / "eval.parquet"}, base_dir, None, "r", {"b": PROTOCOL}, *out)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("samples_per_problem", 0), ("temperature", -0.1), ("top_p", 0.0), ("top_p", 1.1), ("max_completion_tokens", 0),
        ("batch_completions", 0), ("engine", "sglang"), ("dtype", "float8"),
    ],
)  # fmt: skip
def test_impossible_settings_are_refused(field: str, value: object) -> None:
    with pytest.raises(InputError, match=field):
        replace(PROTOCOL, **{field: value})


class FakeVllm:
    """Records what the library is asked for and answers with the prompt's length."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, SimpleNamespace]] = []
        self.arguments: dict[str, object] = {}
        self.files: set[str] = set()
        self.reason = "stop"
        self.SamplingParams = SimpleNamespace

    def LLM(self, **arguments: object) -> "FakeVllm":
        self.arguments = arguments
        self.files = {path.name for path in Path(str(arguments["model"])).iterdir()}
        return self

    def generate(self, prompts: list[str], parameters: list[SimpleNamespace], use_tqdm: bool) -> list[SimpleNamespace]:
        self.requests = list(zip(prompts, parameters, strict=True))
        return [
            SimpleNamespace(outputs=[SimpleNamespace(text=prompt, token_ids=[1] * 4, finish_reason=self.reason)])
            for prompt in prompts
        ]


@pytest.fixture
def fake_vllm(monkeypatch) -> FakeVllm:
    fake = FakeVllm()
    monkeypatch.setitem(sys.modules, "vllm", fake)
    return fake


VLLM = replace(PROTOCOL, engine="vllm", dtype="bfloat16", device="cuda")


def test_vllm_gets_one_seeded_request_a_completion(base_dir: Path, fake_vllm: FakeVllm) -> None:
    completions_PK = load_engine(base_dir, None, VLLM).generate(["a", "b"], VLLM, 7)
    assert completions_PK == [[Sampled("a", 4, "stop")] * 3, [Sampled("b", 4, "stop")] * 3]
    assert [prompt for prompt, _ in fake_vllm.requests] == ["a", "a", "a", "b", "b", "b"]
    assert len({parameters.seed for _, parameters in fake_vllm.requests}) == 6
    assert {parameters.n for _, parameters in fake_vllm.requests} == {1}
    assert fake_vllm.arguments == engine_arguments(base_dir, "bfloat16")


def test_vllm_leaves_no_sampling_field_to_the_models_defaults() -> None:
    arguments = sampling_arguments(VLLM, 3)
    assert arguments.items() >= {"temperature": 1.0, "top_p": 0.9, "max_tokens": 12, "seed": 3, "top_k": 0}.items()
    assert {"min_p", "repetition_penalty", "presence_penalty", "frequency_penalty"} <= arguments.keys()
    assert engine_arguments("m", "bfloat16")["generation_config"] == "vllm"


def test_vllm_reads_merged_weights_from_a_temporary_folder(
    base_dir: Path, tuned_dir: Path, fake_vllm: FakeVllm
) -> None:
    VllmEngine(base_dir, tuned_dir, "bfloat16").generate(["a"], VLLM, 0)
    assert {"config.json", "tokenizer.json", "model.safetensors"} <= fake_vllm.files
    assert fake_vllm.arguments["model"] != str(base_dir)
    assert not Path(str(fake_vllm.arguments["model"])).exists()


@pytest.fixture(scope="module")
def barely_tuned_dir(base_dir: Path, tmp_path_factory) -> Path:
    """A finished run that moved every gain by less than half a step of bfloat16."""
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("barely") / "ln-tuning"
    model = AutoModelForCausalLM.from_pretrained(base_dir)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.add_(1e-3)
    model.save_pretrained(folder / "model")
    return folder


def test_a_run_that_vllm_could_only_sample_as_its_base_is_refused(
    base_dir: Path, barely_tuned_dir: Path, fake_vllm: FakeVllm, tmp_path: Path
) -> None:
    problems().to_parquet(tmp_path / "eval.parquet")
    out = tmp_path / "samples.parquet", tmp_path / "samples.json"
    asked = {"b": tmp_path / "eval.parquet"}, base_dir, barely_tuned_dir, "ln-tuning", {"b": VLLM}, *out
    with pytest.raises(InputError, match=r"run 'ln-tuning': .* remove 1\.00 of its update; the bound is 0\.1"):
        sample_file(*asked, max_lost_share=0.1)
    assert fake_vllm.arguments == {} and not any(path.exists() for path in out), "before any model is loaded"
    sample_file(*asked, max_lost_share=1.0)
    assert read_json(out[1])["lost_share"] == 1
    float32 = {"b": replace(VLLM, dtype="float32")}
    sample_file(*asked[:4], float32, *out, max_lost_share=0.1)
    assert read_json(out[1])["lost_share"] == 0 and fake_vllm.arguments["dtype"] == "float32"


def test_transformers_samples_what_bfloat16_cannot_hold(base_dir: Path, barely_tuned_dir: Path) -> None:
    narrow = replace(PROTOCOL, dtype="bfloat16", samples_per_problem=16)
    engine = load_engine(base_dir, barely_tuned_dir, narrow, max_lost_share=0.0)
    assert engine.lost_share == 0
    gains = {name: weight for name, weight in engine._model.named_parameters() if "norm" in name}
    assert gains and all(torch.equal(weight, torch.full_like(weight, 1.001)) for weight in gains.values())
    assert engine._model.lm_head.weight.dtype == torch.bfloat16
    assert len(engine.generate(prompts(), narrow, 3)[0]) == 16


def test_exported_weights_are_the_merged_ones(base_dir: Path, tuned_dir: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    from rlvr.evaluate.engines.vllm_engine import export_merged

    folder, lost = export_merged(base_dir, tuned_dir, tmp_path / "out", "float32")
    assert lost == 0
    exported, tuned = (
        AutoModelForCausalLM.from_pretrained(path).state_dict() for path in (folder, tuned_dir / "model")
    )
    assert exported.keys() == tuned.keys()
    assert all(torch.equal(tensor, tuned[name]) for name, tensor in exported.items())


def test_a_model_is_exported_in_parts_of_which_one_is_held(
    base_dir: Path, tuned_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import load_file

    from rlvr.evaluate.engines import vllm_engine
    from rlvr.weights.updates import tuned_state_dict

    monkeypatch.setattr(vllm_engine, "PART_BYTES", 5000)
    folder, _ = vllm_engine.export_merged(base_dir, tuned_dir, tmp_path / "out", "float32")
    parts = [load_file(path) for path in sorted(folder.glob("*.safetensors"))]
    assert len(parts) > 3
    assert all(len(part) == 1 or sum(t.numel() * 4 for t in part.values()) <= 5000 for part in parts)
    whole = {name: tensor for part in parts for name, tensor in part.items()}
    expected = tuned_state_dict(base_dir, tuned_dir)
    assert set(expected) - set(whole) <= {"lm_head.weight"}
    assert all(torch.equal(expected[name], tensor) for name, tensor in whole.items())
    places = read_json(folder / "model.safetensors.index.json")["weight_map"]
    assert all(name in load_file(folder / file) for name, file in places.items()) and places.keys() == whole.keys()


def test_vllm_keeps_memory_for_the_protocol_and_not_for_all_that_the_model_could_read(
    base_dir: Path, fake_vllm: FakeVllm, tmp_path: Path
) -> None:
    frame = problems()
    frame.to_parquet(tmp_path / "eval.parquet")
    out = tmp_path / "samples.parquet", tmp_path / "samples.json"
    sample_file({"b": tmp_path / "eval.parquet"}, base_dir, None, "base", {"b": VLLM}, *out)
    prompts_P = [render_prompt(question, VLLM.template) for question in frame["question"]]
    longest = max(len(ids) for ids in load_tokenizer(base_dir)(prompts_P)["input_ids"])
    assert fake_vllm.arguments["max_model_len"] == longest + VLLM.max_completion_tokens
    long = {"b": replace(VLLM, max_completion_tokens=10**6)}
    with pytest.raises(InputError, match=r"benchmark 'b'.*the model \d+ positions"):
        sample_file({"b": tmp_path / "eval.parquet"}, base_dir, None, "base", long, tmp_path / "x.parquet", out[1])


def test_aborted_vllm_request_is_an_error(base_dir: Path, fake_vllm: FakeVllm) -> None:
    fake_vllm.reason = "abort"
    with pytest.raises(InputError, match="abort"):
        VllmEngine(base_dir, None, "bfloat16").generate(["a"], VLLM, 0)


@pytest.mark.parametrize("settings", [PROTOCOL, VLLM], ids=["transformers", "vllm"])
def test_no_engine_samples_from_a_base_that_has_changed_since_it_was_installed(
    settings: SamplingSettings, base_dir: Path, fake_vllm: FakeVllm, tmp_path: Path
) -> None:
    copied = tmp_path / "base"
    shutil.copytree(base_dir, copied)
    weights = copied / "model.safetensors"
    write_json({"weights_sha256": {weights.name: sha256_file(weights)}}, copied / "model.json")
    load_engine(copied, None, settings)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors: SHA-256 .*, installed with"):
        load_engine(copied, None, settings)
