"""What a fact refers to is looked up when planned: fields of ``run.json``, and printed counts of parameters."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from pathlib import Path

from rlvr.core.csvfile import read_csv
from rlvr.core.errors import InputError
from rlvr.core.provenance import RECORDED_PACKAGES
from rlvr.plan.settings import TrainSettings

PRINTED_COUNTS = "reported/parameters.csv"
# First parts of paths in run.json, with their second parts where these are known; peft_config is the library's own.
PLAIN = ("tuner", "trainable_parameters", "prompts_per_step", "completions_per_step", "device", "processes")
MANIFEST: Mapping[str, Collection[str]] = {
    "settings": [each.name for each in fields(TrainSettings)],
    "versions": ["python", *RECORDED_PACKAGES],
    "repository": ["commit", "dirty"],
    "sha256": ["base_before", "base_after", "adapter_before", "adapter_after"],
    "peak_memory_gib": ["host", "accelerator"],
    "peft_config": (),
} | dict.fromkeys(PLAIN, ())


def check_recorded(path: str, where: str) -> None:
    """Check a path in ``run.json``, parts separated by ``/``.

    Raises:
        InputError: Names the part that no run records.
    """
    first, _, second = path.partition("/")
    if first not in MANIFEST:
        raise InputError(where, f"recorded '{path}': run.json has no '{first}'.", f"Known: {', '.join(MANIFEST)}.")
    known = MANIFEST[first]
    if known and second not in known:
        problem = f"recorded '{path}': '{first}' of run.json has no '{second}'."
        raise InputError(where, problem, f"Known: {', '.join(known)}.")


def check_counted(names: Iterable[str], study: Path, where: str) -> None:
    """Check names of printed parameter counts, ``output | label | model``.

    Args:
        names: As a fact gives them.
        study: Folder of the study, whose ``reported/parameters.csv`` holds the counts.
        where: What a message shall name.

    Raises:
        InputError: Names the count that is not printed there.
    """
    wanted = list(names)
    if not wanted:
        return
    lines = read_csv(study / PRINTED_COUNTS, ("output", "label", "model"))
    known = [" | ".join(line[column] for column in ("output", "label", "model")) for _, line in lines]
    for name in wanted:
        if name not in known:
            problem = f"counted '{name}' is not in {PRINTED_COUNTS}."
            raise InputError(where, problem, f"Known: {'; '.join(known)}.")
