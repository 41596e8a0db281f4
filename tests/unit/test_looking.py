"""How often Snakemake's scheduler looks at its jobs."""

import inspect
import threading
import time
from types import SimpleNamespace

from snakemake.scheduling.job_scheduler import JobScheduler

from rlvr.core.looking import look_once


def scheduler() -> SimpleNamespace:
    """The parts of a scheduler that wait and wake it."""
    return SimpleNamespace(job_rate_limiter=object(), _open_jobs=threading.Semaphore(0))


def test_the_scheduler_has_the_parts_that_are_changed():
    source = inspect.getsource(JobScheduler)
    assert "self._schedule_reevalutation(self.job_rate_limiter.timespan)" in source
    assert "self.job_rate_limiter = (" in source and "self._open_jobs.acquire()" in source


def test_jobs_of_this_machine_have_no_limit():
    local = scheduler()
    look_once(local, is_local=True)
    assert local.job_rate_limiter is None


def test_submitted_jobs_keep_their_limit_and_start_one_timer_at_a_time():
    submitted = scheduler()
    look_once(submitted, is_local=False)
    assert submitted.job_rate_limiter is not None
    for _ in range(2):
        for _ in range(20):
            submitted._schedule_reevalutation(0.2)
        assert submitted._open_jobs.acquire(timeout=30)  # the timer wakes the scheduler
        time.sleep(0.5)
        assert not submitted._open_jobs.acquire(blocking=False)  # once
