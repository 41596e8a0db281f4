"""Finished tiny bases that travel with the repository, checked byte by byte before use."""

import shutil
import sys
from pathlib import Path

from rlvr.bases.loading import check_base
from rlvr.core.errors import InputError
from rlvr.core.io import atomic_folder, read_json, sha256_file, write_json

CHECKSUMS = "checksums.json"  # file name -> SHA-256, beside the files
REMEDY = "Restore it (`git checkout -- data/bases`), or set `artefacts.base: compute` to make the base here."


def install_shipped(model: str, shipped_dir: str | Path, out_dir: str | Path) -> None:
    """Copy a shipped base to ``out_dir`` if every file has its recorded checksum.

    Args:
        model: Name of the model in the scale file, for messages.
        shipped_dir: Folder of this base (``data/bases/<model>``), with its ``checksums.json``.
        out_dir: Folder of the model; replaced whole or not at all.

    Raises:
        InputError: If the model is not shipped, or a file is missing or differs from its checksum.
    """
    source = Path(shipped_dir)
    if not (source / CHECKSUMS).is_file():
        raise InputError(source / CHECKSUMS, f"missing: no base '{model}' is shipped.", REMEDY)
    with atomic_folder(out_dir) as folder:
        for name, sha256 in read_json(source / CHECKSUMS).items():
            check_file(source / name, sha256)
            shutil.copyfile(source / name, folder / name)
        check_base(folder)


def is_installed(shipped_dir: str | Path, folder: str | Path) -> bool:
    """Whether a folder holds every file of a shipped base, by SHA-256."""
    checksums = Path(shipped_dir, CHECKSUMS)
    if not checksums.is_file():
        return False
    files = {Path(folder, name): sha256 for name, sha256 in read_json(checksums).items()}
    return all(path.is_file() and sha256_file(path) == sha256 for path, sha256 in files.items())


def check_file(path: Path, expected: str) -> None:
    """Refuse a file that is missing or whose SHA-256 is not ``expected``.

    Raises:
        InputError: If so.
    """
    if not path.is_file():
        raise InputError(path, "missing from the shipped base.", REMEDY)
    found = sha256_file(path)
    if found != expected:
        raise InputError(path, f"expected sha256 {expected[:12]}..., found {found[:12]}...", REMEDY)


def write_checksums(folder: str | Path) -> None:
    """Record the SHA-256 of every file of a finished base, so that it can be shipped (``CONTRIBUTING.md``)."""
    files = (path for path in Path(folder).iterdir() if path.is_file() and path.name != CHECKSUMS)
    write_json({path.name: sha256_file(path) for path in files}, Path(folder) / CHECKSUMS)


if __name__ == "__main__":
    write_checksums(sys.argv[1])
