"""The shipped bases are what their rule makes."""

from pathlib import Path

import pytest
import torch
import yaml

from rlvr.bases.loading import load_base, load_tokenizer
from rlvr.bases.pretrain import PretrainSettings, completion_loss, make_batch, pretrain_base
from rlvr.core.io import read_json
from rlvr.core.seeds import make_rng

ROOT = Path(__file__).resolve().parents[2]
MODEL = "apertus-8b"  # the cheapest of the three, about a minute


def loss_of(folder: Path, settings: PretrainSettings) -> float:
    ids, labels = make_batch(load_tokenizer(folder), settings, make_rng(1, "unseen"))
    with torch.inference_mode():
        return completion_loss(load_base(folder), ids, labels).item()


@pytest.mark.nightly  # a minute; that the scale states the settings of what is shipped is a test of test_models.py
def test_the_rule_reproduces_a_shipped_base(tmp_path: Path) -> None:
    """Bit for bit on the kind of CPU that made it; elsewhere up to what other roundings do to 300 steps."""
    scale = yaml.safe_load((ROOT / "workflow/scales/tiny.yaml").read_text())
    model = scale["models"][MODEL]
    settings = PretrainSettings(
        architecture=model["architecture"], steps=model["steps"], template=scale["template"], **scale["pretrain"]
    )
    pretrain_base(settings, tmp_path / "base")
    shipped = ROOT / "data/bases" / MODEL
    made, expected = (read_json(folder / "model.json") for folder in (tmp_path / "base", shipped))
    assert made["settings"] == expected["settings"]
    assert made["pretraining_tokens"] == expected["pretraining_tokens"]
    if made["weights_sha256"] != expected["weights_sha256"]:
        assert loss_of(tmp_path / "base", settings) == pytest.approx(loss_of(shipped, settings), rel=0.05)
