"""Released bases from the Hugging Face hub, at a pinned revision."""

import math
import os
import shutil
from pathlib import Path
from typing import Any

from rlvr.bases.loading import check_base
from rlvr.core.errors import InputError
from rlvr.core.io import atomic_folder, read_json, sha256_file, write_json
from rlvr.core.revisions import held_revision

# Weights in safetensors only, never pickles; the tokenizer in any of its released forms.
PATTERNS = ("*.safetensors", "*.json", "tokenizer*", "*.txt", "*.jinja")
IGNORED_PATTERNS = ("original/*",)  # Llama repositories hold the weights a second time in there
REVISION_DIGITS = 40
HELD = "data/revisions.json"  # below the folder that Snakemake works in; see rlvr.core.revisions


def fetch_base(
    repository: str,
    revision: str,
    out_dir: str | Path,
    cache_dir: str | Path | None = None,
    pad_token: str | None = None,
) -> None:
    """Download a released base to ``out_dir`` and write its ``model.json``.

    Files already in the hub cache are not downloaded again, and weights are linked from there where the file system
    allows it: a base of 8B parameters takes its 16 GB once.

    Args:
        repository: Name on the hub, e.g. ``Qwen/Qwen3-8B-Base``.
        revision: Full commit hash; branches and tags move.
        out_dir: Folder of the model; replaced whole or not at all.
        cache_dir: Hub cache; ``None`` for the user's own.
        pad_token: Token of the vocabulary to pad with, for bases released without one (Llama 3.1).

    Raises:
        InputError: If the revision is not a commit hash, the download fails, or the base is not usable.
    """
    snapshot = download_snapshot(repository, revision, cache_dir)
    with atomic_folder(out_dir) as folder:
        for path in sorted(path for path in snapshot.iterdir() if path.is_file()):
            link_or_copy(path, folder / path.name)
        if pad_token is not None:
            set_pad_token(folder, pad_token)
        check_base(folder)
        write_json(describe(repository, revision, folder), folder / "model.json")


def fetch_checkpoint(
    repository: str,
    revision: str,
    out_dir: str | Path,
    cache_dir: str | Path | None = None,
    held: str | Path = HELD,
) -> None:
    """Download a public checkpoint or adapter, weights as safetensors only, and write its ``checkpoint.json``.

    Args:
        repository: Name on the hub.
        revision: Full commit hash; empty for the one that ``held`` has, otherwise the one that the repository has now,
            which ``held`` then keeps. ``checkpoint.json`` names it.
        out_dir: Folder of the checkpoint; replaced whole or not at all.
        cache_dir: Hub cache; ``None`` for the user's own.
        held: File of commits that were found once, see ``rlvr.core.revisions``.

    Raises:
        InputError: If the revision is not a commit hash, the download fails, or no file is in safetensors.
    """
    revision = revision or held_revision(repository, Path(held), latest_revision)
    snapshot = download_snapshot(repository, revision, cache_dir)
    with atomic_folder(out_dir) as folder:
        for path in sorted(path for path in snapshot.iterdir() if path.is_file()):
            link_or_copy(path, folder / path.name)
        weights = sorted(folder.glob("*.safetensors"))
        if not weights:
            remedy = "Only safetensors are read; convert the checkpoint, or name another revision."
            raise InputError(f"{repository}@{revision[:12]}", "holds no *.safetensors.", remedy)
        checksums = {path.name: sha256_file(path) for path in weights}
        content = {"repository": repository, "revision": revision, "weights_sha256": checksums}
        write_json(content, folder / "checkpoint.json")


def latest_revision(repository: str) -> str:
    """The commit that a repository of the hub has now.

    Raises:
        InputError: If the hub does not answer or does not know it.
    """
    from huggingface_hub import HfApi

    try:
        return str(HfApi().model_info(repository).sha)
    except Exception as error:  # the hub's client, its transport and offline mode each raise errors of their own
        remedy = "Check the name, log in (`hf auth login`), or pin a revision that is in the cache."
        raise InputError(repository, f"its revision was not found ({error}).", remedy) from error


def download_snapshot(repository: str, revision: str, cache_dir: str | Path | None) -> Path:
    """Folder of the hub cache that holds the wanted files of a repository at a commit.

    Raises:
        InputError: If the revision is not a commit hash or the hub does not give the files.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    from rlvr.core.progress import Progress

    if len(revision) != REVISION_DIGITS or set(revision) - set("0123456789abcdef"):
        raise InputError(f"revision '{revision}' of {repository}", "not a full commit hash.", "Pin all 40 digits.")
    try:
        folder = snapshot_download(
            repository,
            revision=revision,
            cache_dir=cache_dir,
            allow_patterns=list(PATTERNS),
            ignore_patterns=list(IGNORED_PATTERNS),
            tqdm_class=Progress,
        )
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        remedy = (
            "Check name and revision, accept the model's licence on the hub, log in (`hf auth login`), or go online."
        )
        raise InputError(f"{repository}@{revision[:12]}", f"not fetched ({error}).", remedy) from error
    return Path(folder)


def link_or_copy(source: Path, target: Path) -> None:
    """Hard-link weights (never edited, many GB), copy everything else and whatever cannot be linked."""
    if source.suffix == ".safetensors":
        try:
            os.link(source.resolve(), target)
        except OSError:  # another file system
            shutil.copyfile(source, target)
    else:
        shutil.copyfile(source, target)


def set_pad_token(folder: Path, pad_token: str) -> None:
    """Write ``pad_token`` into the tokenizer's settings; the vocabulary must have it.

    Raises:
        InputError: If the vocabulary lacks the token: a new one would have no embedding.
    """
    tokenizer = read_json(folder / "tokenizer.json")
    added = {token["content"]: token["id"] for token in tokenizer.get("added_tokens", [])}
    known = added | dict(tokenizer["model"]["vocab"])
    if pad_token not in known:
        raise InputError(f"pad_token '{pad_token}'", f"not in the vocabulary of {folder}.", "Name a token that is.")
    settings = read_json(folder / "tokenizer_config.json")
    write_json(settings | {"pad_token": pad_token}, folder / "tokenizer_config.json")


def describe(repository: str, revision: str, folder: Path) -> dict[str, Any]:
    """Content of ``model.json``: where the base comes from, its size and the checksums of its weights."""
    return {"kind": "hub", "repository": repository, "revision": revision, **describe_folder(folder)}


def describe_folder(folder: Path) -> dict[str, Any]:
    """Architecture and size of a base, and the checksums of its weights."""
    weights = sorted(folder.glob("*.safetensors"))
    return {
        "architecture": read_json(folder / "config.json")["model_type"],
        "parameters": sum(map(count_stored_parameters, weights)),
        "weights_sha256": {path.name: sha256_file(path) for path in weights},
    }


def count_stored_parameters(path: Path) -> int:
    """Numbers stored in a safetensors file, from its header alone."""
    from safetensors import safe_open

    with safe_open(path, "np") as file:
        return sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118 - no mapping
