"""Importing torch and transformers costs more than most jobs of a small scale: what helps, without side effects."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Import without garbage collection: imports allocate much and free nothing, collecting costs a tenth of them.

    What was imported is then left out of all later collections.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
