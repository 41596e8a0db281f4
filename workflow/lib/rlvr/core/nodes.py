"""The environment of jobs on the nodes of a cluster: no downloads, compiled code on a disk of the node."""

import contextlib
import getpass
import os
import stat
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

from rlvr.core.errors import InputError

COMPILED = {  # SOURCE: documentation of vLLM, Triton, PyTorch, FlashInfer: where each keeps what it compiles
    "VLLM_CACHE_ROOT": "vllm",
    "TRITON_CACHE_DIR": "triton",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "FLASHINFER_WORKSPACE_BASE": "flashinfer",
}
OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")


def use_hub_cache(folder: str, environment: MutableMapping[str, str] = os.environ) -> None:
    """Keep what is downloaded in a folder of the user's choice, ``~`` and variables expanded; nothing for ``""``."""
    if folder:
        environment["HF_HOME"] = _expanded(folder)


def prepare_node(scratch: str, environment: MutableMapping[str, str] = os.environ) -> None:
    """Let a job on a node download nothing and compile into a disk of its own.

    Values that a user has set stay.

    Args:
        scratch: Folder on the node, with variables (``$TMPDIR``) that may be set there only; ``""`` for the folder of
            temporary files. One whose variables are not set is not used.
        environment: Of the job.

    Raises:
        InputError: If the folder of compiled code is another user's.
    """
    folder = _expanded(scratch)
    if not folder or "$" in folder:
        folder = tempfile.gettempdir()
    caches = Path(folder) / f"rlvr-compiled-{getpass.getuser()}"
    if not environment.keys() >= COMPILED.keys():
        make_own(caches)
    for name, part in COMPILED.items():
        environment.setdefault(name, str(caches / part))
    for name in OFFLINE:
        environment[name] = "1"


def make_own(folder: Path) -> None:
    """Make a folder of this user alone: whoever can write into it decides which code the jobs load.

    One that cannot be made is left to the libraries, which say so themselves if they compile anything.
    """
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        found = folder.lstat()
    except OSError:
        return
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        remedy = "Name a folder of your own as `scratch` in cluster.yaml, or set TMPDIR to one."
        raise InputError(folder, "is not a folder of this user; compiled code is not loaded from it.", remedy)
    if stat.S_IMODE(found.st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
        folder.chmod(0o700)


def _expanded(folder: str) -> str:
    return str(Path(os.path.expandvars(folder)).expanduser()) if folder else ""
