"""Settings of the diagnostics, and which layers of a model they decompose."""

import math
from collections.abc import Collection
from dataclasses import dataclass


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
