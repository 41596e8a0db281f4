"""Is a finished run still the run that is asked for? Its manifest against today's settings, problems and base.

Training takes its problems and its base as ``ancient``: a table that is written anew with the same rows retrains
nothing. This comparison is the other half of that bargain: rows that did change stop whatever uses the run.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlvr.core.digests import TRAINED_ON, digest_rows
from rlvr.core.errors import InputError
from rlvr.core.installed import weights_sha256
from rlvr.core.io import read_json, read_table, write_json
from rlvr.plan.freshness import deciding_settings, find_differences
from rlvr.tables import PROBLEMS

NOT_RECORDED = "not recorded"


def check_recorded(
    run_path: str | Path,
    problems_path: str | Path,
    base_dir: str | Path,
    settings: Mapping[str, Any],
    checked_path: str | Path,
) -> None:
    """Compare a finished run with what would be trained today, and write down what was compared.

    Args:
        run_path: ``run.json``.
        problems_path: Training split of its data set, ``tables.PROBLEMS``.
        base_dir: Folder of its base.
        settings: What its spec holds today.
        checked_path: JSON file to write.

    Raises:
        InputError: If settings, problems or base are others; names run, file and both values, and says what to do.
    """
    run, found = read_json(run_path), digest_rows(read_table(problems_path, PROBLEMS), TRAINED_ON)
    remedy = f"Restore it, or train anew: delete {run_path}, or raise recipe_version in the scale file for all runs."
    inputs = run.get("inputs", {})
    if differences := find_differences(run.get("settings", {}), deciding_settings(settings)):
        raise InputError(run_path, f"was trained with other settings: {'; '.join(differences)}.", remedy)
    if (trained_on := inputs.get("train_sha256", NOT_RECORDED)) != found:
        problem = f"was trained on other problems: their digest is {trained_on}, that of {problems_path} is {found}."
        raise InputError(f"{run_path}, run '{run.get('run_id')}'", problem, remedy)
    base = weights_sha256(base_dir)
    if (started_from := inputs.get("base_files", NOT_RECORDED)) != base:
        problem = f"was trained from another base: its weights are {started_from}, those in {base_dir} are {base}."
        raise InputError(f"{run_path}, run '{run.get('run_id')}'", problem, remedy)
    write_json({"run_id": run["run_id"], "train_sha256": found, "base_files": base}, checked_path)
