"""Runs brought to a hub by the installed huggingface_hub, and commits of public checkpoints that are held."""

import re
from pathlib import Path

import pytest
import torch
from hub_server import TOKEN, UploadHub, running_hub
from small_models import small_model, token_batch
from test_model_cards import FACTS, HUB_BASE, finished, header, scores

from rlvr.bases.hub_models import fetch_checkpoint
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, write_json
from rlvr.core.publishing import HUB, publish_run
from rlvr.report.model_cards import card_text

NAMES = {"README.md", "adapter_config.json", "adapter_model.safetensors", "training.json"}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch):
    with running_hub(monkeypatch) as server:
        yield server


def published(tmp_path: Path, method: str = "quanta", private: bool = True) -> dict:
    """Train nothing, bring a small run to the hub, and return the record."""
    run = tmp_path / "a_run"
    run.mkdir(exist_ok=True)
    manifest = finished(method, run)
    card = run / "README.md"
    card.write_text(card_text(manifest, scores("a_run", 0.5), scores("base", 0.25), FACTS))
    publish_run(str(run), str(card), HUB_BASE, f"{HUB}owner", private, str(tmp_path / "published" / "a_run.json"))
    return read_json(tmp_path / "published" / "a_run.json")


def test_a_run_on_the_hub_is_complete_and_says_nothing_of_this_machine(hub: UploadHub, tmp_path: Path) -> None:
    record = published(tmp_path)
    ((commit, files),) = hub.commits["owner/a_run"]
    assert hub.private == {"owner/a_run": True}
    assert record["place"] == "hub:owner/a_run"
    assert record["revision"] == commit
    assert set(files) == set(record["files"]) == NAMES
    assert files["adapter_model.safetensors"] == (tmp_path / "a_run/adapter/adapter_model.safetensors").read_bytes()
    assert header(files["README.md"].decode())["base_model"] == "owner/base"
    assert hub.tokens == {f"Bearer {TOKEN}"}
    for name in NAMES - {"adapter_model.safetensors"}:
        text = files[name].decode()
        assert not re.search(r'(?:^|[\s"(])/(?:home|root|tmp|work|scratch|Users|mnt)/', text), name
        assert TOKEN not in text
        assert str(tmp_path) not in text
    assert not list((tmp_path / "published").glob("*.staged"))


def test_a_run_from_the_hub_gives_the_trained_model_by_what_its_card_says(hub: UploadHub, tmp_path: Path) -> None:
    record = published(tmp_path)
    fetch_checkpoint("owner/a_run", record["revision"], tmp_path / "there", tmp_path / "cache")
    ((_, files),) = hub.commits["owner/a_run"]
    (code,) = re.findall(r"```python\n(.*?)```", files["README.md"].decode(), re.DOTALL)
    small_model().save_pretrained(tmp_path / "base")
    code = re.sub(r'"owner/base"(?:, revision="\w+")?', repr(str(tmp_path / "base")), code)
    names: dict = {}
    exec(code.replace("<this folder>", str(tmp_path / "there")), names)
    with torch.no_grad():
        found = names["model"].eval()(token_batch()).logits
    assert torch.allclose(found, torch.load(tmp_path / "a_run" / "logits.pt"), atol=1e-6)


def test_a_later_upload_is_a_commit_of_its_own_in_the_same_repository(hub: UploadHub, tmp_path: Path) -> None:
    first = published(tmp_path)
    second = published(tmp_path, "lora", private=False)
    assert [commit for commit, _ in hub.commits["owner/a_run"]] == [first["revision"], second["revision"]]
    assert hub.private == {"owner/a_run": True}


def test_without_a_token_nothing_is_written_and_the_sentence_says_what_is_missing(
    hub: UploadHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(InputError, match="HF_TOKEN") as refused:
        published(tmp_path)
    assert "hf_wrong" not in str(refused.value)
    assert not hub.commits
    assert not (tmp_path / "published" / "a_run.json").exists()


def test_a_commit_that_was_found_once_is_held_until_a_revision_is_pinned(hub: UploadHub, tmp_path: Path) -> None:
    held = tmp_path / "data" / "revisions.json"
    first = hub.add_commit("owner/tuned", {"model.safetensors": b"first", "config.json": b"{}"})

    def fetched(revision: str = "") -> dict:
        fetch_checkpoint("owner/tuned", revision, tmp_path / "there", tmp_path / "cache", held)
        return read_json(tmp_path / "there" / "checkpoint.json")

    assert fetched()["revision"] == first
    second = hub.add_commit("owner/tuned", {"model.safetensors": b"second"})
    assert fetched()["revision"] == first
    assert (tmp_path / "there" / "model.safetensors").read_bytes() == b"first"
    assert read_json(held) == {"owner/tuned": first}
    assert fetched(second)["revision"] == second
    assert read_json(held) == {"owner/tuned": first}
    write_json({}, held)
    assert fetched()["revision"] == second


def test_a_repository_that_the_hub_does_not_know_is_not_held(hub: UploadHub, tmp_path: Path) -> None:
    held = tmp_path / "revisions.json"
    with pytest.raises(InputError, match="owner/nowhere"):
        fetch_checkpoint("owner/nowhere", "", tmp_path / "there", tmp_path / "cache", held)
    assert not held.exists()
    held.write_text("[]")
    with pytest.raises(InputError, match="no object"):
        fetch_checkpoint("owner/nowhere", "", tmp_path / "there", tmp_path / "cache", held)
