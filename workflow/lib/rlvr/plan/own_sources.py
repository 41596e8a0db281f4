"""Sources of one's own, declared in a scale: whatever ``datasets.load_dataset`` reads, and which columns hold what."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.plan.sources import Source

OWN = "own"  # origin of the data sets that are made of them
READER = "own:"  # opens the name of the reader that their columns describe
FORMATS = ("json", "csv", "parquet")  # of local files
OF_READER = ("columns", "answers", "verifier")


def own_sources(scale: Mapping[str, Any], known: Collection[str], path: Path) -> dict[str, Source]:
    """The sources that a scale declares itself.

    Args:
        scale: Content of the scale file.
        known: Names of the registry, which an own source may not take.
        path: The scale file, for messages.

    Raises:
        InputError: For a name that the registry has, local files beside a hub name, or a hub name without its revision.
    """
    found = {}
    for name, declared in scale.get("sources", {}).items():
        where = f"{path}, source '{name}'"
        if name in known:
            raise InputError(where, "is a source of data/sources.csv.", "Give it another name.")
        check_declared(declared, where)
        found[name] = as_source(name, declared)
    for dataset, entry in scale["datasets"].items():
        strange = [name for name in entry["sources"] if (name in found) != (entry["origin"] == OWN)]
        if strange:
            problem = f"has origin '{entry['origin']}' and the source '{strange[0]}'."
            remedy = "Data sets of origin 'own' take the scale's own sources, others those of data/sources.csv."
            raise InputError(f"{path}, data set '{dataset}'", problem, remedy)
    return found


def check_declared(declared: Mapping[str, Any], where: str) -> None:
    """Check that a source names local files of one format, or a repository of the hub with its revision.

    Raises:
        InputError: Names the key.
    """
    local = declared["load"] in FORMATS
    if local and ("files" not in declared or "revision" in declared):
        raise InputError(where, f"loads {declared['load']} files.", "Name them in 'files', and give no 'revision'.")
    if not local and "/" not in declared["load"]:
        raise InputError(where, f"loads '{declared['load']}'.", f"Write {', '.join(FORMATS)} or <owner>/<data set>.")
    if not local and "revision" not in declared:
        raise InputError(where, "is on the hub and has no revision.", "Pin a commit: 40 hexadecimal digits.")


def as_source(name: str, declared: Mapping[str, Any]) -> Source:
    """A declared source as the registry would hold it."""
    parts = {key: declared[key] for key in OF_READER if key in declared}
    local = declared["load"] in FORMATS
    return Source(
        name=name,
        repository="" if local else declared["load"],
        revision=declared.get("revision", ""),
        files=tuple(declared.get("files", ())),
        split=declared.get("split", "train"),
        reader=READER + json.dumps(parts, sort_keys=True),
        expected_rows=declared.get("expected_rows"),
        sha256=(),
        licence=declared["licence"],
        noncommercial="unclear",
        mirror_files=(),
        mirror_reader="",
        mirror_rows=None,
        url="" if local else f"https://huggingface.co/datasets/{declared['load']}",
        own=dict(declared),
    )
