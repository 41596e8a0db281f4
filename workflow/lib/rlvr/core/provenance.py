"""Where a result came from: package versions and commit."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[2]  # the folder that holds the package `rlvr`
RECORDED_PACKAGES = (
    "torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "safetensors",
    "math-verify", "numpy", "pandas", "pyarrow", "vllm",
)  # fmt: skip


def package_versions() -> dict[str, str]:
    """Installed versions of the packages that can change a result; missing ones are left out."""
    found = {"python": platform.python_version()}
    for name in RECORDED_PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def repository_state() -> dict[str, str | bool | None]:
    """Commit of the workflow and whether the tree differed from it; ``None`` outside a git checkout."""
    commit = _git("rev-parse", "HEAD")
    return {"commit": commit, "dirty": None if commit is None else bool(_git("status", "--porcelain"))}


def source_time() -> int:
    """When the sources of a document were made, in seconds since 1970: a date that equal builds share.

    ``SOURCE_DATE_EPOCH`` takes precedence (https://reproducible-builds.org/specs/source-date-epoch); otherwise it is
    the time of the commit, and 0 outside a git checkout.
    """
    told = os.environ.get("SOURCE_DATE_EPOCH", "")
    if told.isascii() and told.isdigit():
        return int(told)
    return int(_git("show", "--no-patch", "--format=%ct", "HEAD") or 0)


def _git(*words: str) -> str | None:
    """What git prints of the workflow's repository; ``None`` where it refuses, or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(LIBRARY), *words], capture_output=True, encoding="utf-8", errors="replace", check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
