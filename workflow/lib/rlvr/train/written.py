"""The weights of a finished run on disk, and what the folder of a model says of itself."""

import shutil
from pathlib import Path
from typing import cast

import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from rlvr.adapters.merging import write_merged
from rlvr.adapters.methods import find_method
from rlvr.core.io import atomic_folder, read_json, write_json
from rlvr.plan.settings import TrainSettings

GENERATION = "generation_config.json"


def write_weights(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    settings: TrainSettings,
    base: Path,
    out: Path,
) -> None:
    """Write ``adapter/`` (PEFT layout) or ``model/`` (with its tokenizer), whole or not at all.

    Adapters that ``weights.updates`` has no formula for are also written as ``model/``, merged.

    Args:
        model: After training.
        tokenizer: Of the base.
        settings: Of the run.
        base: Folder of the base, whose settings of generation a written model keeps.
        out: Folder of the run.
    """
    if not isinstance(model, PeftModel):
        with atomic_folder(out / "model") as folder:
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            describe_as_base(folder, base, widest_type(model))
        return
    method = find_method(settings.run_id, settings.method)
    with atomic_folder(out / "adapter") as folder:
        method.save_adapter(model, folder)
        (folder / "README.md").unlink(missing_ok=True)
        order_names(folder / "adapter_config.json")
    if method.exports:
        with atomic_folder(out / "model") as folder:
            write_merged(model, folder)
            tokenizer.save_pretrained(folder)
            describe_as_base(folder, base, torch.float32)


def order_names(config: Path) -> None:
    """Write the sets of an adapter's configuration in one order: PEFT's follows the hashes of its process."""
    content = read_json(config)
    for name, value in content.items():
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            content[name] = sorted(value)
    write_json(content, config)


def describe_as_base(folder: Path, base: Path, dtype: torch.dtype) -> None:
    """Let a written model generate as its base does: with the base's cache, end tokens and defaults.

    Training with gradient checkpointing turns the cache off, and the trainer adds tokens of its own. The stored type is
    named, too: whoever loads the folder by it would otherwise round float32 weights to the type of the base.

    Args:
        folder: A model in Hugging Face layout.
        base: The model that it was tuned from.
        dtype: The widest type of its weights.
    """
    config, of_base = read_json(folder / "config.json"), read_json(base / "config.json")
    config.pop("torch_dtype", None)
    config |= {"use_cache": of_base.get("use_cache", True), "dtype": str(dtype).removeprefix("torch.")}
    write_json(config, folder / "config.json")
    if (base / GENERATION).is_file():
        shutil.copyfile(base / GENERATION, folder / GENERATION)


def widest_type(model: PreTrainedModel) -> torch.dtype:
    """The type with the most bytes among a model's weights."""
    return max((cast("torch.dtype", weight.dtype) for weight in model.parameters()), key=lambda kind: kind.itemsize)
