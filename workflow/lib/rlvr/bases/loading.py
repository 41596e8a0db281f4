"""Base models on disk: what a usable folder holds, and how to open it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.errors import InputError
from rlvr.core.io import read_json

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_tokenizer(path: str | Path) -> "PreTrainedTokenizerBase":
    """Tokenizer of a base folder, padding on the left as generation needs.

    Raises:
        InputError: If the folder is not a usable base; see ``check_base``.
    """
    from transformers import AutoTokenizer

    check_base(path)
    return AutoTokenizer.from_pretrained(str(path), local_files_only=True, padding_side="left")


def load_base(path: str | Path, dtype: str = "float32", device: str = "cpu") -> "PreTrainedModel":
    """Weights of a base folder as a causal language model in evaluation mode.

    Args:
        path: Folder in Hugging Face layout; the hub is never asked.
        dtype: Name of a torch type, e.g. float32 or bfloat16.
        device: Where the weights go, e.g. cpu or cuda.

    Raises:
        InputError: If the folder is not a usable base; see ``check_base``.
    """
    import torch
    from transformers import AutoModelForCausalLM

    check_base(path)
    weights = AutoModelForCausalLM.from_pretrained(
        str(path), dtype=getattr(torch, dtype), local_files_only=True, use_safetensors=True
    )
    return weights.to(device).eval()  # type: ignore[arg-type]  # transformers wraps `to` without its self


def check_base(path: str | Path) -> None:
    """Refuse a base folder that would only fail later, in training; costs no import of torch.

    Raises:
        InputError: If configuration, safetensors weights, tokenizer or pad token are missing.
    """
    folder = Path(path)
    remedy = "Delete the folder and make the model again (`snakemake models`)."
    if not (folder / "config.json").is_file():
        raise InputError(folder / "config.json", "missing: this is not a model in Hugging Face layout.", remedy)
    if not any(folder.glob("*.safetensors")):
        raise InputError(folder, "expected weights in *.safetensors, found none.", "Convert them; pickles are refused.")
    if not (folder / "tokenizer.json").is_file():
        raise InputError(folder / "tokenizer.json", "missing: the base has no tokenizer.", remedy)
    check_pad_token(folder / "tokenizer_config.json")


def check_pad_token(settings_path: Path) -> None:
    """Refuse a tokenizer without a pad token, or whose pad token ends a text.

    Raises:
        InputError: If so: completions of different lengths could not be batched, or their ends not be learned.
    """
    settings = read_json(settings_path) if settings_path.is_file() else {}
    pad, eos = token_text(settings.get("pad_token")), token_text(settings.get("eos_token"))
    remedy = "Name an unused token of its vocabulary as `pad_token` of this model in the scale file."
    if pad is None:
        raise InputError(settings_path, "expected a `pad_token`, found none.", remedy)
    if pad == eos:
        raise InputError(settings_path, f"`pad_token` and `eos_token` are both {pad!r}.", remedy)


def weights_sha256(folder: str | Path) -> dict[str, str]:
    """SHA-256 of each weight file of an installed base, as its ``model.json`` states them; empty without one."""
    path = Path(folder) / "model.json"
    return dict(read_json(path).get("weights_sha256", {})) if path.is_file() else {}


def token_text(token: str | dict | None) -> str | None:
    """The text of a token as ``tokenizer_config.json`` writes it: a string, or an object with ``content``."""
    return token["content"] if isinstance(token, dict) else token


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """An empty sibling folder that replaces ``path`` when the block ends without an error.

    A killed writer leaves the old folder (or none) behind, never half of a new one.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if target.exists():
            shutil.rmtree(target)
        temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
