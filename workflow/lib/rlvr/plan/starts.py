"""Which weights the experiment on DoRA's start is made with, and at which learning rates."""

from collections.abc import Mapping
from typing import Any

SHAPE = "^[1-9][0-9]{0,6}x[1-9][0-9]{0,6}$"
RATES = (0.0, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 1e-3)  # around the printed 1e-5; 0 is untrained


def start_shapes(scale: Mapping[str, Any], tier: str) -> list[str]:
    """Shapes, such as ``64x64``, that a tier measures; those of both where the tier is ``all``."""
    starts = scale["spectra"].get("starts", {})
    asked = list(starts) if tier == "all" else [tier]
    return sorted({shape for name in asked for shape in starts.get(name, ())})


def parse_shape(shape: str) -> tuple[int, int]:
    """Rows (outputs) and columns (inputs).

    >>> parse_shape("1024x4096")
    (1024, 4096)
    """
    rows, columns = shape.split("x")
    return int(rows), int(columns)
