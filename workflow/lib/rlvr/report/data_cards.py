"""Data cards as figures read them."""

from collections.abc import Sequence
from typing import Any

from rlvr.core.io import read_json


def find_card(paths: Sequence[str], dataset: str) -> dict[str, Any] | None:
    """The card of a data set among these files; ``None`` where the scale has no such data set."""
    cards = (read_json(path) for path in paths)
    return next((card for card in cards if card["recipe"]["dataset"] == dataset), None)


def missing_text(dataset: str) -> str:
    """Text of a figure whose data set the scale does not have."""
    return f"data set '{dataset}' is not part of this scale"
