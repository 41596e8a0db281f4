"""Randomness is an argument: named, independent streams derived from one seed."""

import hashlib

import numpy as np


def derive_seed(*parts: object) -> int:
    """A 32-bit seed that depends on every part and on nothing else (not on PYTHONHASHSEED)."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "little")


def make_rng(*parts: object) -> np.random.Generator:
    """An independent generator for the stream that the parts name, e.g. ``make_rng(42, "split")``."""
    return np.random.default_rng(derive_seed(*parts))
