"""Job logs: what a rule's ``log:`` names receives everything that its adapter prints or logs."""

import contextlib
import io
import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType

from rlvr.core.refusals import forget, is_lasting, note
from rlvr.core.writable import explained

log = logging.getLogger(__name__)


class JobLog(io.TextIOWrapper):
    """The text of a log; what no disk takes any more is left out, so that a job does not fail for its log."""

    def write(self, text: str) -> int:
        """Write as much as there is space for; the number of characters of the text."""
        with contextlib.suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written, as far as there is space."""
        with contextlib.suppress(OSError):
            super().flush()


def log_to(path: str) -> None:
    """Send stdout, stderr and the root logger of this process to ``path``.

    Uncaught errors are also shown on the original stderr: first their message, so that a user who never opens the
    log still reads what was wrong and what to do. One that would come again is noted beside the log.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    stream = JobLog(target.open("wb"), encoding="utf-8", errors="backslashreplace", line_buffering=True)
    terminal = sys.stderr
    forget(path)

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        told = explained(error, target.parent)
        print(f"{type(told).__name__}: {told}\n(full log: {path})", file=terminal)
        if told is error:
            traceback.print_exception(kind, error, trace, file=stream)
        else:  # of the machine, not of the code: a traceback would hide what it is
            print(f"{kind.__name__}: {error}\n{type(told).__name__}: {told}", file=stream)
        if is_lasting(told):
            note(path, told)

    sys.stdout = sys.stderr = stream
    sys.excepthook = show
    logging.basicConfig(
        stream=stream, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )


def announce(message: str) -> None:
    """Show a line on the terminal that the job was started from; its log has it too."""
    log.info(message)
    if sys.__stderr__ is not None:
        print(message, file=sys.__stderr__, flush=True)
