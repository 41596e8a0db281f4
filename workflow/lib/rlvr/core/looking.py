"""Snakemake's scheduler looks at the ready jobs once for each reason, not ever more often.

With a limit of jobs per timespan, which it has without being asked (100/1s), every look starts a timer for another look
(SOURCE: snakemake 9.27, ``scheduling/job_scheduler.py``, ``schedule``). Every job that ends adds a look of its own, so
that behind n jobs n timers go round, each once a second: the driver of a thousand small jobs takes a core for itself.
"""

import threading
from typing import Any


def look_once(scheduler: Any, is_local: bool) -> None:
    """Take the limit from a scheduler whose jobs run here, and let any other have one timer at a time.

    A machine's own jobs are limited by its cores. Where jobs are submitted, the limit is kept.

    Args:
        scheduler: Snakemake's ``JobScheduler`` before it starts.
        is_local: Whether its jobs run on this machine.
    """
    if is_local:
        scheduler.job_rate_limiter = None
        return
    waiting: list[threading.Timer] = []

    def look_later(delay: float) -> None:
        if not any(timer.is_alive() for timer in waiting):
            waiting[:] = [threading.Timer(delay, scheduler._open_jobs.release)]
            waiting[0].start()

    scheduler._schedule_reevalutation = look_later
