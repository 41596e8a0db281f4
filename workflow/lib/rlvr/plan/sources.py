"""The registry of sources: one row of ``data/sources.csv`` says where rows come from and under which terms.

Read by the Snakefile at parse time, so it imports nothing heavy; whatever is wrong here stops the dry run.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from rlvr.core.csvfile import read_csv
from rlvr.core.errors import InputError

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")  # names become file names
REVISION = re.compile(r"[0-9a-f]{40}")
UNPINNED = "unpinned"  # a commit that nobody has stated: the newest one is fetched, with a warning, and recorded
SHA256 = re.compile(r"[0-9a-f]{64}")
WRITTEN_HERE = "synthetic"  # the split of a source that no one has released: the workflow writes its rows
NONCOMMERCIAL = ("yes", "no", "unclear")
LIST_SEPARATOR = ";"
SOLVED_BY = "+"  # in the name of a reader, before the column that a scale says holds the worked solutions


@dataclass(frozen=True)
class Source:
    """Where a set of raw rows comes from.

    Attributes:
        name: Name used by scale files.
        repository: Data set repository of the Hugging Face hub; empty where the rows are on no hub.
        revision: Pinned commit of the repository, 40 hexadecimal digits, or ``UNPINNED`` where none is known.
        files: Files of the split, in order, as named in the repository; ``*`` stands for any run of characters.
        split: What the source calls the split.
        reader: Name in ``readers.READERS`` that fits the released columns.
        expected_rows: Rows of the release before any row rule; ``None`` where unknown.
        sha256: Checksums of ``files``, one each; empty where unknown.
        licence: Terms of the rows, as the source states them.
        noncommercial: Whether the terms exclude commercial use: yes, no or unclear.
        mirror_files: Files below a mirror folder; empty means a copy of the release, ``<repository>/<file>``.
        mirror_reader: Reader that fits the mirror's columns where they differ from the released ones.
        mirror_rows: Rows of the mirror's files where they are a copy in another form; ``None`` where unknown.
        url: Page that describes the source.
        own: What a scale declares of a source of one's own (``sources`` of the scale): how its rows are loaded.
    """

    name: str
    repository: str
    revision: str
    files: tuple[str, ...]
    split: str
    reader: str
    expected_rows: int | None
    sha256: tuple[str, ...]
    licence: str
    noncommercial: str
    mirror_files: tuple[str, ...]
    mirror_reader: str
    mirror_rows: int | None
    url: str
    own: Mapping[str, Any] | None = None


COLUMNS = (
    "source", "repository", "revision", "file", "split", "reader", "expected_rows", "sha256", "licence",
    "noncommercial", "mirror_file", "mirror_reader", "mirror_rows", "url",
)  # fmt: skip


def load_registry(path: str | Path, readers: Collection[str] = ()) -> dict[str, Source]:
    """Read and check the registry of sources.

    Args:
        path: CSV file with exactly the columns ``COLUMNS``; several files or checksums in a cell are joined by ``;``.
        readers: Names of readers that exist; not checked where none is given.

    Returns:
        Sources by name, in the order of the file.

    Raises:
        InputError: For an unreadable file, other columns, a repeated name or a malformed cell; names file and line.
    """
    rows = read_csv(path)
    if rows and tuple(rows[0][1]) != COLUMNS:
        raise InputError(path, f"has the columns {list(rows[0][1])}.", f"Expected: {', '.join(COLUMNS)}.")
    sources: dict[str, Source] = {}
    for line, row in rows:
        source = _parse_row(row, f"{path}, line {line}")
        if source.name in sources:
            raise InputError(f"{path}, line {line}", f"source '{source.name}' is listed twice.", "Keep one row.")
        if named := [
            name for name in (source.reader, source.mirror_reader) if readers and name and name not in readers
        ]:
            raise InputError(
                f"{path}, line {line}", f"reader '{named[0]}' is not known.", f"Known: {', '.join(readers)}."
            )
        sources[source.name] = source
    return sources


def find_source(sources: Mapping[str, Source], name: str) -> Source:
    """The source of that name.

    Raises:
        InputError: If the registry lacks it; lists what it has.
    """
    if name not in sources:
        raise InputError("data/sources.csv", f"has no source '{name}'.", f"It has: {', '.join(sources)}. Add a row.")
    return sources[name]


def with_solutions(source: Source, solutions: Mapping[str, str]) -> Source:
    """A source whose reader also takes the column of worked solutions that a data set names for it.

    Args:
        source: Of the registry or the scale.
        solutions: Columns by names of sources; a source that it lacks stays as it is.
    """
    column = solutions.get(source.name)
    return replace(source, reader=f"{source.reader}{SOLVED_BY}{column}") if column else source


def check_solutions(scale: Mapping[str, Any], path: Path) -> None:
    """Check that data sets name columns of solutions for sources of the registry that they have.

    Raises:
        InputError: Names the data set and the source.
    """
    for dataset, entry in scale["datasets"].items():
        where = f"{path}, data set '{dataset}', key 'solutions'"
        if strange := [name for name in entry.get("solutions", {}) if name not in entry["sources"]]:
            problem = f"names '{strange[0]}', which is none of its sources."
            raise InputError(where, problem, f"It has: {', '.join(entry['sources'])}.")
        if own := [name for name in entry.get("solutions", {}) if name in scale.get("sources", {})]:
            problem = f"names '{own[0]}', a source of the scale's own."
            raise InputError(where, problem, "Name the column in that source's 'columns', as 'solution'.")


def _parse_row(row: dict[str, str], where: str) -> Source:
    source = Source(
        name=row["source"],
        repository=row["repository"],
        revision=row["revision"],
        files=_split_list(row["file"]),
        split=row["split"],
        reader=row["reader"],
        expected_rows=_parse_count("expected_rows", row, where),
        sha256=_split_list(row["sha256"]),
        licence=row["licence"],
        noncommercial=row["noncommercial"],
        mirror_files=_split_list(row["mirror_file"]),
        mirror_reader=row["mirror_reader"],
        mirror_rows=_parse_count("mirror_rows", row, where),
        url=row["url"],
    )
    _check_cells(source, where)
    return source


def _check_cells(source: Source, where: str) -> None:
    checks = (
        (NAME.fullmatch(source.name), f"source '{source.name}' is not a name.", "Use a-z, 0-9 and single hyphens."),
        (source.reader, "has no reader.", "Name one of rlvr.data.readers.READERS."),
        (source.licence, "has no licence.", "Write the terms, or 'not stated'."),
        (
            source.noncommercial in NONCOMMERCIAL,
            f"noncommercial is '{source.noncommercial}'.",
            f"Write one of {', '.join(NONCOMMERCIAL)}.",
        ),
        (
            source.revision == (UNPINNED if source.repository else "") or REVISION.fullmatch(source.revision),
            f"revision '{source.revision}' is not a commit.",
            f"Pin 40 hexadecimal digits (branches move), or write '{UNPINNED}'; leave it empty without a repository.",
        ),
        (
            len(source.sha256) in (0, len(source.files)) and all(map(SHA256.fullmatch, source.sha256)),
            "sha256 does not hold one checksum for each file.",
            "Write 64 hexadecimal digits for each, joined by ';', or leave it empty.",
        ),
        (
            bool(source.repository) == bool(source.files)
            and (source.repository or source.mirror_files or source.split == WRITTEN_HERE),
            "names no files to read.",
            f"Fill in repository and file, or mirror_file alone, or write the split '{WRITTEN_HERE}'.",
        ),
        (
            all(map(stays_below, (source.repository, *source.files, *source.mirror_files))),
            "names a file outside its repository or mirror folder.",
            "Write repository, file and mirror_file without '..' and without a leading '/'.",
        ),
    )
    for passed, problem, remedy in checks:
        if not passed:
            raise InputError(where, problem, remedy)


def stays_below(path: str) -> bool:
    """Whether a path leads to a place below the folder that it is joined to."""
    return not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts


def _split_list(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(LIST_SEPARATOR)) if cell else ()


def _parse_count(column: str, row: dict[str, str], where: str) -> int | None:
    cell = row[column]
    if cell and not (cell.isascii() and cell.isdecimal()):
        raise InputError(where, f"{column} '{cell}' is not a count.", "Write digits only, or leave it empty.")
    return int(cell) if cell else None
