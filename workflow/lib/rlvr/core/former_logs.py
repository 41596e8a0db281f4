"""Logs of failed attempts, kept beside the next one's.

Snakemake removes the log of a job before every attempt (9.27, ``Job.remove_existing_output``), so that nothing can be
appended to it. Here the log of a job that left outputs missing becomes ``<log>.1`` first, and what had that name
``<log>.2``. They go when the job is done again although it was whole.
"""

from pathlib import Path
from typing import Any

KEPT = 5  # failed attempts; a profile's retries are fewer


def keep_failed_logs(job_class: type[Any]) -> None:
    """Let Snakemake's jobs keep the logs of their failed attempts.

    Args:
        job_class: ``snakemake.jobs.Job``.
    """
    remove = job_class.remove_existing_output

    async def keep_and_remove(job: Any) -> None:
        whole = all(Path(each).exists() for each in job.output)
        for log in job.log:
            if whole:
                forget_former(log)
            else:
                keep_former(log)
        await remove(job)

    job_class.remove_existing_output = keep_and_remove


def keep_former(log: str | Path) -> None:
    """Number the logs of earlier attempts anew, the last one as 1; an empty one says nothing and is not kept."""
    path = Path(log)
    if not path.is_file() or not path.stat().st_size:
        return
    names = [path, *former_names(path)]
    free = next((number for number, name in enumerate(names) if not name.exists()), len(names) - 1)
    for number in range(free, 0, -1):
        names[number - 1].replace(names[number])


def forget_former(log: str | Path) -> None:
    """Remove the logs of earlier attempts."""
    for name in former_names(log):
        name.unlink(missing_ok=True)


def former_names(log: str | Path) -> list[Path]:
    """Where the logs of earlier attempts lie, the last one first."""
    return [Path(f"{log}.{number}") for number in range(1, KEPT + 1)]
