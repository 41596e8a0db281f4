"""Steps that runs keep on their way: their ids, and the rows by which outputs select them."""

from collections.abc import Mapping
from typing import Any

PRETRAINED = ("pretrain_steps", "pretrain_seed")  # facts of a run on a rung of a ladder of pre-training
STEP = "step"  # fact of a kept step: the step as printed; empty for a finished run


def kept_ids(run_id: str, spec: Mapping[str, Any]) -> dict[str, int]:
    """Ids of the steps that a run keeps, each with the step of the run that is trained.

    >>> kept_ids("r", {"keep_steps": [4, 11], "printed": {"keep_steps": [240, 720]}})
    {'r_t240': 4, 'r_t720': 11}
    """
    trained = spec.get("keep_steps", [])
    printed = spec["printed"].get("keep_steps", trained)
    return {f"{run_id}_t{name}": step for name, step in zip(printed, trained, strict=True)}


def kept_rows(
    rows: Mapping[str, Mapping[str, Any]], specs: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Rows of the steps that runs keep, by their ids: those of the runs, with the printed step.

    Args:
        rows: Rows of runs, by run id.
        specs: Their resolved settings.
    """
    return {
        name: {**row, "run_id": name, STEP: int(name.rpartition("_t")[2])}
        for run_id, row in rows.items()
        for name in kept_ids(run_id, specs[run_id])
    }


def with_kept(
    rows: Mapping[str, Mapping[str, Any]], specs: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Rows of runs and of the steps that they keep; where none is kept, the rows as they are."""
    kept = kept_rows(rows, specs)
    empty = {STEP: None} if kept else {}
    return {run_id: {**row, **empty} for run_id, row in rows.items()} | kept


def with_rungs(
    rows: Mapping[str, Mapping[str, Any]], models: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Rows with the budget and the seed of the pre-training of their models, where any model was made for a seed.

    Args:
        rows: Rows of runs, by run id.
        models: ``models`` of the scale.
    """
    found = {run_id: models.get(row["model"], {}) for run_id, row in rows.items()}
    rungs = {run_id: model["kind"] == "pretrained" and "seed" in model for run_id, model in found.items() if model}
    if not any(rungs.values()):
        return {run_id: dict(row) for run_id, row in rows.items()}
    return {
        run_id: {**row, **(dict(zip(PRETRAINED, (found[run_id]["steps"], found[run_id]["seed"]), strict=True)
                           if rungs.get(run_id) else dict.fromkeys(PRETRAINED)))}
        for run_id, row in rows.items()
    }  # fmt: skip
