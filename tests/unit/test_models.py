"""Base models: tokenizer, architectures, pre-training, shipped copies, the hub's cache, refusals."""

import json
import logging
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.bases.architectures import ARCHITECTURES, tiny_config
from rlvr.bases.hub_models import fetch_base
from rlvr.bases.loading import check_base, load_base, load_tokenizer
from rlvr.bases.pretrain import PretrainSettings, draw_text, make_batch, pretrain_base, spoil_answer
from rlvr.bases.shipped import install_shipped, is_installed, write_checksums
from rlvr.bases.tokenizer import build_tokenizer
from rlvr.core.errors import InputError
from rlvr.core.io import atomic_folder, read_json, sha256_file, write_json
from rlvr.core.seeds import make_rng
from rlvr.synthetic.digits import solve

SHIPPED = Path(__file__).resolve().parents[2] / "data" / "bases"
MODELS = {"qwen3-8b": "qwen3", "llama-3.1-8b": "llama", "apertus-8b": "apertus"}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FEW_STEPS = PretrainSettings(
    architecture="qwen3",
    steps=3,
    template="compact",
    sequences_per_step=8,
    peak_learning_rate=4e-3,
    wrong_answer_share=0.35,
    incomplete_format_share=0.5,
    seed=0,
)
TOKENIZER = build_tokenizer()


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A base of three steps; read only."""
    folder = tmp_path_factory.mktemp("models") / "base"
    pretrain_base(FEW_STEPS, folder)
    return folder


@pytest.fixture
def copied(base, tmp_path) -> Path:
    """A copy of the base that a test may damage."""
    folder = tmp_path / "copied"
    folder.mkdir()
    for path in base.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def edit_json(path: Path, **changes: object) -> None:
    write_json(read_json(path) | changes, path)


# Tokenizer


@given(text=st.text(st.sampled_from(sorted(map(chr, [10, *range(32, 127)])))))
@settings(max_examples=200)
def test_decoding_undoes_encoding(text):
    assert TOKENIZER.decode(TOKENIZER(text).input_ids) == text


def test_the_three_words_are_one_ordinary_token_each():
    text = "<think>12</think>\\boxed{2}"
    assert TOKENIZER.convert_ids_to_tokens(TOKENIZER(text).input_ids) == [
        "<think>", "1", "2", "</think>", "\\boxed{", "2", "}",
    ]  # fmt: skip
    assert TOKENIZER.decode(TOKENIZER(text).input_ids, skip_special_tokens=True) == text


def test_unknown_characters_become_unk():
    ids = TOKENIZER("a\u03c0b").input_ids
    assert TOKENIZER.convert_ids_to_tokens(ids) == ["a", "<unk>", "b"]


def test_saved_tokenizer_loads_as_the_same(base):
    loaded = load_tokenizer(base)
    text = "User: Largest digit of 48?\nAssistant: <think>48</think>\\boxed{8}<eos>"
    assert loaded(text).input_ids == TOKENIZER(text).input_ids
    assert loaded.decode(loaded(text).input_ids) == text
    assert (loaded.pad_token_id, loaded.eos_token_id) == (TOKENIZER.pad_token_id, TOKENIZER.eos_token_id)
    assert loaded.pad_token_id != loaded.eos_token_id
    assert loaded(["1", "12"], padding=True).input_ids[0][0] == loaded.pad_token_id


# Architectures


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_architectures_are_the_released_ones_with_tied_embeddings(architecture):
    config = tiny_config(architecture, TOKENIZER)
    assert config.model_type == architecture
    assert config.hidden_size == 64
    assert config.num_attention_heads == 2 * config.num_key_value_heads
    assert config.tie_word_embeddings
    assert config.vocab_size == len(TOKENIZER)


def test_unknown_architecture_is_refused_with_the_choices():
    with pytest.raises(InputError, match=r"'gpt2'.*qwen3, llama, apertus"):
        tiny_config("gpt2", TOKENIZER)


# Pre-training


def test_the_same_settings_give_the_same_bytes(base, tmp_path):
    pretrain_base(FEW_STEPS, tmp_path / "again")
    card = read_json(base / "model.json")
    assert sha256_file(tmp_path / "again" / "model.safetensors") == card["weights_sha256"]["model.safetensors"]


def test_another_seed_gives_other_weights(base, tmp_path):
    pretrain_base(PretrainSettings(**read_json(base / "model.json")["settings"] | {"seed": 1}), tmp_path / "other")
    assert sha256_file(tmp_path / "other" / "model.safetensors") != sha256_file(base / "model.safetensors")


def test_model_card_counts_parameters_and_tokens(base):
    card = read_json(base / "model.json")
    hidden, inner, kv, vocabulary, layers, head = 64, 128, 32, len(TOKENIZER), 2, 16
    attention = 2 * hidden * hidden + 2 * hidden * kv + 2 * head
    assert card["parameters"] == (vocabulary * hidden + layers * (attention + 3 * hidden * inner + 2 * hidden) + hidden)
    rng = make_rng(0, "corpus")
    texts = ["".join(draw_text(FEW_STEPS, rng)) for _ in range(3 * 8)]
    assert card["pretraining_tokens"] == sum(len(ids) for ids in TOKENIZER(texts).input_ids)


def test_pretraining_leaves_torch_as_it_was(tmp_path):
    import torch

    threads, state = torch.get_num_threads(), torch.get_rng_state()
    pretrain_base(FEW_STEPS, tmp_path / "base")
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_loss_covers_exactly_the_completion():
    ids, labels = make_batch(TOKENIZER, FEW_STEPS, make_rng(5))
    rng = make_rng(5)
    for row in range(8):
        prompt, completion = draw_text(FEW_STEPS, rng)
        counted = labels[row] != -100
        assert TOKENIZER.decode(ids[row][counted]) == completion
        assert TOKENIZER.decode(ids[row]).startswith(prompt + completion)


def test_corpus_has_the_shares_that_were_asked_for():
    rng = make_rng(3)
    complete, right = [], []
    for _ in range(4000):
        prompt, completion = draw_text(FEW_STEPS, rng)
        found = re.fullmatch(r"\d+</think>\\boxed\{(\d+)\}<eos>", completion)
        complete.append(found is not None)
        if found:
            question = prompt.removeprefix("User: ").removesuffix("\nAssistant: <think>")
            right.append(found[1] == solve(question).answer)
    assert sum(complete) / len(complete) == pytest.approx(0.5, abs=0.04)
    assert sum(right) / len(right) == pytest.approx(0.65, abs=0.05)


@given(answer=st.text("123456789", min_size=1, max_size=8), seed=st.integers(0, 99))
def test_spoiled_answer_is_wrong_and_of_equal_length(answer, seed):
    spoiled = spoil_answer(answer, make_rng(seed))
    assert len(spoiled) == len(answer)
    assert sum(left != right for left, right in zip(spoiled, answer, strict=True)) == 1


# Loading


def test_loaded_base_is_in_evaluation_mode_with_the_asked_type(base):
    import torch

    model = load_base(base, dtype="bfloat16")
    assert model.dtype == torch.bfloat16
    assert not model.training


def test_progress_is_logged(tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="rlvr.bases.pretrain"):
        pretrain_base(FEW_STEPS, tmp_path / "base")
    assert "step 3 of 3" in caplog.text


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("config.json", "config.json: missing"),
        ("model.safetensors", "expected weights in \\*.safetensors"),
        ("tokenizer.json", "the base has no tokenizer"),
    ],
)
def test_incomplete_base_is_refused(copied, name, message):
    (copied / name).unlink()
    with pytest.raises(InputError, match=message):
        check_base(copied)


def test_base_without_pad_token_is_refused(copied):
    edit_json(copied / "tokenizer_config.json", pad_token=None)
    for use in (check_base, load_base, load_tokenizer):
        with pytest.raises(InputError, match=r"expected a `pad_token`, found none\..*scale file"):
            use(copied)


def test_a_base_may_pad_with_its_end_token(copied):
    edit_json(copied / "tokenizer_config.json", pad_token="<eos>")
    assert load_tokenizer(copied).pad_token_id == load_tokenizer(copied).eos_token_id
    assert load_base(copied) is not None


def test_atomic_folder_keeps_the_old_one_when_its_writer_fails(tmp_path):
    target = tmp_path / "folder"
    with atomic_folder(target) as folder:
        (folder / "old").touch()
    with pytest.raises(RuntimeError), atomic_folder(target) as folder:
        (folder / "new").touch()
        raise RuntimeError
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "old"]


# Shipped bases


@pytest.mark.parametrize(("model", "architecture"), MODELS.items())
def test_shipped_base_installs_and_loads(model, architecture, tmp_path):
    install_shipped(model, SHIPPED / model, tmp_path / model)
    loaded = load_base(tmp_path / model)
    assert loaded.config.model_type == architecture
    card = read_json(tmp_path / model / "model.json")
    assert card["weights_sha256"] == {"model.safetensors": sha256_file(tmp_path / model / "model.safetensors")}
    assert card["parameters"] == loaded.num_parameters()


def test_shipped_bases_are_small():
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*")) < 4e6


def test_shipped_bases_were_made_by_the_scale_file():
    import yaml

    scale = yaml.safe_load((SHIPPED.parents[1] / "workflow/scales/tiny.yaml").read_text())
    for model in MODELS:
        made = read_json(SHIPPED / model / "model.json")["settings"]
        wanted = {key: scale["models"][model][key] for key in ("architecture", "steps")}
        assert made == scale["pretrain"] | wanted | {"template": scale["template"]}


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_damaged_shipped_base_is_refused_and_nothing_is_installed(copied, tmp_path, name):
    write_checksums(copied)
    with (copied / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(InputError, match=rf"{name}: expected sha256 .*git checkout"):
        install_shipped("copied", copied, tmp_path / "installed")
    assert not (tmp_path / "installed").exists()


def test_a_base_is_installed_if_every_file_is_the_shipped_one(copied, tmp_path):
    write_checksums(copied)
    assert not is_installed(copied, tmp_path / "installed")
    install_shipped("copied", copied, tmp_path / "installed")
    assert is_installed(copied, tmp_path / "installed")
    (tmp_path / "installed" / "config.json").write_text("{}")
    assert not is_installed(copied, tmp_path / "installed")
    assert not is_installed(tmp_path / "shipped-nowhere", tmp_path / "installed")


def test_checksums_are_those_of_the_files(copied):
    write_checksums(copied)
    assert read_json(copied / "checksums.json") == {
        path.name: sha256_file(path) for path in copied.iterdir() if path.name != "checksums.json"
    }


def test_a_model_that_is_not_shipped_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no base 'gpt2' is shipped.*artefacts\.base: compute"):
        install_shipped("gpt2", tmp_path, tmp_path / "out")


# The hub


@pytest.fixture
def hub_cache(copied, tmp_path, monkeypatch) -> Path:
    """A cache as the hub's client lays it out, holding ``copied`` as lab/base at COMMIT."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    (copied / "model.json").unlink()
    snapshots = tmp_path / "cache" / "models--lab--base" / "snapshots"
    snapshots.mkdir(parents=True)
    copied.rename(snapshots / COMMIT)
    return tmp_path / "cache"


def test_cached_base_is_fetched_and_described(hub_cache, base, tmp_path):
    fetch_base("lab/base", COMMIT, tmp_path / "out", hub_cache)
    card = read_json(tmp_path / "out" / "model.json")
    pretrained = read_json(base / "model.json")
    assert (card["repository"], card["revision"], card["architecture"]) == ("lab/base", COMMIT, "qwen3")
    assert card["parameters"] == pretrained["parameters"]
    assert card["weights_sha256"] == pretrained["weights_sha256"]
    assert load_base(tmp_path / "out").num_parameters() == card["parameters"]


def test_fetched_base_without_pad_token_needs_one_named(hub_cache, tmp_path):
    settings_path = hub_cache / "models--lab--base" / "snapshots" / COMMIT / "tokenizer_config.json"
    edit_json(settings_path, pad_token=None)
    with pytest.raises(InputError, match="expected a `pad_token`"):
        fetch_base("lab/base", COMMIT, tmp_path / "out", hub_cache)
    fetch_base("lab/base", COMMIT, tmp_path / "out", hub_cache, pad_token="<unk>")
    assert load_tokenizer(tmp_path / "out").pad_token == "<unk>"
    assert json.loads(settings_path.read_text())["pad_token"] is None, "the cache belongs to the user"


def test_pad_token_outside_the_vocabulary_is_refused(hub_cache, tmp_path):
    with pytest.raises(InputError, match="not in the vocabulary"):
        fetch_base("lab/base", COMMIT, tmp_path / "out", hub_cache, pad_token="<nothing>")


def test_moving_revision_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"'main'.*not a full commit hash"):
        fetch_base("lab/base", "main", tmp_path / "out", tmp_path)


def test_base_that_is_not_cached_is_refused_offline(hub_cache, tmp_path):
    with pytest.raises(InputError, match=r"lab/other@.*not fetched"):
        fetch_base("lab/other", COMMIT, tmp_path / "out", hub_cache)
