"""Files that were not made because a job failed, and the log of that job: noted by a driver at its end.

The call that makes tables and documents of what is there reads them: a file whose job failed is left out instead of
being asked for again.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from rlvr.core.io import read_json, write_json

NAME = "failed.json"
Job = TypeVar("Job", bound=Hashable)


def blamed(waiting: Collection[Job], failed: Collection[Job], before: Callable[[Job], Iterable[Job]]) -> dict[Job, Job]:
    """The failed job for whose sake a job was not done; a failed one stands for itself.

    Args:
        waiting: Jobs that should have been done and were not, failed ones included.
        failed: Those that were started and failed.
        before: The jobs whose files a job reads.

    Returns:
        By waiting job; one that was merely not reached is not among them.
    """
    found: dict[Job, Job | None] = {}

    def find(job: Job) -> Job | None:
        if job not in found:
            earlier = (find(each) for each in before(job) if each in waiting)
            found[job] = job if job in failed else next((each for each in earlier if each is not None), None)
        return found[job]

    return {job: culprit for job in waiting if (culprit := find(job)) is not None}


def note_failures(logs: Mapping[str, str], results: str | Path) -> None:
    """Note the log of the job that failed by every file that is missing or out of date for its sake.

    What was noted before stays, as far as nothing was made since.
    """
    noted = {**failed_files(results), **logs}
    write_json({file: {"log": log, "made": _made(file)} for file, log in noted.items()}, Path(results) / NAME)


def failed_files(results: str | Path) -> dict[str, str]:
    """Log of the job that failed by noted file; one that was made since then is not among them."""
    path = Path(results) / NAME
    noted = read_json(path) if path.is_file() else {}
    return {file: entry["log"] for file, entry in noted.items() if _made(file) == entry["made"]}


def forget_failures(results: str | Path) -> None:
    """Take back what an earlier call noted."""
    (Path(results) / NAME).unlink(missing_ok=True)


def _made(file: str) -> int | None:
    """When a file was written last, in nanoseconds; ``None`` for one that is not there."""
    return Path(file).stat().st_mtime_ns if Path(file).exists() else None
