"""Named tensors of a safetensors folder, single file or sharded, read only when asked for."""

import json
import re
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from rlvr.core.errors import InputError
from rlvr.core.io import read_json
from rlvr.core.shards import indexed_shards

HEAD, EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"
# What makes images of models of vision and language into tokens, as Qwen2.5-VL, OpenVLA and LLaVA name it
VISION = re.compile(r"^(model\.)?(visual|vision_(tower|model|backbone)|multi_modal_projector|projector)\.")


class TensorStore:
    """A folder's safetensors files, open for as long as the store lives; single tensors are read from them."""

    def __init__(self, folder: str | Path, strip: str = "") -> None:
        """Open the files and index their names.

        Args:
            folder: Holds one or more ``*.safetensors`` files; where an index lists the shards, those and no others.
            strip: Prefix to remove from every stored name.

        Raises:
            InputError: If there is no file, a file is damaged or cut short, two files hold the same name, or a tensor
                that the index lists is missing; the message names a tensor.
        """
        self.folder = Path(folder)
        self._files: dict[str, tuple[Any, str]] = {}
        shards = indexed_shards(self.folder)
        for path in sorted(set(shards.values())) or sorted(self.folder.glob("*.safetensors")):
            handle = _open(path)
            for stored in handle.keys():  # noqa: SIM118 - a handle is not a mapping
                name = stored.removeprefix(strip)
                if name in self._files:
                    raise InputError(path, f"tensor '{name}' is in two files.", "Remove the surplus shard.")
                self._files[name] = (handle, stored)
        if not self._files:
            raise InputError(self.folder, "holds no *.safetensors file.", "Only safetensors checkpoints are read.")
        for name, path in shards.items():
            if name.removeprefix(strip) not in self._files:
                raise InputError(path, f"tensor '{name}' is missing, the index says it is here.", "Fetch it again.")
        self._tied = _ties_head(self.folder)

    @property
    def names(self) -> list[str]:
        """Names of all tensors, sorted."""
        return sorted(self._files)

    @property
    def language_names(self) -> list[str]:
        """Names of the tensors of the language model, sorted: all but those of a vision tower."""
        return [name for name in self.names if not VISION.match(name)]

    @property
    def is_tied(self) -> bool:
        """Whether the output head is the embedding and has no tensor of its own."""
        return self._tied and HEAD not in self._files

    def modules(self, suffix: str) -> list[str]:
        """Sorted names of the modules that have a tensor ``<module>.<suffix>``.

        Raises:
            InputError: If there is none.
        """
        found = [name.removesuffix(f".{suffix}") for name in self.names if name.endswith(f".{suffix}")]
        if not found:
            raise InputError(self.folder, f"no tensor '*.{suffix}'.", f"It holds: {', '.join(self.names[:3])}, ...")
        return found

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a tensor, without reading its values.

        Raises:
            InputError: If it is missing.
        """
        handle, stored = self._find(name)
        return tuple(handle.get_slice(stored).get_shape())

    def read(self, name: str) -> Tensor:
        """One tensor in its stored type; an output head that the configuration ties is read from the embedding.

        Raises:
            InputError: If it is missing, stored in eight bits, or holds NaN or infinite values; the message names the
                tensor.
        """
        handle, stored = self._find(name)
        tensor = handle.get_tensor(stored)
        if tensor.is_floating_point() and tensor.element_size() < 2:
            problem = f"tensor '{name}' is stored as {str(tensor.dtype).removeprefix('torch.')}, without its scale."
            raise InputError(self.folder, problem, "Give the checkpoint in bfloat16 or float32.")
        if tensor.is_floating_point() and not all_finite(tensor):
            raise InputError(self.folder, f"tensor '{name}' holds NaN or infinite values.", "The run diverged.")
        return tensor

    def _find(self, name: str) -> tuple[Any, str]:
        stored = EMBEDDING if name == HEAD and name not in self._files and self._tied else name
        if stored not in self._files:
            raise InputError(self.folder, f"tensor '{name}' is missing.", "Use the matching base, or fetch it again.")
        return self._files[stored]


def all_finite(tensor: Tensor) -> bool:
    """Whether no entry is NaN or infinite.

    A sum is finite only if all its terms are: one pass without a temporary, 20 times as fast as a test of every entry,
    which is left to sums that overflow.
    """
    return bool(torch.isfinite(tensor.sum())) or bool(torch.isfinite(tensor).all())


def _ties_head(folder: Path) -> bool:
    """Whether the model's output head is its embedding, and so not stored."""
    config = folder / "config.json"
    return bool(config.is_file() and read_json(config).get("tie_word_embeddings"))


def _open(path: Path) -> Any:
    try:
        return safe_open(path, "pt")
    except (SafetensorError, OSError) as error:
        problem = f"not a readable safetensors file ({error}){_first_cut_tensor(path)}."
        raise InputError(path, problem, "Fetch or train it again.") from error


def _first_cut_tensor(path: Path) -> str:
    """Names the first tensor that lies beyond the end of a truncated file, as far as its header tells.

    SOURCE: format of safetensors: eight bytes with the header's length, the header in JSON, then the tensors' bytes at
    the offsets that the header lists.
    """
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(length))
        held = path.stat().st_size - 8 - length
        ends = {name: entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"}
    except (ValueError, OSError, KeyError, TypeError, OverflowError):  # the header itself is damaged
        return ""
    cut = [name for name, end in sorted(ends.items(), key=lambda item: item[1]) if end > held]
    return f": it ends before the end of tensor '{cut[0]}'" if cut else ""
