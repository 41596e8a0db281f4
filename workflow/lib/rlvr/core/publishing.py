"""Finished runs where others find them: a folder, or a repository of the Hugging Face hub."""

import json
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.io import atomic_folder, read_json, write_json
from rlvr.core.schemas import CONFIG
from rlvr.core.seals import check_run_files, file_digests

HUB, FOLDER = "hub:", "folder:"
KEY = f"{CONFIG}, key 'publish.to'"
ADAPTER_CONFIG = "adapter_config.json"
RECORD = "training.json"  # not run.json: beside it the weights would have to lie in folders of their own


def check_target(to: str) -> None:
    """Refuse a place that is none: off by default.

    Raises:
        InputError: Says how to name a place.
    """
    if not to:
        remedy = "Say where: --config 'publish={to: \"folder:<path>\"}' or 'hub:<owner>'."
        raise InputError(KEY, "is empty: nothing is published.", remedy)
    kind = next((each for each in (HUB, FOLDER) if to.startswith(each)), None)
    if kind is None or not to.removeprefix(kind):
        raise InputError(KEY, f"'{to}' is no place.", "Write folder:<path> or hub:<owner>.")


def check_known(key: str, asked: Iterable[str], runs: Collection[str]) -> None:
    """Refuse the id of a run that the selected tier does not have.

    Raises:
        InputError: Names the key and the id.
    """
    if unknown := [run_id for run_id in asked if run_id not in runs]:
        remedy = "`snakemake grid -q all` prints the ids of the tier."
        raise InputError(f"{CONFIG}, key '{key}'", f"there is no run '{unknown[0]}'.", remedy)


def publish_run(run: str, card: str, base: Mapping[str, Any], to: str, private: bool, record: str) -> None:
    """Bring a finished run to a place, whole or not at all, and write down what was brought.

    Args:
        run: Folder of the run; its weights are compared with its manifest.
        card: Its card, which becomes ``README.md``.
        base: What the scale declares of its base; one of the hub is named in the adapter's configuration.
        to: ``folder:<path>`` (the run gets a folder of its own below it) or ``hub:<owner>``.
        private: Whether a new repository of the hub is private.
        record: JSON file to write: place, revision where there is one, digests.

    Raises:
        InputError: If the place is none, the weights have changed, or the hub refuses.
    """
    check_target(to)
    check_run_files(run)
    name = Path(run).name
    if to.startswith(FOLDER):
        target = Path(to.removeprefix(FOLDER)).expanduser() / name
        with atomic_folder(target) as folder:
            stage_run(Path(run), Path(card), base, folder)
        found = {"place": FOLDER + name, "files": file_digests(target)}
    else:
        found = _to_hub(Path(run), Path(card), base, f"{to.removeprefix(HUB)}/{name}", private, Path(record).parent)
    write_json(found, record)


def stage_run(run: Path, card: Path, base: Mapping[str, Any], folder: Path) -> None:
    """Lay out a run as loaders expect it: the files of ``adapter/`` (otherwise of ``model/``), card and manifest."""
    weights = next((run / part for part in ("adapter", "model") if (run / part).is_dir()), None)
    if weights is None:
        raise InputError(run, "holds no weights.", "Train the run first.")
    shutil.copytree(weights, folder, dirs_exist_ok=True)
    config = folder / ADAPTER_CONFIG
    if config.is_file() and base.get("repository"):
        named = {"base_model_name_or_path": base["repository"], "revision": base.get("revision")}
        write_json(read_json(config) | named, config)
    shutil.copyfile(card, folder / "README.md")
    shutil.copyfile(run / "run.json", folder / RECORD)


def _to_hub(
    run: Path, card: Path, base: Mapping[str, Any], repository: str, private: bool, near: Path
) -> dict[str, Any]:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    with atomic_folder(near / f"{run.name}.staged") as folder:
        stage_run(run, card, base, folder)
        digests = file_digests(folder)
        try:
            api = HfApi()
            api.create_repo(repository, private=private, exist_ok=True)
            commit = api.upload_folder(repo_id=repository, folder_path=folder, commit_message=f"Upload {run.name}")
        except (HfHubHTTPError, OSError, ValueError) as error:
            reason = json.dumps(str(error))[:300]
            remedy = "Check the owner, the connection and HF_TOKEN (a token that may write)."
            raise InputError(f"hub repository '{repository}'", f"was not written ({reason}).", remedy) from error
    shutil.rmtree(near / f"{run.name}.staged")
    return {"place": HUB + repository, "revision": commit.oid, "files": digests}
