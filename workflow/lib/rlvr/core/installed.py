"""Whether the weights of an installed base are still those that were installed."""

from pathlib import Path

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, sha256_file


def weights_sha256(folder: str | Path) -> dict[str, str]:
    """SHA-256 of each weight file of an installed base, as its ``model.json`` states them; empty without one."""
    path = Path(folder) / "model.json"
    return dict(read_json(path).get("weights_sha256", {})) if path.is_file() else {}


def check_weights(folder: str | Path) -> None:
    """Compare the weight files of an installed base with the digests that its ``model.json`` states, if it has one.

    Raises:
        InputError: Names the first file that has changed or is missing, with both digests.
    """
    for name, recorded in weights_sha256(folder).items():
        path = Path(folder) / name
        found = sha256_file(path) if path.is_file() else "none, it is missing"
        if found != recorded:
            remedy = f"Delete {folder} and make the model again (`snakemake models`)."
            raise InputError(path, f"SHA-256 {found}, installed with {recorded}.", remedy)
