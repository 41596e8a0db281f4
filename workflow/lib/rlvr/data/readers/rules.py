"""Row rules: which rows of a release belong to a data set."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rlvr.data.readers.declare import RowRule

if TYPE_CHECKING:
    import pyarrow as pa


def equals(column: str, value: str) -> RowRule:
    """Keep the rows that hold exactly ``value``."""

    def passes(values: "pa.ChunkedArray") -> np.ndarray:
        import pyarrow.compute as pc

        return _truth(pc.equal(values, value))

    return RowRule(f"{column} is {value}", column, passes)


def contains(column: str, text: str) -> RowRule:
    """Keep the rows whose text contains ``text``."""

    def passes(values: "pa.ChunkedArray") -> np.ndarray:
        import pyarrow.compute as pc

        return _truth(pc.match_substring(values, text))

    return RowRule(f"{column} contains {text}", column, passes)


def first_of_each(column: str) -> RowRule:
    """Keep the first row of each value; rows without one all stay, to be refused by name where an id is needed."""

    def passes(values: "pa.ChunkedArray") -> np.ndarray:
        codes = pd.Series(values.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False))
        return (~codes.duplicated() | codes.isna()).to_numpy()

    return RowRule(f"first row of each {column}", column, passes)


def _truth(mask: "pa.ChunkedArray") -> np.ndarray:
    return mask.fill_null(False).to_numpy()
