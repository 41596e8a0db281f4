"""Errors that come again however often a job is started: noted beside its log, so that nobody starts it again.

A bad row, too few problems or a missing package fail the second time as they did the first, behind another wait for
GPUs. A job that ends with such an error leaves ``<log>.refused``; the driver asks for it before a retry.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path

from rlvr.core.errors import InputError

SUFFIX = ".refused"
STATUS = 65  # SOURCE: sysexits.h, EX_DATAERR: what was given is wrong


def is_lasting(error: BaseException) -> bool:
    """Whether an error would come again; an error may say so itself by an attribute ``lasting``."""
    return bool(getattr(error, "lasting", isinstance(error, InputError | ImportError)))


def note(log: str | Path, error: BaseException) -> None:
    """Leave word that the job of this log is not to be started again; where that cannot be written, it is."""
    marker = Path(f"{log}{SUFFIX}")
    with contextlib.suppress(OSError):
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_text(f"{type(error).__name__}: {error}\n", encoding="utf-8")


def forget(log: str | Path) -> None:
    """Take back what an earlier attempt left."""
    Path(f"{log}{SUFFIX}").unlink(missing_ok=True)


def forget_all(logs: str | Path) -> None:
    """Take back what jobs of an earlier call left, below a folder of logs."""
    for marker in Path(logs).rglob(f"*{SUFFIX}"):
        marker.unlink(missing_ok=True)


def is_refused(logs: Iterable[str | Path]) -> bool:
    """Whether the job of these logs left word that it would fail again."""
    return any(Path(f"{log}{SUFFIX}").is_file() for log in logs)
