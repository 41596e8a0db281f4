"""Helpers of a job that leave SIGTERM to it.

A scheduler sends that signal to every process of a job, whose main process means to finish its step first. What it
needs for that must not die before it; such a process has to end by itself when its caller does.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def starting_deaf() -> Iterator[None]:
    """Processes that are started within, by this thread, do not hear SIGTERM, nor do those that they start."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # a mask is inherited
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
