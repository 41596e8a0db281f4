"""Digests of what tables say, whatever file format or library version they were written with."""

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

TRAINED_ON = ("question", "answer", "verifier", "meta")  # columns of problems that training reads
SAMPLED_FROM = ("problem_id", "question")  # columns of problems that sampling reads


def digest_rows(frame: "pd.DataFrame", columns: Sequence[str]) -> str:
    """SHA-256 of the texts of some columns, row by row in the table's order, as 64 hexadecimal digits.

    Two files with the same rows have the same digest although their bytes differ: Parquet changes with the library that
    writes it. Columns that are not named do not count, and the order of the rows does.

    Args:
        frame: Table with at least these columns, all of them text.
        columns: Names, in the order in which they are hashed.
    """
    digest = hashlib.sha256(json.dumps(list(columns)).encode())
    for row in zip(*(frame[name].tolist() for name in columns), strict=True):
        digest.update(json.dumps(row).encode())  # ASCII only, so that any text has one encoding
    return digest.hexdigest()


def digest_problems(problems: "pd.DataFrame") -> str:
    """SHA-256 of what is asked and answered, blind to row order and file format."""
    columns = (problems[name].astype(str) for name in ("problem_id", "question", "answer"))
    return hashlib.sha256(repr(sorted(zip(*columns, strict=True))).encode()).hexdigest()
