"""A wall-clock limit for pure Python work that holds in every thread.

The main thread is interrupted by a signal, which Python also checks inside products of huge integers. Signals reach no
other thread; there a watcher thread raises the exception inside the working one, between two of its bytecodes. Neither
way ends a single long call into other C code: only a killable worker process can.
"""

import ctypes
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

REPEAT_S = 1.0  # asked again this often: the limited work may have swallowed the first exception in its cleanup


class TimedOutError(BaseException):
    """The limit has passed. Not an ``Exception``: libraries that catch those would report a wrong answer instead."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise ``TimedOutError`` inside the block once ``seconds`` have passed.

    In the main thread the process's alarm is borrowed: when the block ends, a timer that ran before goes on with what
    it had left when the block began.

    Args:
        seconds: Wall-clock seconds, above 0.

    Raises:
        TimedOutError: In the calling thread, from whatever line of the block it is executing.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    stop = _start_alarm(seconds) if in_main_thread else _start_watcher(seconds)
    try:
        yield
    finally:
        while True:  # the exception may arrive in these very lines: the limit must be lifted nevertheless
            try:
                stop()
                break
            except TimedOutError:
                continue


def _start_alarm(seconds: float) -> Callable[[], None]:
    """Arm the process's timer; the returned function restores what was there before."""

    def expire(_number: int, _frame: FrameType | None) -> None:
        raise TimedOutError

    previous_handler = signal.signal(signal.SIGALRM, expire)
    previous_timer = signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT_S)

    def stop() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous_handler)
        signal.setitimer(signal.ITIMER_REAL, *previous_timer)

    return stop


def _start_watcher(seconds: float) -> Callable[[], None]:
    """Start a thread that will interrupt this one; the returned function ends it and withdraws what is pending."""
    worker = threading.get_ident()
    finished = threading.Event()

    def watch() -> None:
        wait = seconds
        while not finished.wait(wait):
            _set_exception(worker, ctypes.py_object(TimedOutError))
            wait = REPEAT_S

    watcher = threading.Thread(target=watch, name="time-limit", daemon=True)
    watcher.start()

    def stop() -> None:
        finished.set()
        watcher.join()
        _set_exception(worker, None)

    return stop


def _set_exception(thread: int, exception: "ctypes.py_object | None") -> None:
    """Make an exception pending in a thread, or withdraw the pending one."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), exception)
