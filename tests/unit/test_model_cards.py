"""Cards of runs, and runs brought to a place: what they say, that what they say works, what is refused."""

import re
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from small_models import settings_of, small_model, token_batch

from rlvr.adapters.methods import METHODS
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, write_json
from rlvr.core.publishing import check_known, check_target, publish_run
from rlvr.core.seals import run_digests
from rlvr.report.model_cards import card_text, loading_text
from rlvr.train.manifest import trainable_table

HUB_BASE = {"kind": "hub", "repository": "owner/base", "revision": "0" * 40}
FACTS = {"studies": ["A study"], "scale": "tiny", "comparable": False, "base": HUB_BASE}


def scores(run_id: str, value: float) -> pd.DataFrame:
    row = {"run_id": run_id, "benchmark": "hard", "statistic": "avg_at_k", "k": 4, "n_problems": 20}
    return pd.DataFrame([{**row, "value": value, "low": value - 0.1, "high": value + 0.1}])


def finished(method: str, folder: Path) -> dict:
    """A run's folder as training leaves it, its trained weights moved off their start."""
    settings = settings_of(method, run_id="a_run")
    model = METHODS[method].attach(small_model(), settings).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05)
    adapted = METHODS[method].tuner is not None
    weights = folder / ("adapter" if adapted else "model")
    METHODS[method].save_adapter(model, weights) if adapted else model.save_pretrained(weights)
    (weights / "README.md").unlink(missing_ok=True)
    with torch.no_grad():
        torch.save(model(token_batch()).logits, folder / "logits.pt")
    table = trainable_table(model)
    manifest = {
        "run_id": "a_run", "settings": settings.to_json(), "tuner": METHODS[method].tuner, "steps": 3,
        "peft_config": {"peft_type": read_json(weights / "adapter_config.json")["peft_type"]} if adapted else None,
        "trainable_parameters": sum(row["parameters"] for row in table), "sha256": {"base_before": "ab"},
        "inputs": {"problems": 7, "train_sha256": "cd"}, "files": run_digests(folder),
    }  # fmt: skip
    write_json(manifest, folder / "run.json")
    return manifest


def header(card: str) -> dict:
    return yaml.safe_load(card.split("---\n")[1])


def test_a_card_has_the_hubs_header_the_settings_and_scores_beside_those_of_the_base(tmp_path: Path) -> None:
    card = card_text(finished("lora", tmp_path), scores("a_run", 0.5), scores("base", 0.25), FACTS)
    assert header(card)["base_model"] == "owner/base"
    assert header(card)["library_name"] == "peft"
    assert "50.0 [40.0, 60.0] | 25.0 [15.0, 35.0]" in card
    assert f"| rank | {settings_of('lora').rank} |" in card
    assert "*A study*" in card
    assert "stand-in" in card
    assert "stand-in" not in card_text(finished("lora", tmp_path), None, None, {**FACTS, "comparable": True})


def test_a_card_without_scores_says_so(tmp_path: Path) -> None:
    assert "Not evaluated." in card_text(finished("lora", tmp_path), None, None, FACTS)


@pytest.mark.parametrize("method", ["lora", "quanta", "mora", "full"])
def test_what_a_card_says_of_loading_gives_the_trained_model(method: str, tmp_path: Path) -> None:
    manifest = finished(method, tmp_path)
    small_model().save_pretrained(tmp_path / "base")
    text = loading_text(manifest, str(tmp_path / "base"))
    assert ("import rlvr.adapters" in text) == (method in ("quanta", "mora"))
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    place = tmp_path / ("model" if method == "full" else "adapter")
    names: dict = {}
    exec(code.replace("<this folder>", str(place)), names)
    with torch.no_grad():
        found = names["model"].eval()(token_batch()).logits
    assert torch.allclose(found, torch.load(tmp_path / "logits.pt"), atol=1e-6)


def test_a_published_run_has_its_card_and_names_the_hubs_base(tmp_path: Path) -> None:
    run = tmp_path / "a_run"
    run.mkdir()
    finished("quanta", run)
    card = tmp_path / "README.md"
    card.write_text("# card\n")
    publish_run(str(run), str(card), HUB_BASE, f"folder:{tmp_path / 'shared'}", True, str(tmp_path / "record.json"))
    there = tmp_path / "shared" / "a_run"
    names = {"README.md", "adapter_config.json", "adapter_model.safetensors", "training.json"}
    assert {path.name for path in there.iterdir()} == names
    config = read_json(there / "adapter_config.json")
    assert (config["base_model_name_or_path"], config["revision"]) == ("owner/base", "0" * 40)
    assert set(read_json(tmp_path / "record.json")["files"]) == names
    weights = "adapter_model.safetensors"
    assert (there / weights).read_bytes() == (run / "adapter" / weights).read_bytes()


def test_a_changed_run_is_not_published(tmp_path: Path) -> None:
    finished("lora", tmp_path)
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    with pytest.raises(InputError, match="has changed"):
        publish_run(str(tmp_path), "card", {}, f"folder:{tmp_path / 'there'}", True, str(tmp_path / "record.json"))
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize("to", ["", "somewhere", "folder:", "hub:"])
def test_nothing_is_published_to_no_place(to: str) -> None:
    with pytest.raises(InputError, match=r"publish\.to"):
        check_target(to)


def test_an_unknown_run_is_named() -> None:
    check_known("publish.runs", ["a"], ["a", "b"])
    with pytest.raises(InputError, match="'c'"):
        check_known("publish.runs", ["a", "c"], ["a", "b"])
