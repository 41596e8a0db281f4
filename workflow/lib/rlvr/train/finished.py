"""A finished run is finished: its record, kept where the workflow deletes nothing, gives its outputs back.

Snakemake deletes the outputs of a job before it starts it again, after a killed driver for example. What is recorded
here lies beside them, and saves training anew what was already whole.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.io import atomic_folder, atomic_path, read_json
from rlvr.core.seals import first_difference, run_digests, seal, sealed_facts
from rlvr.plan.freshness import find_differences

RECORD = ".finished"
RUN, METRICS_FILE = "run.json", "metrics.parquet"


def record_finished(out: Path, origin: Mapping[str, Any]) -> None:
    """Keep manifest and metrics of a run whose weights are written, whole or not at all.

    Args:
        out: Folder of the run; its manifest states the digests of its weights as ``files``.
        origin: What the run depends on: ``settings`` and ``inputs``.
    """
    with atomic_folder(out / RECORD) as folder:
        for name in (RUN, METRICS_FILE):
            shutil.copyfile(out / name, folder / name)
        seal(folder, origin)


def restore_finished(out: Path, origin: Mapping[str, Any], main_process: bool = True) -> bool:
    """Give a finished run its outputs back, if it is the one that is asked for and its weights are whole.

    Args:
        out: Folder of the run.
        origin: What the run depends on: ``settings`` and ``inputs``.
        main_process: Whether this process writes; the others of a run come to the same answer.

    Returns:
        Whether there was such a run. Why a record does not fit is printed.
    """
    record = out / RECORD
    if not record.is_dir():
        return False
    if reason := _why_not(out, record, origin):
        print(f"a finished run is here, but {reason} It is trained anew.", flush=True)
        return False
    if not main_process:
        return True
    for name in (METRICS_FILE, RUN):
        with atomic_path(out / name) as temporary:
            shutil.copyfile(record / name, temporary)
    print(
        f"finished before, with these settings and inputs: nothing to train. To train anew, delete {out}.", flush=True
    )
    return True


def _why_not(out: Path, record: Path, origin: Mapping[str, Any]) -> str | None:
    try:
        facts = sealed_facts(record)
    except InputError as error:
        return f"its record {error.problem}"
    for part in ("settings", "inputs"):
        if differences := find_differences(facts.get(part, {}), origin[part]):
            return f"with other {part}: {'; '.join(differences)}."
    recorded = read_json(record / RUN).get("files", {})
    return first_difference(recorded, run_digests(out))
