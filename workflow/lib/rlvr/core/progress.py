"""Progress of downloads where a user sees it, although a job's stderr is its log."""

import sys
from typing import Any

from huggingface_hub.utils import tqdm

LOGGED_EVERY_S = 30.0


class Progress(tqdm):
    """A bar on the terminal that the job was started from or, where there is none, a line in its log now and then.

    For ``tqdm_class`` of huggingface_hub, whose own bars look at ``sys.stderr``: in a job that is a file, and they stay
    silent. ``HF_HUB_DISABLE_PROGRESS_BARS=1`` still silences these.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        shown: dict[str, Any] = {"file": sys.__stderr__, "disable": False}
        if sys.__stderr__ is None or not sys.__stderr__.isatty():
            shown |= {"file": sys.stderr, "mininterval": LOGGED_EVERY_S, "maxinterval": LOGGED_EVERY_S, "ascii": True}
        super().__init__(*args, **(kwargs | shown))
