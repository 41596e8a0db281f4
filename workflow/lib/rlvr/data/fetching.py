"""Raw rows from the hub, a mirror folder or the synthetic stand-in: one Parquet file, the same for all three.

The table holds, as released, the columns and rows that the source's reader declares; its provenance names that reader.
Nothing here depends on what the rows will be used for, and whatever is read later does not depend on where they came
from.
"""

import logging
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from rlvr.core.errors import InputError
from rlvr.core.io import atomic_path, sha256_file, write_json
from rlvr.core.joblog import announce
from rlvr.core.seeds import make_rng
from rlvr.data.own_rows import load_own, own_files
from rlvr.plan.own_sources import OWN
from rlvr.plan.sources import UNPINNED, WRITTEN_HERE, Source

if TYPE_CHECKING:
    from rlvr.data.tabular import Collected, Rows

KINDS = ("hub", "mirror", "synthetic", OWN)
PIN = """python -c 'from huggingface_hub import dataset_info; print(dataset_info("<repository>").sha)'"""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Origin:
    """Where to take a source's rows from.

    Attributes:
        kind: ``hub``, ``mirror`` or ``synthetic``.
        mirror_dir: Folder of the mirror; used by ``mirror`` only.
        cache_dir: Download cache of ``hub``; empty means the default of huggingface_hub.
        synthetic_rows: Rows to write; used by ``synthetic`` only.
        allow_other_count: Go on, and say so, where the number of rows is not the registry's.
        seed: Seed of the synthetic rows.
    """

    kind: str
    mirror_dir: str = ""
    cache_dir: str = ""
    synthetic_rows: int = 0
    allow_other_count: bool = False
    seed: int = 0


def check_origin(source: Source, origin: Origin) -> None:
    """Stop before any work when an origin cannot deliver a source; imports nothing heavy, touches no network.

    Raises:
        InputError: For an unknown kind, a hub source without a revision, or a mirror without the file.
    """
    where = f"source '{source.name}'"
    if origin.kind not in KINDS:
        raise InputError(where, f"unknown origin '{origin.kind}'.", f"Choose one of {', '.join(KINDS)}.")
    if origin.kind == "hub" and not source.repository:
        other = "synthetic" if source.split == WRITTEN_HERE else "mirror"
        raise InputError(where, "is on no hub.", f"Use origin {other}.")
    if origin.kind == "hub" and not source.revision:
        raise InputError(where, "has no pinned revision.", f"Fill in the column revision of data/sources.csv ({PIN}).")
    if origin.kind == "mirror" and source.split == WRITTEN_HERE:
        raise InputError(where, "has no files: its rows are written by the workflow.", "Use origin synthetic.")
    if origin.kind == "mirror":
        _mirror_files(source, origin)
    if origin.kind == OWN:
        own_files(source)


def fetch_source(source: Source, origin: Origin, rows_path: str | Path, provenance_path: str | Path) -> None:
    """Bring what is needed of a source's rows to one Parquet file, and say where they came from.

    Args:
        source: Row of the registry.
        origin: Where to take the rows from.
        rows_path: Parquet file to write, as ``tabular.collect_rows`` does; the files one after another.
        provenance_path: JSON file to write: source, origin, repository, revision, split, reader, files (name, bytes,
            rows, sha256), rows, expected_rows, rules (rows before and after each row rule), licence, noncommercial,
            url.

    Raises:
        InputError: If the origin cannot deliver the source, a file is missing, damaged, not UTF-8 or has another
            checksum than the registry, a column is missing, or the number of rows is not the expected one.
    """
    from rlvr.data.readers import get_reader
    from rlvr.data.tabular import collect_rows, open_rows

    check_origin(source, origin)
    if origin.kind != "synthetic":
        announce(f"terms of '{source.name}': {describe_terms(source)}")
    released = origin.kind != "mirror" or not source.mirror_files  # otherwise, the mirror's file has another form
    name = source.reader if released else source.mirror_reader or source.reader
    reader, where = get_reader(name), f"source '{source.name}'"
    files, commit = _locate_files(source, origin)
    checksums = {file: sha256_file(path) for file, path in files.items()}
    if released:
        _check_checksums(source, origin, files, checksums)
    rows: list[tuple[str, Rows]] = [(str(path), open_rows(path, reader)) for path in files.values() if not source.own]
    rows = list(load_own(source, files)) if source.own else rows or [(where, _synthetic(source, origin))]
    expected = None if not (files or source.own) else source.expected_rows if released else source.mirror_rows
    with atomic_path(rows_path) as temporary:
        collected = collect_rows(rows, reader, temporary, where)
        _check_count(where, collected.rows, expected, origin)
    listed = [
        {"file": file, "bytes": path.stat().st_size, "sha256": checksums[file], "rows": count}
        for (file, path), count in zip(files.items(), collected.file_rows, strict=bool(files))
    ]
    provenance = _provenance(source, origin, collected) | {"reader": name, "files": listed, "expected_rows": expected}
    write_json(provenance | {"revision": commit}, provenance_path)


def describe_terms(source: Source) -> str:
    """Licence, whether it excludes commercial use, and the page that says so."""
    return f"{source.licence}; non-commercial only: {source.noncommercial}; {source.url}"


def _provenance(source: Source, origin: Origin, collected: "Collected") -> dict[str, Any]:
    synthetic = origin.kind == "synthetic"
    return {
        "source": source.name,
        "origin": origin.kind,
        "repository": source.repository if origin.kind in ("hub", OWN) else "",
        "pinned": origin.kind != "hub" or source.revision != UNPINNED,
        "split": source.split,
        "rows": collected.rows,
        "rules": list(collected.rules),
        "seed": origin.seed if synthetic else None,
        "licence": "written by this workflow" if synthetic else source.licence,
        "noncommercial": "no" if synthetic else source.noncommercial,
        "url": "" if synthetic else source.url,
    }


def _locate_files(source: Source, origin: Origin) -> tuple[dict[str, Path], str]:
    """Local files by their name at the origin, downloaded if need be (none for ``synthetic``), and the hub's commit."""
    if origin.kind == "hub":
        return _hub_files(source, origin)
    if origin.kind == OWN:
        return own_files(source), source.revision
    return (_mirror_files(source, origin) if origin.kind == "mirror" else {}), ""


def _mirror_files(source: Source, origin: Origin) -> dict[str, Path]:
    if not origin.mirror_dir:
        raise InputError(f"source '{source.name}'", "origin mirror needs a folder.", "Set sources.mirror_dir.")
    names = source.mirror_files or tuple(f"{source.repository}/{file}" for file in source.files)
    remedy = f"Put it there (see {source.url}) or change sources.mirror_dir."
    return _expand(names, Path(origin.mirror_dir), f"needed by source '{source.name}'", remedy)


def _hub_files(source: Source, origin: Origin) -> tuple[dict[str, Path], str]:
    from rlvr.data.hub_files import download_files

    pinned = source.revision != UNPINNED
    address = f"{source.repository}@{source.revision if pinned else 'main'}"
    if not pinned:
        warning = f"source '{source.name}' is NOT PINNED: whatever {address} holds today is used."
        announce(f"{warning} Pin it in data/sources.csv: {PIN}")
    commit = source.revision if pinned else None
    snapshot = download_files(source.repository, commit, source.files, origin.cache_dir)
    remedy = "It is not in the download cache: run again when connected, or use origin mirror."
    return _expand(source.files, snapshot, f"needed from {address}", remedy), snapshot.name


def _expand(names: tuple[str, ...], folder: Path, needed: str, remedy: str) -> dict[str, Path]:
    """Files below a folder by their names; a name with ``*`` stands for all files that match, in sorted order."""
    files: dict[str, Path] = {}
    for name in names:
        found = sorted(folder.glob(name)) if "*" in name else [folder / name]
        for path in found or [folder / name]:
            if not path.is_file():
                raise InputError(path, f"no such file, {needed}.", remedy)
            files[str(PurePosixPath(path.relative_to(folder)))] = path
    return files


def _check_checksums(source: Source, origin: Origin, files: dict[str, Path], checksums: dict[str, str]) -> None:
    if origin.kind == "hub":
        from rlvr.data.hub_files import check_contents

        check_contents(files, checksums)
    expected = dict(zip(files, source.sha256, strict=False))  # empty where the registry knows none
    for name, digest in expected.items():
        if checksums[name] != digest:
            raise InputError(
                files[name], f"has SHA-256 {checksums[name]}, expected {digest}.", "Delete it and fetch it again."
            )


def _check_count(where: str, rows: int, expected: int | None, origin: Origin) -> None:
    if expected in (None, rows):
        return
    problem = f"has {rows:,} rows, expected {expected:,}."
    if not origin.allow_other_count:
        remedy = "Fetch it again; if the release has changed, pin its revision and count in data/sources.csv."
        raise InputError(where, problem, f"{remedy} The data set's allow_other_count: true goes on regardless.")
    log.warning("%s %s Going on: allow_other_count is set.", where, problem)


def _synthetic(source: Source, origin: Origin) -> "Rows":
    import pyarrow as pa

    from rlvr.data.tabular import TableRows
    from rlvr.synthetic.sources import synthetic_rows

    rng = make_rng(origin.seed, "synthetic", source.name)
    frame = synthetic_rows(source.name, origin.synthetic_rows, rng)
    return TableRows(pa.Table.from_pandas(frame, preserve_index=False))
