"""Results in one file that can be checked: packed with a list of checksums, unpacked where they are wanted again.

Bases, what is computed from their weights alone, and raw rows are left out: they are the hub's, with their own terms.
"""

import csv
import io
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO

from rlvr.core.errors import InputError
from rlvr.core.io import atomic_path, sha256_file
from rlvr.core.schemas import CONFIG

LIST = "files.csv"
COLUMNS = ("path", "bytes", "sha256", "mtime_ns")
LEFT_OUT = frozenset({"logs", "benchmarks", "checkpoints", "decompositions", "archive", "raw", "environments"})
FACTORS = ("spectra", "bases")  # their singular triples make up the weights of a base
OF_BASES = "models"
LARGEST_OF_A_BASE = 2**20  # manifests, configurations and tokenizers of bases are kept, weights are not
HUB = "hub:"
REMEDY = "Make it anew with `snakemake archive`, or copy it again."
UNREADABLE = (tarfile.TarError, OSError, EOFError, zlib.error)
LATEST_NS = 2**63  # a larger time is no file's
Entry = tuple[int, str, int]  # bytes, sha256, mtime in ns


def archived_files(results: Path, names: Mapping[str, Iterable[str]]) -> list[Path]:
    """What of a scale's results belongs to some studies, below ``results``.

    Args:
        results: ``results/<scale>``.
        names: Folder by folder, whose names below it count (``train``: run ids); all of a folder that is not named.
    """
    wanted = {folder: set(kept) for folder, kept in names.items()}
    found = []
    for path in sorted(results.rglob("*")):
        parts = path.relative_to(results).parts
        if not path.is_file() or LEFT_OUT.intersection(parts) or any(part.endswith(".tmp") for part in parts):
            continue
        if parts[0] in wanted and wanted[parts[0]].isdisjoint({parts[1], Path(parts[1]).stem}):
            continue
        if parts[0] == OF_BASES and path.stat().st_size > LARGEST_OF_A_BASE:
            continue
        if parts[: len(FACTORS)] == FACTORS and path.suffix == ".safetensors":
            continue  # their manifest is kept: without it Snakemake would plan them, and need the base
        found.append(path)
    return found


def pack(results: Path, files: Iterable[Path], archive: str | Path, listing: str | Path) -> None:
    """Write an archive, and its list of files beside it; the list is also its first member.

    Args:
        results: ``results/<scale>``; paths are kept relative to it.
        files: What is packed.
        archive: ``.tar``; not compressed, since weights and Parquet are not smaller for it.
        listing: CSV of ``COLUMNS``.
    """
    entries = {path.relative_to(results).as_posix(): (path, _entry(path)) for path in files}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *((name, *entry) for name, (_, entry) in entries.items())])
    with atomic_path(archive) as temporary, tarfile.open(temporary, "w", dereference=True) as tar:
        head = tarfile.TarInfo(LIST)
        head.size = len(text.getvalue().encode())
        tar.addfile(head, io.BytesIO(text.getvalue().encode()))
        for name, (path, _) in entries.items():
            tar.add(path, name, recursive=False, filter=_anonymous)
    with atomic_path(listing) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def unpack(archive: str | Path, results: Path) -> int:
    """Bring what an archive has and ``results`` lacks, each file checked against the list, with its time of making.

    A file that is there stays, whatever it holds: `snakemake verify` says whether it is whole.

    Returns:
        The number of files that were brought.

    Raises:
        InputError: For a file that is no archive, a member that is not in its list, leads out of the folder or has
            other bytes than the list says, a file of the list that is missing, or a disk that does not take them.
    """
    brought, seen = 0, set()
    try:
        with tarfile.open(archive) as tar:
            entries = _listed(tar, archive)
            for member in tar:
                if member.name == LIST:
                    continue
                _check_member(member, entries, archive)
                seen.add(member.name)
                target = results / member.name
                if not target.exists():
                    _bring(tar, member, entries[member.name], target, archive)
                    brought += 1
    except UNREADABLE as error:
        raise InputError(archive, f"is no archive that can be read ({error}).", REMEDY) from error
    if missing := sorted(entries.keys() - seen):
        raise InputError(archive, f"'{missing[0]}' is in its list and not in it.", REMEDY)
    return brought


def find_archive(place: str) -> Path:
    """The archive at a place: a path, or ``hub:<owner>/<data set>@<revision>/<file>``, which is downloaded.

    Raises:
        InputError: If there is none.
    """
    if not place.startswith(HUB):
        if not Path(place).is_file():
            raise InputError(f"{CONFIG}, key 'artefacts.archive'", f"'{place}' is no file.", "Name a .tar or hub:...")
        return Path(place)
    repository, _, rest = place.removeprefix(HUB).partition("@")
    revision, _, file = rest.partition("/")
    if not (repository and revision and file):
        problem = f"'{place}' is not hub:<owner>/<data set>@<revision>/<file>."
        raise InputError(f"{CONFIG}, key 'artefacts.archive'", problem, "Name a commit as the revision.")
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(repository, file, repo_type="dataset", revision=revision))
    except Exception as error:  # whatever the hub's client raises says why in its first line
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(place, f"was not fetched ({reason}).", "Check name, network and token, or copy it.") from error


def _entry(path: Path) -> Entry:
    return path.stat().st_size, sha256_file(path), path.stat().st_mtime_ns


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A member without the user of this machine."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _listed(tar: tarfile.TarFile, archive: str | Path) -> dict[str, Entry]:
    first = tar.next()
    stream = tar.extractfile(first) if first is not None and first.name == LIST else None
    if stream is None:
        raise InputError(archive, f"does not begin with {LIST}.", REMEDY)
    try:
        header, *rows = csv.reader(io.StringIO(stream.read().decode("utf-8"), newline=""))
        if tuple(header) != COLUMNS:
            raise ValueError(f"its columns are {', '.join(header)}")
        entries = {path: (int(size), digest, int(mtime)) for path, size, digest, mtime in rows}
        if not all(0 <= mtime < LATEST_NS for _, _, mtime in entries.values()):
            raise ValueError("a time is out of range")
    except (ValueError, csv.Error) as error:
        expected = f"Expected: {', '.join(COLUMNS)}."
        raise InputError(f"{archive}, {LIST}", f"is no list of files ({error}). {expected}", REMEDY) from error
    return entries


def _check_member(member: tarfile.TarInfo, entries: Mapping[str, Entry], archive: str | Path) -> None:
    path = PurePosixPath(member.name)
    if not member.isfile() or path.is_absolute() or ".." in path.parts:
        raise InputError(archive, f"'{member.name}' is no plain file below its folder.", "Do not use this archive.")
    if member.name not in entries:
        raise InputError(archive, f"'{member.name}' is not in its list.", REMEDY)


def _bring(tar: tarfile.TarFile, member: tarfile.TarInfo, entry: Entry, target: Path, archive: str | Path) -> None:
    stream = tar.extractfile(member)
    assert stream is not None  # a plain file has one
    try:
        with atomic_path(target) as temporary:
            with temporary.open("wb") as out:
                out.writelines(_chunks(stream, archive))
            if sha256_file(temporary) != entry[1]:
                raise InputError(archive, f"'{member.name}' has other bytes than its list says.", REMEDY)
            os.utime(temporary, ns=(entry[2], entry[2]))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(target, f"cannot be written ({reason}).", "Make room there, or mend its folder.") from error


def _chunks(stream: IO[bytes], archive: str | Path) -> Iterator[bytes]:
    """A member's bytes; what goes wrong here is the archive's fault, not that of the disk they are written to."""
    try:
        while chunk := stream.read(2**20):
            yield chunk
    except UNREADABLE as error:
        raise InputError(archive, f"is no archive that can be read ({error}).", REMEDY) from error


def bring_archive(place: str, results: Path) -> int:
    """Bring what the archive at a place has and ``results`` lacks; see :func:`find_archive` and :func:`unpack`."""
    return unpack(find_archive(place), results)
