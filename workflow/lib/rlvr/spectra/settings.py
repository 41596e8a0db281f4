"""Settings of the diagnostics, and which layers of a model they decompose."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from rlvr.core.errors import InputError
from rlvr.core.io import read_json


@dataclass(frozen=True)
class DiagnosticsSettings:
    """Settings of the diagnostics: sizes of masks and subspaces, and which layers are decomposed.

    Attributes:
        principal_rank: k of the rank-k reconstruction that defines principal weights.
        mask_share: alpha, the density of the principal and of the low-magnitude mask.
        top_directions: Leading directions whose rotation is measured.
        decomposed_depths: Depths at which weights are decomposed, which is most of the cost; 0 is the first layer of
            a model, 1 its last; ``None`` for all layers.
    """

    principal_rank: int
    mask_share: float
    top_directions: int
    decomposed_depths: tuple[float, ...] | None = None

    def decomposed_layers(self, layers: int) -> frozenset[int] | None:
        """Layers of a model of so many that are decomposed; ``None`` for all."""
        return None if self.decomposed_depths is None else layers_at(self.decomposed_depths, layers)


def layers_at(depths: Collection[float], layers: int) -> frozenset[int]:
    """The layers nearest to depths from 0 (first) to 1 (last); of two as near, the upper one.

    >>> sorted(layers_at((0, 0.5, 1), 28)), sorted(layers_at((0, 0.5, 1), 36)), sorted(layers_at((0, 0.5, 1), 2))
    ([0, 14, 27], [0, 18, 35], [0, 1])
    """
    return frozenset(math.floor(depth * (layers - 1) + 0.5) for depth in depths)


def settings_for(base: str | Path, width_share: int, depths: tuple[float, ...] | None) -> DiagnosticsSettings:
    """Settings for a model of any width: ranks and directions are a share of it, masks hold half of the entries.

    Args:
        base: Folder of the model.
        width_share: How many times the ranks go into the width.
        depths: Of the decomposed layers.

    Raises:
        InputError: If the folder has no configuration that states a width.
    """
    path = Path(base) / "config.json"
    width = read_json(path).get("hidden_size") if path.is_file() else None
    if not isinstance(width, int):
        raise InputError(path, "states no hidden_size.", "Give the folder of a decoder in Hugging Face layout.")
    rank = max(width // width_share, 1)
    return DiagnosticsSettings(rank, 0.5, rank, depths)
