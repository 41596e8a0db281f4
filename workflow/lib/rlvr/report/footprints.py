"""Reading which weights runs changed, as :mod:`rlvr.spectra.footprints` writes it; needs NumPy only."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# NumPy is imported where masks are read: the Snakefile reads the kinds of figures.
Mask: TypeAlias = "NDArray[np.bool_]"
MIDDLE = 0.5


class Module(NamedTuple):
    """One matrix of a footprint: its place in the file, name, layer, last part of the name, and shape."""

    place: int
    name: str
    layer: int
    projection: str
    rows: int
    cols: int


class Footprint:
    """The masks of one run or pair; a mask is read when it is asked for.

    Attributes:
        run_id: Name of the run or pair.
        modules: Its matrices, in the order of their names.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a file."""
        import numpy as np

        self._file: Any = np.load(path)
        self.run_id = str(self._file["run_id"])
        columns = [self._file[name].tolist() for name in ("module", "layer", "projection", "rows", "cols")]
        self.modules = [Module(place, *facts) for place, facts in enumerate(zip(*columns, strict=True))]

    def update(self, module: Module) -> Mask:
        """Which weights of a module changed, (rows, cols)."""
        return self._mask("update", module)

    def principal(self, module: Module) -> "Mask | None":
        """The principal weights of a module, (rows, cols); ``None`` where its layer was not decomposed."""
        return self._mask("principal", module) if f"principal/{module.place}" in self._file else None

    def _mask(self, part: str, module: Module) -> Mask:
        import numpy as np

        size = module.rows * module.cols
        bits = np.unpackbits(self._file[f"{part}/{module.place}"], count=size)
        return bits.astype(bool).reshape(module.rows, module.cols)


def open_footprints(paths: Sequence[str | Path]) -> dict[str, Footprint]:
    """Footprints by run or pair."""
    return {found.run_id: found for found in map(Footprint, paths)}


def layer_at(footprint: Footprint, depth: float) -> int:
    """The layer nearest to a depth from 0 (first) to 1 (last)."""
    layers = sorted({module.layer for module in footprint.modules})
    return layers[round(depth * (len(layers) - 1))]


def shared_modules(footprints: Sequence[Footprint]) -> Iterator[tuple[Module, list[Mask]]]:
    """The modules that all of them have, each with their update masks; one module is held at a time."""
    by_name = [{module.name: module for module in found.modules} for found in footprints]
    for name in by_name[0] if by_name else ():
        if all(name in known for known in by_name):
            masks = [found.update(known[name]) for found, known in zip(footprints, by_name, strict=True)]
            yield by_name[0][name], masks


def jaccard(first: Mask, second: Mask) -> float:
    """``|A and B| / |A or B|``; 0 where both are empty."""
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 0.0


def independent_jaccard(p: float, q: float) -> float:
    """Jaccard index that independent masks of these densities have: ``p q / (p + q - p q)``.

    SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", section 2.2.
    """
    return p * q / (p + q - p * q) if p + q > 0 else 0.0


def overlap(identified: Mask, update: Mask) -> float:
    """``|M_o and M| / |M|``: the share of the changed weights that an identified mask holds; 0 for an empty update.

    SOURCE: "The Path Not Taken", section 4.2. A guess at random scores the density of ``identified``.
    """
    changed = int(update.sum())
    return int((identified & update).sum()) / changed if changed else 0.0
