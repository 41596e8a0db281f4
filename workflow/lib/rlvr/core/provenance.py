"""Where a result came from: package versions and commit."""

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

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(LIBRARY), *words], capture_output=True, encoding="utf-8", errors="replace", check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    commit = git("rev-parse", "HEAD")
    return {"commit": commit, "dirty": None if commit is None else bool(git("status", "--porcelain"))}
