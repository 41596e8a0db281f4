"""Classifications of digits in the released columns of two GLUE tasks: is a number in order, are two the same digits?

Half of the rows have either label. A prompt has at most 64 tokens of a character-level model.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

LENGTHS = (3, 4, 5)


def cola_rows(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Numbers in the place of sentences; acceptable are those whose digits never fall."""
    return pd.DataFrame([_cola_row(place, rng) for place in range(rows)])


def _cola_row(place: int, rng: np.random.Generator) -> dict[str, Any]:
    digits = np.sort(rng.choice(np.arange(1, 10), size=int(rng.choice(LENGTHS)), replace=False))
    label = int(rng.integers(2))
    if not label:
        digits = np.roll(digits, int(rng.integers(1, len(digits))))
    return {"sentence": "".join(map(str, digits)), "label": label, "idx": place}


def mrpc_rows(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Pairs of numbers in the place of pairs of sentences; a paraphrase is the same digits in reverse."""
    return pd.DataFrame([_mrpc_row(place, rng) for place in range(rows)])


def _mrpc_row(place: int, rng: np.random.Generator) -> dict[str, Any]:
    first = "".join(map(str, rng.integers(1, 10, size=int(rng.choice(LENGTHS)))))
    label, second = int(rng.integers(2)), first[::-1]
    if not label:
        changed = int(rng.integers(len(second)))
        other = str(rng.choice([digit for digit in "123456789" if digit != second[changed]]))
        second = second[:changed] + other + second[changed + 1 :]
    return {"sentence1": first, "sentence2": second, "label": label, "idx": place}


SENTENCE_ROWS: Mapping[str, Callable[[int, np.random.Generator], pd.DataFrame]] = {
    "cola": cola_rows,
    "cola-validation": cola_rows,
    "mrpc": mrpc_rows,
    "mrpc-validation": mrpc_rows,
}
