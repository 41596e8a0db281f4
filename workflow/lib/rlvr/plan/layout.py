"""Results of an older layout are refused with a message; otherwise they would silently be trained again."""

import json
from pathlib import Path

from rlvr.core.errors import InputError


def check_layout(results: str | Path) -> None:
    """Check that the results of a scale were made by a layout that this version reads.

    Before studies became a dimension, a spec named its study and tables lay in ``paper/tables``.

    Args:
        results: ``results/<scale>``.

    Raises:
        InputError: If they were not; says how to keep them and how to go on.
    """
    folder = Path(results)
    if (folder / "paper" / "tables").is_dir() or any(map(_names_a_study, sorted(folder.glob("specs/*.json"))[:1])):
        remedy = "Nothing was touched. Move the folder away to keep it, or delete it; then start again."
        raise InputError(folder, "holds results of an older version, made for one study alone.", remedy)


def _names_a_study(spec: Path) -> bool:
    try:
        return "study" in json.loads(spec.read_text(encoding="utf-8"))
    except json.JSONDecodeError:
        return False
