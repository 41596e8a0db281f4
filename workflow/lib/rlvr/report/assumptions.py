"""The tagged remarks of a study as files: what its document and its page list as assumptions and departures."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rlvr.core.csvfile import csv_text
from rlvr.core.io import write_json
from rlvr.plan.tags import TAG_COLUMNS
from rlvr.report.files import write_text


def write_tags(rows: Sequence[Mapping[str, Any]], json_path: str, csv_path: str) -> None:
    """Write the rows of :func:`rlvr.plan.tags.tag_rows` as JSON for the documents and as CSV for readers."""
    write_json([dict(row) for row in rows], json_path)
    write_text(csv_text(pd.DataFrame(rows, columns=list(TAG_COLUMNS))), csv_path)
