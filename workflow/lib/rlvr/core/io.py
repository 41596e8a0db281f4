"""Files between stages: written whole or not at all, checked on write and on read."""

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

CHUNK_BYTES = 2**20
LEFT_OVER_S = 3600.0  # a writer on another machine may be alive; it touches what it writes more often than this


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary sibling of ``path`` that replaces it when the block ends without an error.

    A killed writer leaves the old file (or none) behind, never half of a new one.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_sibling(target)
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """An empty sibling folder that replaces ``path`` when the block ends without an error.

    A killed writer leaves the old folder (or none) behind, never half of a new one.
    """
    target = Path(path)
    temporary = _temporary_sibling(target)
    remove(temporary)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if target.exists():
            shutil.rmtree(target)
        temporary.replace(target)
    finally:
        remove(temporary)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; nothing happens if there is neither."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _temporary_sibling(target: Path) -> Path:
    """A name for what is being written, by this process; what killed writers of the same target left is removed."""
    pattern = re.compile(rf"\.{re.escape(target.name)}\.(\d+)\.tmp")
    for path in target.parent.glob(".*.tmp"):
        if (found := pattern.fullmatch(path.name)) and _is_left_over(path, int(found[1])):
            remove(path)
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


def _is_left_over(path: Path, process: int) -> bool:
    """Whether a temporary file's writer is gone: not alive on this machine, and on no other since an hour."""
    if process == os.getpid() or Path(f"/proc/{process}").exists():
        return False
    try:
        return time.time() - path.stat().st_mtime > LEFT_OVER_S
    except FileNotFoundError:
        return False


def write_json(value: Any, path: str | Path) -> None:
    """Write readable JSON with sorted keys, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read JSON.

    Raises:
        InputError: If the file is not JSON in UTF-8; the message names line and column, or the byte.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"not valid JSON ({error}).", "Delete it and run again.") from error


def write_table(frame: "pd.DataFrame", path: str | Path, schema: "DataFrameSchema") -> None:
    """Check ``frame`` against its schema and write it as Parquet, atomically."""
    checked = check_table(frame, path, schema)
    with atomic_path(path) as temporary:
        checked.to_parquet(temporary, index=False)


def read_table(path: str | Path, schema: "DataFrameSchema") -> "pd.DataFrame":
    """Read a Parquet table and check it against its schema.

    Raises:
        InputError: If the file cannot be read or breaks the schema; the message names column and row.
    """
    import pandas as pd  # here: jobs that only write JSON start without it

    try:
        frame = pd.read_parquet(path)
    except FileNotFoundError:
        raise
    except Exception as error:  # pyarrow raises many types for a damaged file; all mean the same to a user
        raise InputError(path, f"not a readable Parquet file ({error}).", "Delete it and run again.") from error
    return check_table(frame, path, schema)


def check_table(frame: "pd.DataFrame", path: str | Path, schema: "DataFrameSchema") -> "pd.DataFrame":
    """The frame, with the schema's types, or an error that names the first offending column and row."""
    from pandera.errors import SchemaError, SchemaErrors

    try:
        return schema.validate(frame)
    except (SchemaError, SchemaErrors) as error:
        raise InputError(path, f"breaks the schema '{schema.name}': {error}", "See rlvr/tables.py.") from error


def sha256_file(path: str | Path) -> str:
    """SHA-256 of the file's bytes, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
