"""Rows of a source of one's own, as ``datasets.load_dataset`` reads them: local files, or a data set of the hub."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.core.errors import InputError
from rlvr.plan.sources import Source

if TYPE_CHECKING:
    from rlvr.data.tabular import TableRows


def own_files(source: Source) -> dict[str, Path]:
    """Local files of a source by their paths as written, ``*`` expanded in sorted order; none where it is on the hub.

    Raises:
        InputError: Names the file that is not there.
    """
    files: dict[str, Path] = {}
    for name in () if source.repository else source.files:
        path = Path(name).expanduser()
        found = sorted(path.parent.glob(path.name)) if "*" in path.name else [path]
        for each in found or [path]:
            if not each.is_file():
                where = f"{each}, needed by source '{source.name}'"
                raise InputError(where, "no such file.", "Mend 'files' in the scale; paths start where snakemake does.")
            files[str(each)] = each
    return files


def load_own(source: Source, files: Mapping[str, Path]) -> list[tuple[str, "TableRows"]]:
    """Name for messages and rows of every local file, or of the one split of a hub data set.

    Raises:
        InputError: If a file or data set cannot be loaded, with the reason.
    """
    declared = source.own or {}
    if source.repository:
        asked = {"data_files": list(source.files) or None, "revision": source.revision, "name": declared.get("config")}
        return [(f"source '{source.name}'", _load(source.repository, source.split, asked))]
    with tempfile.TemporaryDirectory() as scratch:  # no copy of local files stays in a cache
        return [
            (name, _load(declared["load"], "train", {"data_files": [str(path)], "cache_dir": scratch}))
            for name, path in files.items()
        ]


def _load(what: str, split: str, asked: Mapping[str, Any]) -> "TableRows":
    from datasets import load_dataset

    from rlvr.data.tabular import TableRows

    try:
        loaded = load_dataset(what, split=split, keep_in_memory=True, **asked)
    except Exception as error:  # the reader of each format, the hub's client and its transport raise their own
        reason = " ".join(f"{error} {error.__cause__ or ''}".split())[:300]
        where = ", ".join(map(str, asked.get("data_files") or [what]))
        raise InputError(where, f"was not loaded as '{what}' ({reason}).", "Check the source in the scale.") from error
    return TableRows(loaded.data.table.combine_chunks())
