"""What the diagnostics ask of a base weight alone, found once per base and read by every run that starts from it.

Of every matrix of the decoder layers: the threshold of its low-magnitude mask. Of the layers that are decomposed: all
singular triples in float64, and the principal mask, one bit per weight. A run that reads them has the same diagnostics,
bit for bit, as one that computes them.

Size on disk: ``8 k (rows + cols + 1) + rows cols / 8`` bytes per decomposed matrix with k = min(rows, cols). For an 8B
model and three of its 36 layers that is 6.7 GB, of which a run reads one matrix at a time (0.27 GB for 4096 x 4096).
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from rlvr.core.errors import InputError
from rlvr.core.installed import check_weights
from rlvr.core.io import atomic_path, read_json, write_json
from rlvr.spectra.directions import decompose
from rlvr.spectra.settings import DiagnosticsSettings
from rlvr.weights.decompositions import PARTS, Triples
from rlvr.weights.masks import principal_mask, share_threshold
from rlvr.weights.tensors import TensorStore
from rlvr.weights.updates import LAYER_WEIGHT, count_layers

MANIFEST = "factors.json"
AGAIN = "Make it again: `snakemake --forcerun factor_base`."
NORM_TOLERANCE = 1e-9  # relative; another order of summation moves a norm by 1e-13


@dataclass(frozen=True)
class Decomposed:
    """Directions of a base weight, and its principal weights.

    Attributes:
        triples: All of them.
        principal: Mask (rows, cols) of its principal weights.
    """

    triples: Triples
    principal: Tensor


@dataclass(frozen=True)
class BaseFactors:
    """What is known of a base weight.

    Attributes:
        low_threshold: Smallest score, ``-|w|``, in the low-magnitude mask.
        decomposed: ``None`` in a layer that is not decomposed.
    """

    low_threshold: float
    decomposed: Decomposed | None


def factor_weight(weight: Tensor, settings: DiagnosticsSettings, is_decomposed: bool) -> BaseFactors:
    """Compute what the diagnostics ask of a base weight (rows, cols)."""
    threshold = share_threshold(-weight.abs(), settings.mask_share)
    if not is_decomposed:
        return BaseFactors(threshold, None)
    found = decompose(weight)
    # By rows, as files hold them: products with matrices that lie otherwise in memory differ in the last bit.
    triples = Triples(*(getattr(found, part).contiguous() for part in PARTS))
    principal = principal_mask(triples.first(settings.principal_rank).product(), settings.mask_share)
    return BaseFactors(threshold, Decomposed(triples, principal))


def factor_base(base_dir: str | Path, settings: DiagnosticsSettings, out: str | Path) -> None:
    """Write the factors of every matrix of a base's decoder layers, one file per matrix beside ``out``.

    Args:
        base_dir: Base in Hugging Face layout.
        settings: Of the diagnostics that will read them.
        out: The manifest, ``factors.json``; written last.

    Raises:
        InputError: If the base has no weight in a decoder layer, or has changed since it was installed.
    """
    check_weights(base_dir)
    base, folder, total = TensorStore(base_dir), Path(out).parent, 0
    decomposed = settings.decomposed_layers(count_layers(base_dir))
    for old in folder.glob("*.safetensors"):
        old.unlink()
    for name in base.names:
        match = LAYER_WEIGHT.match(name)
        if match is None or len(base.shape(name)) != 2:
            continue
        weight, module = base.read(name), match["module"]
        found = factor_weight(weight, settings, _is_in(decomposed, int(match["layer"])))
        with atomic_path(folder / f"{module}.safetensors") as path:
            save_file(_as_tensors(module, weight, found), path)
        total += (folder / f"{module}.safetensors").stat().st_size
    write_json({"settings": _plain(settings), "bytes": total}, out)


def _is_in(decomposed: Collection[int] | None, layer: int) -> bool:
    return decomposed is None or layer in decomposed


def _plain(settings: DiagnosticsSettings) -> dict[str, Any]:
    """Settings as JSON gives them back."""
    depths = settings.decomposed_depths
    return {**asdict(settings), "decomposed_depths": None if depths is None else list(depths)}


def _norm(weight: Tensor) -> Tensor:
    return torch.linalg.vector_norm(weight, dtype=torch.float64).reshape(1)


def _as_tensors(module: str, weight: Tensor, found: BaseFactors) -> dict[str, Tensor]:
    """Named ``<module>.<part>``; the norm tells whether it is the same weight that asks."""
    tensors = {"norm": _norm(weight), "low_threshold": torch.tensor([found.low_threshold], dtype=torch.float64)}
    if found.decomposed is not None:
        tensors |= {part: getattr(found.decomposed.triples, part) for part in PARTS}
        tensors["principal"] = torch.from_numpy(np.packbits(found.decomposed.principal.numpy()))
    return {f"{module}.{part}": tensor for part, tensor in tensors.items()}


class StoredFactors:
    """A folder that :func:`factor_base` wrote; one matrix is read when it is asked for."""

    def __init__(self, folder: str | Path, settings: DiagnosticsSettings) -> None:
        """Open the files.

        Raises:
            InputError: If they were made with other settings.
        """
        made = read_json(Path(folder) / MANIFEST)["settings"]
        if made != (asked := _plain(settings)):
            raise InputError(folder, f"was made with {made}, asked for is {asked}.", AGAIN)
        self._store = TensorStore(folder)
        self._names = set(self._store.names)

    def read(self, module: str, weight: Tensor) -> BaseFactors | None:
        """Factors of a module's base weight (rows, cols); ``None`` where the module is in no decoder layer.

        Raises:
            InputError: If they are those of another weight; names the module.
        """
        if f"{module}.norm" not in self._names:
            return None
        kept, here = float(self._part(module, "norm")), float(_norm(weight))
        if not abs(kept - here) <= NORM_TOLERANCE * here:
            problem = f"holds factors of another weight: norm {kept:.12g}, of the base {here:.12g}."
            raise InputError(f"{self._store.folder}, {module}", problem, AGAIN)
        threshold = float(self._part(module, "low_threshold"))
        if f"{module}.principal" not in self._names:
            return BaseFactors(threshold, None)
        bits = np.unpackbits(self._part(module, "principal").numpy(), count=weight.numel())
        principal = torch.from_numpy(bits).view(weight.shape).bool()
        triples = Triples(*(self._part(module, part) for part in PARTS))
        return BaseFactors(threshold, Decomposed(triples, principal))

    def _part(self, module: str, part: str) -> Tensor:
        return self._store.read(f"{module}.{part}")
