"""A base of one's own: a folder in Hugging Face layout, taken as it is."""

from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError

TAKEN = ("*.safetensors", "*.json", "*.txt", "*.jinja", "tokenizer.model")
NEEDED = ("config.json", "tokenizer.json")


def find_files(path: str) -> list[str]:
    """The files of a folder that make a base, sorted.

    Raises:
        InputError: If configuration, tokenizer or weights in safetensors are missing.
    """
    folder = Path(path).expanduser()
    for name in NEEDED:
        if not (folder / name).is_file():
            raise InputError(folder / name, "no such file.", "Name a model's folder, Hugging Face layout.")
    found = sorted({str(each) for pattern in TAKEN for each in folder.glob(pattern) if each.is_file()})
    if not any(name.endswith(".safetensors") for name in found):
        raise InputError(folder, "holds no *.safetensors.", "Convert the weights; pickles are refused.")
    return found


def install_folder(path: str, out_dir: str | Path, pad_token: str | None = None) -> None:
    """Copy a base of one's own and write its ``model.json``; weights are linked where the file system allows it.

    Args:
        path: Its folder.
        out_dir: Folder of the model; replaced whole or not at all.
        pad_token: Token of the vocabulary to pad with, for a tokenizer that names none.

    Raises:
        InputError: If the folder is no usable base.
    """
    from rlvr.bases.hub_models import describe_folder, link_or_copy, set_pad_token
    from rlvr.bases.loading import check_base
    from rlvr.core.io import atomic_folder, write_json

    with atomic_folder(out_dir) as folder:
        for name in find_files(path):
            if Path(name).name != "model.json":
                link_or_copy(Path(name), folder / Path(name).name)
        if pad_token is not None:
            set_pad_token(folder, pad_token)
        check_base(folder)
        facts: dict[str, Any] = {"kind": "local", **describe_folder(folder)}
        write_json(facts, folder / "model.json")
