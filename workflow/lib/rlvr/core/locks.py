"""One writer per folder: a lock that names its holder and ends with its process, however that ends."""

import errno
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, remove, write_json

LOCK = ".lock"
HOLDER = ".holder.json"
JOB_VARIABLE = "SLURM_JOB_ID"  # SOURCE: Slurm's sbatch manual, output environment variables
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)  # of a file system without flock
UNKNOWN = "a process that has not said its name yet"


class Busy(InputError):
    """A folder that another process is writing; it may be free at the next attempt."""

    lasting = False


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Hold a folder for this process; temporary files that killed holders left in it are removed.

    The operating system ends the lock with the process, so that a kill leaves nothing to clean up. The file stays: one
    that was removed could be locked twice, by its old and its new inode.

    Args:
        folder: Made if it is not there.

    Raises:
        InputError: If another process holds it; says which one, on which machine and since when. Or if the file system
            has no locks that end with their process: a file in the place of one would outlive a killed holder, and
            refuse every retry of its run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, blocking=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        remedy = "Wait for it, or stop it; what is written here is then taken up where it stands."
        raise Busy(folder, f"is being written by {holder(folder)}.", remedy) from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        problem = f"is on a file system without locks (flock: {error.strerror})."
        remedy = "Have it mounted with them (Lustre: option flock), or let `results` be a link to one that has them."
        raise InputError(folder, problem, remedy) from error
    try:
        sweep(folder)
        write_json(_this_process(), folder / HOLDER)
        yield
        (folder / HOLDER).unlink(missing_ok=True)
    finally:
        lock.release()


def holder(folder: Path) -> str:
    """Who holds a folder, in words."""
    try:
        found = read_json(folder / HOLDER)
    except (FileNotFoundError, InputError):
        return UNKNOWN
    job = f", job {found['job']}" if found["job"] else ""
    return f"process {found['pid']} on {found['host']}{job}, since {found['since']}"


def sweep(folder: Path) -> None:
    """Remove the temporary files and folders of writers that were killed; only for who holds the folder."""
    for path in folder.glob(".*.tmp"):
        remove(path)


def _this_process() -> dict[str, str | int]:
    since = time.strftime("%Y-%m-%d %H:%M:%S %z")
    job = os.environ.get(JOB_VARIABLE, "")
    return {"pid": os.getpid(), "host": platform.node(), "job": job, "since": since}
