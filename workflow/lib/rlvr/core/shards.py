"""The index of a model that is stored in several files."""

from pathlib import Path

from rlvr.core.errors import InputError
from rlvr.core.io import read_json


def indexed_shards(folder: Path) -> dict[str, Path]:
    """The file of every tensor that ``*.safetensors.index.json`` lists; empty without such a file.

    Raises:
        InputError: If a file is missing, or lies anywhere but in the folder; names it and a tensor.
    """
    indices = sorted(folder.glob("*.safetensors.index.json"))
    listed = {name: folder / file for index in indices for name, file in read_json(index)["weight_map"].items()}
    for name, path in listed.items():
        if path.parent != folder:
            raise InputError(folder, f"its index looks for tensor '{name}' in '{path}', outside.", "Fetch it again.")
        if not path.is_file():
            raise InputError(path, f"this shard is missing, and with it tensor '{name}'.", "Fetch it again.")
    return listed
