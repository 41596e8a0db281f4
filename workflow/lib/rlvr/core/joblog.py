"""Job logs: what a rule's ``log:`` names receives everything that its adapter prints or logs."""

import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType

from rlvr.core.refusals import forget, is_lasting, note

log = logging.getLogger(__name__)


def log_to(path: str) -> None:
    """Send stdout, stderr and the root logger of this process to ``path``.

    Uncaught errors are also shown on the original stderr: first their message, so that a user who never opens the
    log still reads what was wrong and what to do. One that would come again is noted beside the log.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    stream = target.open("w", encoding="utf-8", errors="backslashreplace", buffering=1)
    terminal = sys.stderr
    forget(path)

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        traceback.print_exception(kind, error, trace, file=stream)
        print(f"{kind.__name__}: {error}\n(full log: {path})", file=terminal)
        if is_lasting(error):
            note(path, error)

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
