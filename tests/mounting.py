"""Disks of a test's own: full, small, or read-only ones."""

import subprocess
from functools import cache


@cache
def may_mount() -> bool:
    """Whether this user may mount in a namespace of its own."""
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
