"""Steps of a run that are kept: its weights on the way, each in a sealed folder, and later in a run of its own.

A run in progress writes ``steps/<step>/`` beside its checkpoints. When it is finished, each of them becomes a folder of
its own with weights, metrics and manifest in the layout of a finished run: whatever evaluates, measures, verifies or
archives runs takes it as one.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from rlvr.core.errors import InputError
from rlvr.core.io import atomic_folder, read_json, read_table, write_json, write_table
from rlvr.core.seals import KEPT, SEAL, WEIGHTS, run_digests, seal, sealed_facts
from rlvr.plan.freshness import find_differences
from rlvr.plan.settings import TrainSettings
from rlvr.tables import METRICS

FACTS = "facts.json"
STEP = "step"


class KeepSteps(TrainerCallback):
    """Writes the weights of a run behind each of its ``keep_steps``.

    It stands before the callback of checkpoints: whoever resumes behind a step finds it kept.

    Attributes:
        out: Folder of the run.
        origin: What the run depends on: ``settings`` and ``inputs``.
        steps: Steps to keep.
    """

    def __init__(
        self,
        out: Path,
        origin: Mapping[str, Any],
        settings: TrainSettings,
        gather: Callable[[], Any],
        write: Callable[[Any, Path], Mapping[str, Any]],
    ) -> None:
        """``gather`` gives the whole model to the main process; ``write`` puts it in a folder and tells facts of it."""
        self.out, self.origin, self.steps = out, origin, settings.keep_steps
        self._gather, self._write = gather, write

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Keep the weights where they are asked for; writing draws no random number of the run."""
        if state.global_step not in self.steps:
            return
        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        with torch.random.fork_rng(devices=devices):
            model = self._gather()
            if model is None:
                return
            self._keep(model, state.global_step)

    def _keep(self, model: Any, step: int) -> None:
        with atomic_folder(self.out / KEPT / str(step)) as folder:
            write_json(dict(self._write(model, folder)), folder / FACTS)
            seal(folder, {**self.origin, STEP: step})


def drop_later(out: Path, step: int) -> None:
    """Remove what was kept behind a step: a run that goes on from there writes it again."""
    for path in (out / KEPT).glob("*"):
        if not path.name.isdigit() or int(path.name) > step:
            shutil.rmtree(path, ignore_errors=True)


def check_kept(out: Path, origin: Mapping[str, Any], settings: TrainSettings) -> None:
    """Check that every step that a run should keep is there, whole and of this run.

    Raises:
        InputError: Names the folder of the first that is not.
    """
    for step in settings.keep_steps:
        folder = out / KEPT / str(step)
        facts = sealed_facts(folder)
        for part in ("settings", "inputs"):
            if differences := find_differences(facts[part], origin[part]):
                problem = f"was kept by a run with other {part}: {'; '.join(differences)}."
                raise InputError(folder, problem, f"Delete {out} and train the run again.")


def make_kept_run(parent: Path, step: int, run_id: str, out: Path) -> None:
    """Make a kept step of a finished run a run of its own: weights, metrics up to the step, and a manifest.

    Weights are linked where the file system allows it, and so take no space twice.

    Args:
        parent: Folder of the finished run.
        step: Optimizer steps behind which it was kept.
        run_id: Id of the kept step.
        out: Its folder; ``run.json`` is written last.

    Raises:
        InputError: If the step was not kept, or is not whole.
    """
    kept = parent / KEPT / str(step)
    sealed_facts(kept)
    facts, manifest = read_json(kept / FACTS), read_json(parent / "run.json")
    for part in WEIGHTS:
        shutil.rmtree(out / part, ignore_errors=True)
        if (kept / part).is_dir():
            shutil.copytree(kept / part, out / part, copy_function=link_or_copy, ignore=shutil.ignore_patterns(SEAL))
    metrics = read_table(parent / "metrics.parquet", METRICS)
    metrics = metrics[metrics["step"] <= step].assign(run_id=run_id)
    lost = metrics["rollout_lost_share"].dropna()
    content = {
        **manifest,
        **facts,
        "run_id": run_id,
        "kept_of": manifest["run_id"],
        "settings": {**manifest["settings"], "run_id": run_id},
        "sha256": {**manifest["sha256"], **facts["sha256"]},
        "steps": step,
        "rollout_lost_share": {"last": float(lost.iloc[-1]), "mean": float(lost.mean())} if len(lost) else None,
        "files": run_digests(out),
    }
    write_table(metrics, out / "metrics.parquet", METRICS)
    write_json(content, out / "run.json")


def link_or_copy(source: str, target: str) -> str:
    """A second name for a file, or a copy of it where the file system has no such names."""
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)
    return target
