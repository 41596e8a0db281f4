"""Named tensors of a safetensors folder, single file or sharded, read only when asked for."""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from rlvr.core.errors import InputError


class TensorStore:
    """A folder's safetensors files, open for as long as the store lives; single tensors are read from them."""

    def __init__(self, folder: str | Path, strip: str = "") -> None:
        """Open the files and index their names.

        Args:
            folder: Holds one or more ``*.safetensors`` files.
            strip: Prefix to remove from every stored name.

        Raises:
            InputError: If there is no file, a file is damaged, or two files hold the same name.
        """
        self.folder = Path(folder)
        self._files: dict[str, tuple[Any, str]] = {}
        paths = sorted(self.folder.glob("*.safetensors"))
        if not paths:
            raise InputError(self.folder, "holds no *.safetensors file.", "Only safetensors checkpoints are read.")
        for path in paths:
            handle = _open(path)
            for stored in handle.keys():  # noqa: SIM118 - a handle is not a mapping
                name = stored.removeprefix(strip)
                if name in self._files:
                    raise InputError(path, f"tensor '{name}' is in two files.", "Remove the surplus shard.")
                self._files[name] = (handle, stored)

    @property
    def names(self) -> list[str]:
        """Names of all tensors, sorted."""
        return sorted(self._files)

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
        """Shape of a tensor, without reading its values."""
        handle, stored = self._find(name)
        return tuple(handle.get_slice(stored).get_shape())

    def read(self, name: str) -> Tensor:
        """One tensor in its stored type.

        Raises:
            InputError: If it is missing or holds NaN or infinite values; the message names the tensor.
        """
        handle, stored = self._find(name)
        tensor = handle.get_tensor(stored)
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise InputError(self.folder, f"tensor '{name}' holds NaN or infinite values.", "The run diverged.")
        return tensor

    def _find(self, name: str) -> tuple[Any, str]:
        if name not in self._files:
            raise InputError(self.folder, f"tensor '{name}' is missing.", "Use the matching base, or fetch it again.")
        return self._files[name]


def _open(path: Path) -> Any:
    try:
        return safe_open(path, "pt")
    except (SafetensorError, OSError) as error:
        raise InputError(path, f"not a readable safetensors file ({error}).", "Fetch or train it again.") from error
