"""What a run logs, sent to a tracker of the user's choice as well; results do not depend on it."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.errors import InputError

if TYPE_CHECKING:
    from transformers import Trainer

VARIABLE = "RLVR_TRACKER"  # set by the workflow from its key `tracker`: no setting of a run, which it does not change
TRACKERS = ("tensorboard", "trackio", "wandb")  # names of packages and, in transformers, of their callbacks
PROJECT = "rlvr"
FOLDER = "tracking"  # beside train/, a folder of each run; for tensorboard


def track(trainer: "Trainer", run_id: str, out: Path, name: str | None = None) -> None:
    """Let a trainer also send its log to a tracker, under the id of the run in the project ``rlvr``.

    TensorBoard writes below ``results/<scale>/tracking/<run_id>``. Trackio and Weights & Biases keep their own
    settings (accounts, modes, ``WANDB_PROJECT``, ``TRACKIO_PROJECT``); nothing is sent to a Space of the hub.

    Args:
        trainer: Before training.
        run_id: Of the run.
        out: Its folder, ``results/<scale>/train/<run_id>``.
        name: One of ``TRACKERS``, empty for none; by default what ``RLVR_TRACKER`` says.

    Raises:
        InputError: For another name, or where the tracker's package is not installed.
    """
    name = os.environ.get(VARIABLE, "") if name is None else name
    if not name:
        return
    if name not in TRACKERS:
        raise InputError(f"tracker '{name}'", "is not known.", f"Choose one of {', '.join(TRACKERS)}, or none.")
    if find_spec(name) is None:
        remedy = f"Install it where training runs (pip install {name}), or leave the key `tracker` empty."
        raise InputError(f"tracker '{name}'", "its package is not installed.", remedy)
    from transformers.integrations import get_reporting_integration_callbacks

    os.environ.setdefault("WANDB_PROJECT", PROJECT)
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(out.parents[1] / FOLDER / run_id)
    trainer.args.run_name = run_id
    trainer.args.project = os.environ.get("TRACKIO_PROJECT", PROJECT)
    trainer.args.trackio_space_id = None
    for callback in get_reporting_integration_callbacks(name):
        trainer.add_callback(callback)
