"""A folder with its contents' checksums, written last: what has no valid seal was cut off, or changed afterwards."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, sha256_file, write_json

SEAL = "seal.json"
WEIGHTS = ("adapter", "model")  # folders of a run
KEPT = "steps"  # of a run: weights on its way, that its settings wanted kept
HASHING_THREADS = 4  # hashing is the disk's and the processor's work in turns; the interpreter lock is not held


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder by its path in it, the seal and hidden files left out."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SEAL)
    shown = [path for path in paths if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        digests = list(pool.map(sha256_file, shown))
    return {path.relative_to(folder).as_posix(): digest for path, digest in zip(shown, digests, strict=True)}


def run_digests(run: Path) -> dict[str, str]:
    """SHA-256 of every file of ``adapter/``, ``model/`` and ``steps/`` of a run, by its path in the run's folder."""
    found = {part: file_digests(run / part) for part in (*WEIGHTS, KEPT) if (run / part).is_dir()}
    return {f"{part}/{name}": digest for part, files in found.items() for name, digest in files.items()}


def check_run_files(run: str | Path) -> None:
    """Compare the weights of a finished run with the digests of its manifest; a folder without a manifest has none.

    Raises:
        InputError: If a file is missing, changed or new since the run was finished; names it.
    """
    manifest = Path(run) / "run.json"
    recorded = read_json(manifest).get("files") if manifest.is_file() else None
    if recorded is not None and (difference := first_difference(recorded, run_digests(Path(run)))):
        raise InputError(run, difference, "Restore it, or delete the folder and train the run again.")


def seal(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the seal of a folder: the digests of its files, and facts that its reader wants to know."""
    write_json({"files": file_digests(folder), "facts": dict(facts)}, folder / SEAL)


def break_seal(folder: Path) -> None:
    """Take the seal off, before anything in the folder is changed or removed."""
    (folder / SEAL).unlink(missing_ok=True)


def sealed_facts(folder: Path) -> dict[str, Any]:
    """The facts of a sealed folder, after its files were compared with their digests.

    Raises:
        InputError: If there is no readable seal, or a file is missing, changed or not the seal's; names the file.
    """
    remedy = "It was cut off while it was written, or changed afterwards; it cannot be used."
    if not (folder / SEAL).is_file():
        raise InputError(folder, f"has no {SEAL}.", remedy)
    content = read_json(folder / SEAL)
    if not isinstance(content, dict) or not all(isinstance(content.get(key), dict) for key in ("files", "facts")):
        raise InputError(folder / SEAL, "is not a seal.", remedy)
    if difference := first_difference(content["files"], file_digests(folder)):
        raise InputError(folder, difference, remedy)
    return dict(content["facts"])


def first_difference(recorded: Mapping[str, str], found: Mapping[str, str]) -> str | None:
    """The first file that is missing, changed or new, in words; ``None`` where all are as recorded."""
    for name in sorted({*recorded, *found}):
        if name not in found:
            return f"file '{name}' is missing."
        if name not in recorded:
            return f"file '{name}' was not there when it was finished."
        if recorded[name] != found[name]:
            return f"file '{name}' has changed: SHA-256 {found[name]}, recorded {recorded[name]}."
    return None
