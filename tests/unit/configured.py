"""A copy of the files that a user writes, read as the Snakefile reads them, without snakemake."""

import copy
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from bound_rows import PRIMARY, ROOT, WORDS

from rlvr.core.errors import InputError
from rlvr.plan.workspace import Workspace, check_config_files, load_workspace

COPIED = (
    "config.yaml",
    "workflow/scales",
    "workflow/studies",
    "workflow/schemas",
    "data/configs",
    "data/sources.csv",
    "envs",
)
BIBLIOGRAPHY = "paper/refs.bib"
TINY = "workflow/scales/tiny.yaml"
FOLDER = f"workflow/studies/{PRIMARY}"


@dataclass(frozen=True)
class Configured:
    """A root with every file of configuration."""

    root: Path

    @property
    def config(self) -> dict[str, Any]:
        """The configuration as the file says."""
        return yaml.safe_load((self.root / "config.yaml").read_text(encoding="utf-8-sig"))

    def load(self, **changes: Any) -> Workspace:
        """Everything read, with changes of the configuration as ``--config`` makes them."""
        check_config_files([self.root / "config.yaml"])
        config = {**copy.deepcopy(self.config), **changes}
        return load_workspace(config, self.root, self.root / "results", WORDS)

    def refusal(self, **changes: Any) -> str:
        """The sentence with which it is refused; empty if it is accepted."""
        try:
            self.load(**changes)
        except InputError as error:
            return str(error)
        return ""

    @contextmanager
    def bytes_of(self, path: str, content: bytes | None) -> Iterator[None]:
        """Another content of a file (``None``: no file) for a while."""
        file = self.root / path
        before = file.read_bytes() if file.exists() else None
        try:
            file.unlink(missing_ok=True)
            if content is not None:
                file.write_bytes(content)
            yield
        finally:
            file.unlink(missing_ok=True)
            if before is not None:
                file.write_bytes(before)

    @contextmanager
    def edited(self, path: str, old: str, new: str) -> Iterator[None]:
        """The first place of a text replaced for a while; the text must be there."""
        text = (self.root / path).read_bytes().decode()
        assert old in text, f"{old!r} is not in {path}"
        with self.bytes_of(path, text.replace(old, new, 1).encode()):
            yield


def copy_configuration(root: Path) -> Configured:
    """A copy of the repository's files of configuration."""
    for name in (*COPIED, BIBLIOGRAPHY):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        copier = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copier(ROOT / name, root / name)
    return Configured(root)
