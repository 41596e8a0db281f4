"""Large temporary folders: who is killed before it removes its own leaves it to the next job of this machine."""

import fcntl
import getpass
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rlvr.core.io import remove
from rlvr.core.locks import JOB_VARIABLE
from rlvr.core.nodes import make_own

LOCK = ".lock"


@contextmanager
def scratch_folder(kind: str) -> Iterator[Path]:
    """An empty folder below that of temporary files, named by the job, removed at the end.

    What killed jobs left on this machine is removed first: a folder whose lock (flock) nobody holds. The lock ends with
    the last process that has it, so that a folder stays while a fork of its job still reads it. On a file system
    without locks nothing is removed but the own folder.

    Args:
        kind: What it is for; jobs clean up behind their own kind only.
    """
    root = Path(tempfile.gettempdir(), f"rlvr-{kind}-{getpass.getuser()}-{platform.node()}")
    make_own(root)
    with (root / LOCK).open("a") as alone:  # or one could take a folder that is not locked yet for one that was left
        with suppress(OSError):
            fcntl.flock(alone, fcntl.LOCK_EX)
        for left in [each for each in root.iterdir() if each.is_dir()]:
            if (lock := _locked(left)) is not None:
                remove(left)
                os.close(lock)
        folder = Path(tempfile.mkdtemp(prefix=f"{os.environ.get(JOB_VARIABLE, 'local')}-", dir=root))
        own = _locked(folder)
    try:
        yield folder
    finally:
        remove(folder)
        if own is not None:
            os.close(own)


def _locked(folder: Path) -> int | None:
    """The lock of a folder, as a file that holds it; ``None`` if another process does, or there are no locks."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
