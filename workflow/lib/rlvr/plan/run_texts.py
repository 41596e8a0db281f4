"""Rows of a grid as a reader names them."""

from collections.abc import Mapping
from typing import Any

NAMED = ("run_id", "model", "dataset", "method", "seed", "tier", "completions_per_step")  # shown in places of their own
NOT_A_SETTING = {*NAMED, "for"}
BARE = ("target_modules", "schedule")  # settings whose value says what it is
SYMBOLS = {"rank": "r", "alpha": "\N{GREEK SMALL LETTER ALPHA}", "axes": "d"}


def setting_text(row: Mapping[str, Any]) -> str:
    """What a row of a grid sets beyond model, data, method, batch and seed.

    >>> setting_text({"run_id": "a", "method": "lora", "rank": 8, "alpha": 16, "target_modules": "no_kv", "for": ""})
    'r = 8, α = 16, no_kv'
    """
    parts = []
    for name, value in row.items():
        if name in NOT_A_SETTING or value in (None, ""):
            continue
        text = f"{value:g}" if isinstance(value, float) else str(value)
        parts.append(text if name in BARE else f"{SYMBOLS.get(name, name)} = {text}")
    return ", ".join(parts)


def describe_run(row: Mapping[str, Any], selected: bool) -> dict[str, Any]:
    """A row of a grid as plain values for a job: ``NAMED``, its setting as a text, and whether it was asked for."""
    return {**{name: row.get(name) for name in NAMED}, "setting": setting_text(row), "selected": selected}
