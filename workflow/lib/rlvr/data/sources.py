"""Raw rows from the hub, a mirror folder or the synthetic stand-in: one Parquet file, the same for all three.

The table keeps the source's own columns; its provenance names the reader that understands them. Nothing here depends
on what the rows will be used for, and whatever is read later does not depend on where they came from.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.core.errors import InputError
from rlvr.core.io import atomic_path, sha256_file, write_json
from rlvr.core.seeds import make_rng
from rlvr.data.registry import Source

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = ("hub", "mirror", "synthetic")
BATCH_ROWS = 8192  # DeepMath-103K carries three long solutions a row: whole files would need gigabytes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Origin:
    """Where to take a source's rows from.

    Attributes:
        kind: ``hub``, ``mirror`` or ``synthetic``.
        mirror_dir: Folder of the mirror; used by ``mirror`` only.
        cache_dir: Download cache of ``hub``; empty means the default of huggingface_hub.
        synthetic_rows: Rows to write; used by ``synthetic`` only.
        seed: Seed of the synthetic rows.
    """

    kind: str
    mirror_dir: str = ""
    cache_dir: str = ""
    synthetic_rows: int = 0
    seed: int = 0


def check_origin(source: Source, origin: Origin) -> None:
    """Stop before any work when an origin cannot deliver a source; imports nothing heavy, touches no network.

    Raises:
        InputError: For an unknown kind, a hub source without pinned revision, or a mirror without the file.
    """
    where = f"source '{source.name}'"
    if origin.kind not in KINDS:
        raise InputError(where, f"unknown origin '{origin.kind}'.", f"Choose one of {', '.join(KINDS)}.")
    if origin.kind == "hub" and not source.repository:
        raise InputError(where, "is on no hub.", "Use origin mirror.")
    if origin.kind == "hub" and not source.revision:
        raise InputError(where, "has no pinned revision.", "Fill in the column revision of data/sources.csv.")
    if origin.kind == "mirror":
        _mirror_files(source, origin)


def fetch_source(source: Source, origin: Origin, rows_path: str | Path, provenance_path: str | Path) -> None:
    """Bring a source's raw rows to one Parquet file in their own columns, and say where they came from.

    Args:
        source: Row of the registry.
        origin: Where to take the rows from.
        rows_path: Parquet file to write; the tables of the files one after another.
        provenance_path: JSON file to write: source, origin, repository, revision, split, reader, files (name, bytes,
            sha256), rows, licence, noncommercial, url.

    Raises:
        InputError: If the origin cannot deliver the source, a file is missing, damaged, not UTF-8 or has another
            checksum than the registry, a column is missing, or the number of rows is not the expected one.
    """
    from rlvr.data.readers import get_reader

    check_origin(source, origin)
    released = origin.kind != "mirror" or not source.mirror_files  # else the mirror's file is a copy in another form
    reader = source.reader if released else source.mirror_reader or source.reader
    files = _locate_files(source, origin)
    checksums = {name: sha256_file(path) for name, path in files.items()}
    if released:
        _check_checksums(source, files, checksums)
    batches = _read_files(files.values()) if files else _synthetic_batches(source, origin)
    with atomic_path(rows_path) as temporary:
        rows = _write_batches(batches, temporary, f"source '{source.name}'")
        if released and files:
            _check_count(source, rows)
        get_reader(reader).require_columns(_column_names(temporary), " ".join(map(str, files.values())) or source.name)
    provenance = _provenance(source, origin, reader, files, checksums, rows)
    terms = (provenance["licence"], provenance["noncommercial"], provenance["url"])
    log.info("terms of '%s': %s; non-commercial only: %s; %s", source.name, *terms)
    write_json(provenance, provenance_path)


def _provenance(
    source: Source, origin: Origin, reader: str, files: dict[str, Path], checksums: dict[str, str], rows: int
) -> dict[str, Any]:
    synthetic = origin.kind == "synthetic"
    return {
        "source": source.name,
        "origin": origin.kind,
        "repository": source.repository if origin.kind == "hub" else "",
        "revision": source.revision if origin.kind == "hub" else "",
        "split": source.split,
        "reader": reader,
        "files": [
            {"file": name, "bytes": path.stat().st_size, "sha256": checksums[name]} for name, path in files.items()
        ],
        "rows": rows,
        "seed": origin.seed if synthetic else None,
        "licence": "written by this workflow" if synthetic else source.licence,
        "noncommercial": "no" if synthetic else source.noncommercial,
        "url": "" if synthetic else source.url,
    }


def _locate_files(source: Source, origin: Origin) -> dict[str, Path]:
    """Local files by their name at the origin, downloaded if need be; none for the synthetic origin."""
    if origin.kind == "hub":
        return _hub_files(source, origin)
    return _mirror_files(source, origin) if origin.kind == "mirror" else {}


def _mirror_files(source: Source, origin: Origin) -> dict[str, Path]:
    if not origin.mirror_dir:
        raise InputError(f"source '{source.name}'", "origin mirror needs a folder.", "Set sources.mirror_dir.")
    names = source.mirror_files or tuple(f"{source.repository}/{file}" for file in source.files)
    files = {name: Path(origin.mirror_dir) / name for name in names}
    for path in files.values():
        if not path.is_file():
            problem = f"no such file, needed by source '{source.name}'."
            raise InputError(path, problem, f"Put it there (see {source.url}) or change sources.mirror_dir.")
    return files


def _hub_files(source: Source, origin: Origin) -> dict[str, Path]:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HTTPError

    files, cache_dir = {}, origin.cache_dir or None
    for name in source.files:
        try:
            local = hf_hub_download(
                source.repository, name, repo_type="dataset", revision=source.revision, cache_dir=cache_dir
            )
        except (HTTPError, OSError) as error:
            raise InputError(
                f"{source.repository}@{source.revision}/{name}",
                f"cannot be fetched from the hub ({error}).",
                "A broken download resumes: run again when connected, or use origin mirror.",
            ) from error
        files[name] = Path(local)
    return files


def _check_checksums(source: Source, files: dict[str, Path], checksums: dict[str, str]) -> None:
    expected = dict(zip(files, source.sha256, strict=False))  # empty where the registry knows none
    for name, digest in expected.items():
        if checksums[name] != digest:
            raise InputError(
                files[name], f"has SHA-256 {checksums[name]}, expected {digest}.", "Delete it and fetch it again."
            )


def _check_count(source: Source, rows: int) -> None:
    if source.expected_rows not in (None, rows):
        raise InputError(
            f"source '{source.name}'",
            f"has {rows:,} rows, expected {source.expected_rows:,}.",
            "Fetch it again; if the release has changed, pin its revision and count in data/sources.csv.",
        )


def _synthetic_batches(source: Source, origin: Origin) -> Iterator["pa.Table"]:
    import pyarrow as pa

    from rlvr.data.synthetic import synthetic_rows

    rng = make_rng(origin.seed, "synthetic", source.name)
    yield pa.Table.from_pandas(synthetic_rows(source.name, origin.synthetic_rows, rng), preserve_index=False)


def _read_files(paths: Iterable[Path]) -> Iterator["pa.Table"]:
    for path in paths:
        yield from _read_batches(path)


def _read_batches(path: Path) -> Iterator["pa.Table"]:
    """The table of one Parquet, JSON Lines or JSON (list of objects) file, in batches whose text is valid UTF-8."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix != ".parquet":
        yield _records_table(_read_records(path), path)
        return
    try:
        for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS):
            batch.validate(full=True)
            yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        raise InputError(path, f"not a sound Parquet file ({error}).", "Delete it and fetch it again.") from error


def _read_records(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(path, f"not UTF-8 text ({error}).", "Delete it and fetch it again.") from error
    pieces = enumerate(text.split("\n"), start=1) if path.suffix == ".jsonl" else [(1, text)]
    records: list[Any] = []
    for line, piece in pieces:
        if piece.strip():
            try:
                value = json.loads(piece)
            except json.JSONDecodeError as error:
                where, remedy = f"{path}, line {line}", "Delete the file and fetch it again."
                raise InputError(where, f"not JSON ({error}).", remedy) from error
            records.extend(value if isinstance(value, list) else [value])
    if not all(isinstance(record, dict) for record in records):
        raise InputError(path, "does not hold one JSON object for each row.", "See the source's page for the file.")
    return records


def _records_table(records: list[dict[str, Any]], path: Path) -> "pa.Table":
    import pyarrow as pa

    columns: dict[str, Any] = {}
    for name in dict.fromkeys(name for record in records for name in record):
        values = [record.get(name) for record in records]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowException, OverflowError) as error:
            row, value = _first_odd_value(values)
            raise InputError(
                path, f"column '{name}' mixes types: row {row} holds {value!r}.", f"Expected one type ({error})."
            ) from error
    return pa.table(columns)


def _first_odd_value(values: list[Any]) -> tuple[int, Any]:
    """Row number, from 1, and value of the first value whose type is not the one that most values have."""
    kinds = [float if type(value) is int else type(value) for value in values]
    (common, _), *_ = Counter(kind for kind in kinds if kind is not type(None)).most_common()
    row = next((row for row, kind in enumerate(kinds) if kind not in (common, type(None))), 0)
    return row + 1, values[row]


def _write_batches(batches: Iterable["pa.Table"], path: Path, where: str) -> int:
    """Write batches of one schema to a Parquet file; returns the number of rows."""
    import pyarrow.parquet as pq

    rows, writer = 0, None
    try:
        for batch in batches:
            writer = writer or pq.ParquetWriter(path, batch.schema)
            writer.write_table(_conform(batch, writer.schema, where))
            rows += batch.num_rows
    finally:
        if writer:
            writer.close()
    if not rows:
        raise InputError(where, "holds no rows.", "Fetch it again.")
    return rows


def _conform(batch: "pa.Table", schema: "pa.Schema", where: str) -> "pa.Table":
    import pyarrow as pa

    try:
        return batch.cast(schema)
    except (pa.ArrowException, ValueError) as error:
        problem = f"has files with different columns ({error})."
        raise InputError(where, problem, "Name the files of one split.") from error


def _column_names(path: Path) -> list[str]:
    import pyarrow.parquet as pq

    return pq.read_schema(path).names
