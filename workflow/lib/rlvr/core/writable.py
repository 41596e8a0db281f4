"""Whether files can be written where they are to go: asked before any job, in one sentence where they cannot."""

import errno
import os
import re
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError

LEAST_FREE_BYTES = 2**18  # a disk with less is full: logs, manifests and a small table already need that much
PATH_LIMIT = os.pathconf("/", "PC_PATH_MAX") - 1  # bytes; the system counts one that ends a path
BESIDE_BYTES = 24  # `.<name>.<process>.tmp` while a file is written, and `<log>.refused`
BELOW_BYTES = 120  # what jobs make below the folder of an output, e.g. `checkpoints/checkpoint-100000/rng_state_15.pth`
MANIFEST, OF_A_RUN = "run.json", ("adapter", "model", "checkpoints", "steps")  # folders that stand beside the manifest
MENDED, ASKED = "asks_for_places", "asked_for_places"
FREE_SPACE = "Make space there, or let the folder be a link to another disk; then type the same command again."
# What libraries say of a disk that is full, in words of their own: safetensors, PyTorch, Arrow, C++.
FULL = re.compile(
    r"No space left on device|os error (?:28|122)\b|Disk quota exceeded|File too large|PytorchStreamWriter failed"
    r"|iostream error|\[Errno (?:27|28|122)\]|unexpected pos \d+ vs \d+",
    flags=re.IGNORECASE,
)
CITED = re.compile(r"\w+Error: \[Errno (\d+)\] [^:\n]*: '([^'\n]*)'")  # as Python writes an OSError
IN_THE_WAY = (errno.ENOTDIR, errno.EEXIST)  # also where a folder is made in the place of a file or of a dead link
REASONS = {  # of an error of the operating system: what it means for whoever reads it, and what to do
    errno.ENOSPC: ("cannot be written: the disk is full.", FREE_SPACE),
    errno.EDQUOT: ("cannot be written: your quota of the disk is used up.", FREE_SPACE),
    errno.EFBIG: ("would be larger than this process may write (ulimit -f).", "Raise that limit."),
    errno.EROFS: (
        "cannot be written: its disk is mounted read-only.",
        "Have it mounted for writing, or work elsewhere.",
    ),
    errno.EACCES: ("is closed to this user.", "Have its owner or mode changed, or work elsewhere."),
    errno.EPERM: ("is closed to this user.", "Have its owner or mode changed, or work elsewhere."),
    errno.EISDIR: ("is a folder; a file is needed there.", "Move it away."),
    errno.ENAMETOOLONG: ("is longer than the file system takes.", "Move the project to a shorter path."),
}


class Unwritable(InputError):
    """A place that takes no file now; where only space is missing, the next attempt may find some."""

    def __init__(self, where: object, problem: str, remedy: str, lasting: bool = True) -> None:
        super().__init__(where, problem, remedy)
        self.lasting = lasting

    def __reduce__(self) -> tuple[type["Unwritable"], Any]:
        """Travel whole from a worker process."""
        return type(self), (self.where, self.problem, self.remedy, self.lasting)


def check_places(paths: Iterable[str | Path]) -> None:
    """Stop if a file could not be written at one of these paths, each relative to the working directory or absolute.

    Raises:
        Unwritable: Names the folder, the reason and what to do.
    """
    _check_space.cache_clear()  # a disk may have filled up since the plan
    folders: dict[Path, int] = {}  # the longest name in each
    for path in map(Path, paths):
        folders[path.parent] = max(folders.get(path.parent, 0), len(os.fsencode(path.name)))
        if os.path.isdir(path):  # noqa: PTH112 (below a closed folder it is False)
            raise told(path, errno.EISDIR)
        if path.name == MANIFEST:
            folders.update({inside: 0 for name in OF_A_RUN if os.path.lexists(inside := path.parent / name)})
    for folder, longest in sorted(folders.items()):
        check_folder(folder, longest)


def check_tree(results: Path, names: Mapping[str, Collection[str]]) -> None:
    """Stop if a stage's folder, or one in it that a plan looks into, is a file, leads nowhere, or cannot be read.

    One look at each: a plan of a thousand runs waits some milliseconds.

    Args:
        results: Folder of a scale's results, there or not.
        names: Folders in a stage's folder (of runs, data sets, studies) by name of the stage; what else lies in the
            results is of no concern.

    Raises:
        Unwritable: Names the place, the reason and what to do.
    """
    for above in (results.parent, results):
        if nearest_folder(above) == above:
            _check_readable(above)
    for stage, wanted in names.items():
        if not os.path.lexists(folder := results / stage):
            continue
        _check_readable(nearest_folder(folder))
        known = set(wanted)
        for entry in _entries(folder) if known else ():
            if entry.name in known:
                _check_readable(Path(entry.path) if entry.is_dir() else nearest_folder(Path(entry.path)))


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    """What lies in a folder, by name."""
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _check_readable(folder: Path) -> None:
    if not os.access(folder, os.R_OK | os.X_OK):
        raise told(folder, errno.EACCES)


def check_folder(folder: Path, longest: int = 0) -> None:
    """Stop if a folder that is there, or is still to be made, could not take a file whose name has so many bytes.

    Raises:
        Unwritable: Names the folder, the reason and what to do.
    """
    above = nearest_folder(folder)
    _check_space(above)
    names = [len(os.fsencode(part)) for part in folder.parts]
    name_limit = os.statvfs(above).f_namemax
    if max([*names, longest]) + BESIDE_BYTES > name_limit:
        problem = (
            f"names of up to {max([*names, longest])} bytes do not fit: the file system takes {name_limit}, of which"
        )
        remedy = "Give shorter names, or let `results` be a link to a file system that takes longer ones."
        raise Unwritable(folder, f"{problem} temporary files need {BESIDE_BYTES}.", remedy)
    length = len(os.fsencode(os.path.abspath(folder))) + longest  # noqa: PTH100 (a link is not followed)
    if length + BELOW_BYTES > PATH_LIMIT:
        problem = (
            f"the path has {length} bytes with its files' names; the system takes {PATH_LIMIT}, of which jobs need"
        )
        raise Unwritable(folder, f"{problem} {BELOW_BYTES}.", REASONS[errno.ENAMETOOLONG][1])


def nearest_folder(folder: Path) -> Path:
    """The folder itself, otherwise the nearest one above it that is there.

    Raises:
        Unwritable: If a file, or a link to nothing, stands where a folder is needed.
    """
    above = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    if above.is_dir():
        return above
    if above.is_symlink():
        problem = f"is a link to {above.readlink()}, which is not there."
        raise Unwritable(above, problem, "Make that folder, mount its disk, or mend the link.")
    raise Unwritable(above, "is a file; a folder is needed there.", "Move it away.")


@cache  # a plan of a thousand jobs writes into few folders
def _check_space(folder: Path) -> None:
    """Stop if nothing can be written into a folder that is there."""
    disk = os.statvfs(folder)
    if disk.f_flag & os.ST_RDONLY:
        raise told(folder, errno.EROFS)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise told(folder, errno.EACCES)
    free = (disk.f_bfree if os.geteuid() == 0 else disk.f_bavail) * disk.f_frsize
    if free < LEAST_FREE_BYTES:
        problem = f"cannot be written: the disk is full ({free:,} bytes are free)."
        raise Unwritable(folder, problem, FREE_SPACE, lasting=False)
    if disk.f_files and not disk.f_ffree:
        problem = "cannot be written: the disk has no room for another file (inodes)."
        raise Unwritable(folder, problem, "Remove files there.", lasting=False)


def told(where: object, number: int) -> Unwritable:
    """An error of the operating system as a sentence; ``number`` is one of ``REASONS``."""
    reason, remedy = REASONS[number]
    lasting = number not in (errno.ENOSPC, errno.EDQUOT)
    return Unwritable(where, reason, remedy, lasting)


def explained(error: BaseException, folder: str | Path) -> BaseException:
    """An error of a job, as a sentence where it says that a file cannot be written; any other as it is.

    Args:
        error: Whatever ended the job. Libraries of other languages tell a full disk by their own words.
        folder: Named where the error names no file.
    """
    if isinstance(error, InputError):
        return error
    if isinstance(error, OSError):
        place = error.filename2 or error.filename or folder
        if error.errno in REASONS:
            return told(_closed(place), error.errno)
        if error.errno in IN_THE_WAY and isinstance(place, str | os.PathLike):
            return _in_the_way(Path(place)) or error
    if FULL.search(str(error)):
        problem = f"cannot be written: the disk is full, or was ({type(error).__name__}: {str(error)[:200]})."
        return Unwritable(folder, problem, FREE_SPACE, lasting=False)
    return error


def _closed(place: Any) -> Any:
    """The highest folder above a path that this user may not enter, otherwise what was given."""
    above = reversed(Path(place).parents) if isinstance(place, str | os.PathLike) else ()
    shut = (each for each in above if each.is_dir() and not os.access(each, os.X_OK))
    return next(shut, place)


def _in_the_way(path: Path) -> Unwritable | None:
    """The file or dead link that stands where a folder above a path, or at it, is needed."""
    try:
        nearest_folder(path)
    except Unwritable as error:
        return error
    return None


def check_temporary() -> str:
    """A remark on ``$TMPDIR`` where it is not used; ``""`` where all is well.

    Raises:
        Unwritable: If no folder takes temporary files.
    """
    wanted, remedy = os.environ.get("TMPDIR", ""), "Set TMPDIR to a folder with space."
    try:
        used = tempfile.gettempdir()
        _check_space(Path(used))
    except FileNotFoundError:
        problem = "no folder takes temporary files: not $TMPDIR, /tmp, /var/tmp, nor this one."
        raise Unwritable(wanted or "$TMPDIR", problem, remedy) from None
    except Unwritable as error:
        raise Unwritable(f"{used} (for temporary files)", error.problem, remedy, error.lasting) from None
    if wanted and Path(used).absolute() != Path(wanted).absolute():
        return f"TMPDIR={wanted} takes no files; temporary ones go to {used}.\n"
    return ""


def ask_for_places(planner: Any, check: Callable[[Iterable[str]], None] = check_places) -> None:
    """Let a planner end a call, dry or not, if what its jobs write cannot be written, or what is there not be read.

    Args:
        planner: Snakemake's class ``DAG``, before it plans; a second call changes nothing.
        check: Receives every path that the jobs of the plan write: outputs, logs, benchmarks.
    """
    if getattr(planner, MENDED, False):
        return
    plan, look = planner.init, planner.check_jobs

    async def init(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            await plan(self, *args, **kwargs)
        except Exception as error:
            told = (explained(each, "") for each in _behind(error))
            if sentence := next((each for each in told if isinstance(each, InputError)), None):
                sys.exit(f"InputError: {sentence}")
            raise

    async def check_jobs(self: Any) -> None:
        if not getattr(self, ASKED, False):  # once, when it is known which jobs run
            setattr(self, ASKED, True)
            try:
                check(written_by(self.needrun_jobs()))
            except InputError as error:
                sys.exit(f"InputError: {error}")
        await look(self)

    planner.init, planner.check_jobs = init, check_jobs
    setattr(planner, MENDED, True)


def _behind(error: BaseException) -> Iterator[OSError]:
    """The operating system's errors that an error was raised for, or that its text cites: Snakemake keeps no more."""
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, OSError):
            yield behind
        behind = behind.__cause__ or behind.__context__
    for number, path in CITED.findall(str(error)):
        yield OSError(int(number), os.strerror(int(number)), path)


def written_by(jobs: Iterable[Any]) -> list[str]:
    """Every path that Snakemake's jobs write."""
    return [str(path) for job in jobs for path in (*job.output, *job.log, *([job.benchmark] if job.benchmark else []))]
