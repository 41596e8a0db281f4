r"""Readers: from a source's own columns to the columns of ``tables.PROBLEMS``.

A reader is a declaration: which column holds what, the small transform that brings it into form, and which rows count.
A value that is missing becomes an empty question or answer and is dropped, counted, by the curation; a value that is
wrong stops.
"""

from rlvr.data.readers.declare import Field, Reader, RowRule, reject
from rlvr.data.readers.read import get_reader, read_problems
from rlvr.data.readers.registered import DEEPMATH_SENTINELS, READERS
from rlvr.data.readers.transforms import clean_gold, strip_instruction

__all__ = [
    "DEEPMATH_SENTINELS",
    "READERS",
    "Field",
    "Reader",
    "RowRule",
    "clean_gold",
    "get_reader",
    "read_problems",
    "reject",
    "strip_instruction",
]
