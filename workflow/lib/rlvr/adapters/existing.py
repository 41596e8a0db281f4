"""An existing adapter, of anyone, merged into its base: a model that is evaluated like any other."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.installed import check_weights
from rlvr.core.io import atomic_folder, read_json, sha256_file, write_json

WEIGHTS = ".safetensors"
FILES = ("adapter_config.json", "adapter_model.safetensors")


def merge_existing(base: Path, declared: Mapping[str, Any], out_dir: Path) -> None:
    """Write a base with an adapter merged in, in float32, and its ``model.json``.

    Args:
        base: Folder of the base, with its ``model.json``.
        declared: The model's entry in the scale: ``path``, or ``repository`` and ``revision``.
        out_dir: Folder of the model; replaced whole or not at all.

    Raises:
        InputError: If the adapter is not there, is no safetensors, or does not fit the base.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from rlvr.adapters.merging import write_merged

    check_weights(base)
    adapter = find_adapter(declared)
    weights = AutoModelForCausalLM.from_pretrained(
        str(base), dtype=torch.float32, local_files_only=True, use_safetensors=True, trust_remote_code=False
    )
    try:
        model = PeftModel.from_pretrained(weights, str(adapter))
    except (RuntimeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(adapter, f"does not fit {base} ({reason}).", "Name the base it was trained on.") from error
    with atomic_folder(out_dir) as folder:
        for path in sorted(base.iterdir()):
            if path.is_file() and path.suffix != WEIGHTS and not path.name.endswith(f"{WEIGHTS}.index.json"):
                shutil.copyfile(path, folder / path.name)
        write_merged(model, folder)
        config = read_json(folder / "config.json")
        config.pop("torch_dtype", None)
        write_json(config | {"dtype": "float32"}, folder / "config.json")
        write_json(_facts(read_json(base / "model.json"), declared, adapter, folder), folder / "model.json")


def find_adapter(declared: Mapping[str, Any]) -> Path:
    """Folder of an adapter in PEFT layout, downloaded where it is on the hub.

    Raises:
        InputError: If a file of it is missing.
    """
    if "path" in declared:
        folder = Path(declared["path"]).expanduser()
    else:
        from huggingface_hub import snapshot_download

        repository, revision = declared["repository"], declared["revision"]
        try:
            folder = Path(snapshot_download(repository, revision=revision, allow_patterns=list(FILES)))
        except Exception as error:  # the hub's client, its transport and offline mode each raise errors of their own
            remedy = "Check name and revision, log in (`hf auth login`), or go online."
            raise InputError(f"{repository}@{revision[:12]}", f"was not fetched ({error}).", remedy) from error
    for name in FILES:
        if not (folder / name).is_file():
            raise InputError(folder / name, "no such file.", "Name an adapter in PEFT layout, weights in safetensors.")
    return folder


def _facts(base: Mapping[str, Any], declared: Mapping[str, Any], adapter: Path, folder: Path) -> dict[str, Any]:
    return {
        "kind": "adapted",
        "from": declared["from"],
        "adapter": {key: declared[key] for key in ("path", "repository", "revision") if key in declared},
        "adapter_type": read_json(adapter / "adapter_config.json").get("peft_type"),
        "adapter_sha256": sha256_file(adapter / "adapter_model.safetensors"),
        "base_sha256": base.get("weights_sha256"),
        "architecture": base.get("architecture"),
        "parameters": base.get("parameters"),
        "weights_sha256": {path.name: sha256_file(path) for path in sorted(folder.glob("*.safetensors"))},
    }
