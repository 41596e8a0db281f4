"""Synthetic stand-ins of sources, by the names that ``data/sources.csv`` uses."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd

from rlvr.core.errors import InputError
from rlvr.synthetic.contest_rows import CONTEST_ROWS
from rlvr.synthetic.digits import DIGIT_ROWS
from rlvr.synthetic.program_rows import PROGRAM_ROWS
from rlvr.synthetic.puzzle_rows import puzzle_rows
from rlvr.synthetic.sentence_rows import SENTENCE_ROWS
from rlvr.synthetic.word_problems import WORD_ROWS

WRITERS: Mapping[str, Callable[[int, np.random.Generator], pd.DataFrame]] = {
    **DIGIT_ROWS,
    **CONTEST_ROWS,
    **PROGRAM_ROWS,
    **SENTENCE_ROWS,
    **WORD_ROWS,
    "enigmata-data": partial(puzzle_rows, held_out=False),
    "enigmata-eval": partial(puzzle_rows, held_out=True),
}


def synthetic_rows(source: str, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of a synthetic stand-in in the released columns and types of ``source``.

    Args:
        source: Name as in the scale file, one of ``WRITERS``.
        rows: Number of rows.
        rng: The only source of randomness.

    Raises:
        InputError: If no stand-in of that name exists; the message lists those that do.
    """
    if source not in WRITERS:
        raise InputError(f"source '{source}'", "no synthetic stand-in.", f"Choose one of {', '.join(WRITERS)}.")
    return WRITERS[source](rows, rng)
