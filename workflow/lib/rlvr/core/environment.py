"""The environment that jobs inherit, whether they run here, in an activated environment or on a cluster node."""

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

from rlvr.core.provenance import LIBRARY

QUIET_LIBRARIES = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",  # a job has the threads that its rule asks for, and no more
    "TRANSFORMERS_VERBOSITY": "error",
}
STOPPING = {"TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "600"}  # seconds; torchrun's 30 s are shorter than many a generation


def prepare_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let adapters and launchers find this library, its modules and this interpreter; mute telemetry; wait for runs.

    Values that a user has set stay. An environment that a job activates later puts its own interpreter first.
    """
    _prepend(environment, "PYTHONPATH", str(LIBRARY))
    _prepend(environment, "MODULEPATH", str(LIBRARY.parents[1] / "envs" / "modules"))
    _prepend(environment, "PATH", str(Path(sys.executable).parent))
    for name, value in {**QUIET_LIBRARIES, **STOPPING}.items():
        environment.setdefault(name, value)


def _prepend(environment: MutableMapping[str, str], name: str, entry: str) -> None:
    entries = [part for part in environment.get(name, "").split(os.pathsep) if part and part != entry]
    environment[name] = os.pathsep.join([entry, *entries])
