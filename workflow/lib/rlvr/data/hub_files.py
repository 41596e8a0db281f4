"""Files of a data set repository on the Hugging Face hub, at a commit, through the download cache.

huggingface_hub takes up a connection that broke where it broke, keeps complete files for a next try, checks sizes and
moves files into the cache when they are whole. That their content is what the hub states is checked here.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HTTPError

from rlvr.core.errors import InputError
from rlvr.core.progress import Progress

SHA256 = re.compile(r"[0-9a-f]{64}")


def download_files(repository: str, commit: str | None, patterns: Sequence[str], cache_dir: str) -> Path:
    """Download what is not in the cache yet, with its progress shown.

    Args:
        repository: ``owner/name`` of a data set.
        commit: 40 hexadecimal digits; ``None`` takes the newest.
        patterns: Files of the repository; ``*`` stands for any run of characters.
        cache_dir: Download cache; empty means the default of huggingface_hub.

    Returns:
        The folder of the cache that holds the files by their names; its own name is the commit.

    Raises:
        InputError: If the hub cannot be reached and the cache does not have them, or a download ends damaged.
    """
    try:
        snapshot = snapshot_download(
            repository,
            repo_type="dataset",
            revision=commit,
            allow_patterns=list(patterns),
            cache_dir=cache_dir or None,
            tqdm_class=Progress,
        )
    except (HTTPError, OSError) as error:
        raise InputError(
            f"{repository}@{commit or 'main'}",
            f"cannot be fetched from the hub ({error}).",
            "Run again when connected: files that are complete stay in the cache. Or use origin mirror.",
        ) from error
    return Path(snapshot)


def check_contents(files: Mapping[str, Path], checksums: Mapping[str, str]) -> None:
    """Compare large files with what the hub states: the cache names their content by its SHA-256.

    Small files of a repository, named by a git hash, and caches without links are passed over.

    Args:
        files: Files of the cache by their names.
        checksums: SHA-256 of each.

    Raises:
        InputError: Names the damaged file, which is not what its name promises.
    """
    for name, path in files.items():
        content = path.resolve()
        if SHA256.fullmatch(content.name) and content.name != checksums[name]:
            problem = f"has SHA-256 {checksums[name]}, the hub states {content.name}."
            raise InputError(path, problem, f"Delete {content} and run again.")
