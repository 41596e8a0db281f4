"""Base models on disk: what a usable folder holds, and how to open it."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.errors import InputError
from rlvr.core.installed import check_weights
from rlvr.core.io import read_json
from rlvr.core.shards import indexed_shards

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_tokenizer(path: str | Path) -> "PreTrainedTokenizerBase":
    """Tokenizer of a base folder, padding on the left as generation needs.

    Raises:
        InputError: If the folder is not a usable base; see ``check_base``.
    """
    from transformers import AutoTokenizer

    check_base(path)
    return AutoTokenizer.from_pretrained(str(path), local_files_only=True, padding_side="left", trust_remote_code=False)


def load_base(path: str | Path, dtype: str = "float32", device: str = "cpu") -> "PreTrainedModel":
    """Weights of a base folder as a causal language model in evaluation mode.

    Args:
        path: Folder in Hugging Face layout; the hub is never asked.
        dtype: Name of a torch type, e.g. float32 or bfloat16.
        device: Where the weights go, e.g. cpu or cuda.

    Raises:
        InputError: If the folder is not a usable base, or its weights have changed since they were installed; see
            ``check_base`` and ``check_weights``.
    """
    import torch
    from transformers import AutoModelForCausalLM

    check_base(path)
    check_weights(path)
    weights = AutoModelForCausalLM.from_pretrained(
        str(path),
        dtype=getattr(torch, dtype),
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,  # unset, transformers asks on the terminal, and runs the folder's code on a "y"
    )
    return weights.to(device).eval()  # type: ignore[arg-type]  # transformers wraps `to` without its self


def check_base(path: str | Path) -> None:
    """Refuse a base folder that would only fail later, in training; costs no import of torch.

    Raises:
        InputError: If configuration, safetensors weights, tokenizer or pad token are missing, or the index of the
            weights leads out of the folder.
    """
    folder = Path(path)
    remedy = "Delete the folder and make the model again (`snakemake models`)."
    if not (folder / "config.json").is_file():
        raise InputError(folder / "config.json", "missing: this is not a model in Hugging Face layout.", remedy)
    if not any(folder.glob("*.safetensors")):
        raise InputError(folder, "expected weights in *.safetensors, found none.", "Convert them; pickles are refused.")
    indexed_shards(folder)
    if not (folder / "tokenizer.json").is_file():
        raise InputError(folder / "tokenizer.json", "missing: the base has no tokenizer.", remedy)
    check_pad_token(folder / "tokenizer_config.json")


def check_pad_token(settings_path: Path) -> None:
    """Refuse a tokenizer without a pad token.

    It may be the token that ends a text, as in Qwen's base models: training and sampling find the end of a completion
    by its first end token and mask by length, never by comparing with the pad token.

    Raises:
        InputError: If there is none: completions of different lengths could not be batched.
    """
    settings = read_json(settings_path) if settings_path.is_file() else {}
    if token_text(settings.get("pad_token")) is None:
        remedy = "Name a token of its vocabulary as `pad_token` of this model in the scale file."
        raise InputError(settings_path, "expected a `pad_token`, found none.", remedy)


def token_text(token: str | dict | None) -> str | None:
    """The text of a token as ``tokenizer_config.json`` writes it: a string, or an object with ``content``."""
    return token["content"] if isinstance(token, dict) else token
