"""Commits of repositories that nobody pinned: found once, written down, and held from then on.

The file is JSON, from ``owner/name`` to a full commit hash. It lies beside the registry of sources, outside of the
results: whoever deletes those and runs again gets the same checkpoints, and whoever commits it gives them to others.
"""

from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, write_json

LOCK = ".revisions.lock"  # beside the file; jobs may look for several commits at once


def held_revision(repository: str, held: Path, find: Callable[[str], str]) -> str:
    """The commit at which a repository is read: the one that was written down, otherwise the one found now.

    Args:
        repository: ``owner/name``.
        held: File of the commits; made, with its folder, if it is not there.
        find: Asked for the commit of a repository that the file does not have.

    Raises:
        InputError: If the file holds something other than an object, or what ``find`` raises; nothing is written then.
    """
    held.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(held.with_name(LOCK)):
        known = read_json(held) if held.is_file() else {}
        if not isinstance(known, dict):
            raise InputError(held, "is no object of repositories and commits.", "Mend it, or delete it.")
        if repository not in known:
            known[repository] = find(repository)
            write_json(known, held)
    return str(known[repository])
