"""One training run, from its spec to its manifest."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from accelerate.utils import set_seed
from datasets import Dataset
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils.logging import disable_progress_bar

from rlvr.adapters.family import ADAPTER
from rlvr.adapters.methods import find_method
from rlvr.bases.chat import check_chat
from rlvr.bases.loading import load_base, load_tokenizer
from rlvr.core.allocation import keep_freed_memory
from rlvr.core.digests import TRAINED_ON, digest_rows
from rlvr.core.errors import InputError
from rlvr.core.installed import weights_sha256
from rlvr.core.io import read_json, read_table, sha256_file, write_json, write_table
from rlvr.core.locks import sole_writer
from rlvr.core.seals import run_digests
from rlvr.grading.golds import CURATE_AGAIN, require_readable
from rlvr.plan.freshness import TRIPLES
from rlvr.plan.memory import may_be_divided
from rlvr.plan.settings import TrainSettings
from rlvr.prompts import render_prompt
from rlvr.tables import METRICS, PROBLEMS
from rlvr.train.checkpoints import SealedCheckpoints, checkpoint_step, discard_all, resumable_checkpoint
from rlvr.train.drift import BaseDrift, drift_of
from rlvr.train.finished import METRICS_FILE, RUN, record_finished, restore_finished
from rlvr.train.keeping import KeepSteps, check_kept, drop_later
from rlvr.train.live import LiveMetrics
from rlvr.train.manifest import check_method, check_steps, fingerprint, manifest, moved_share, trainable_table
from rlvr.train.metrics import metrics_frame
from rlvr.train.sft import make_solver
from rlvr.train.sharding import (
    device,
    fill_whole,
    is_main_process,
    is_on_cpu,
    is_sharded,
    process_seed,
    untouched_randomness,
    whole_state,
)
from rlvr.train.signal import check_signal
from rlvr.train.solutions import digest_examples, solved_examples
from rlvr.train.stopping import RunStopped, StopWhenAsked
from rlvr.train.tracking import track
from rlvr.train.trainer import make_trainer
from rlvr.train.written import write_weights
from rlvr.weights.decompositions import decomposition_cost

CHECKPOINTS = "checkpoints"


def train_run(
    spec: Path,
    base: Path,
    train: Path,
    out: Path,
    decomposition: Path | None = None,
    checkpoint_every_steps: int | None = None,
) -> None:
    """Train one run; goes on from the newest whole checkpoint under ``out``, and trains nothing that is finished.

    Args:
        spec: ``specs/<run_id>.json``, the fields of ``TrainSettings``.
        base: Base model in Hugging Face layout.
        train: Problems, ``tables.PROBLEMS``.
        out: Receives ``adapter/`` or ``model/`` or both, ``metrics.parquet`` and, last, ``run.json``.
        decomposition: Singular triples of the base, ``weights.decompositions``; without them a method that starts from
            singular vectors finds them itself.
        checkpoint_every_steps: Over the setting of that name.

    Raises:
        InputError: For an unusable spec, base or data file, a machine that lacks what the settings ask for, or a folder
            that another process is writing.
        InvalidRun: If the finished run was not what it says.
        RunStopped: After SIGTERM, with a checkpoint to go on from.
    """
    settings = TrainSettings.from_json(read_json(spec), spec)
    if checkpoint_every_steps is not None:
        settings = replace(settings, checkpoint_every_steps=checkpoint_every_steps)
    prepare_machine(settings, spec)
    tokenizer = load_tokenizer(base)
    check_chat(tokenizer, settings.template, base)
    problems, problems_sha256 = load_problems(train, tokenizer, settings)
    triples = {} if decomposition is None else {TRIPLES: sha256_file(decomposition)}
    inputs = {"train_sha256": problems_sha256, "problems": len(problems), "base_files": weights_sha256(base), **triples}
    if settings.algorithm == "sft":
        inputs["solutions_sha256"] = digest_examples(problems)
    origin = {"settings": settings.to_json(), "inputs": inputs}
    with sole_writer(out) if is_main_process() else nullcontext():
        if not restore_finished(out, origin, is_main_process()):
            _train(settings, base, tokenizer, problems, origin, out, decomposition)
        if is_main_process():
            discard_all(out / CHECKPOINTS)


def _train(
    settings: TrainSettings,
    base: Path,
    tokenizer: PreTrainedTokenizerBase,
    problems: Dataset,
    origin: Mapping[str, Any],
    out: Path,
    decomposition: Path | None,
) -> None:
    """Train from the last whole checkpoint, or from the start, and write weights, metrics, manifest and record."""
    started = time.perf_counter()
    trained = attach_adapter(load_base(base, settings.base_dtype, device(settings)), settings, decomposition)
    settle_memory(trained, settings)
    before, drift = fingerprint(trained), drift_of(trained, settings)
    make = make_solver if settings.algorithm == "sft" else make_trainer
    trainer = make(trained, tokenizer, problems, settings, out / CHECKPOINTS)
    stopping = StopWhenAsked(settings)

    def gather() -> PreTrainedModel | PeftModel | None:
        """The run's model with all of its weights on the main process, nothing on the others; all have to ask."""
        if not is_sharded():
            return trained if trainer.accelerator.is_main_process else None
        state = whole_state(cast("torch.nn.Module", trainer.model))
        if not trainer.accelerator.is_main_process:
            return None
        with untouched_randomness():  # a run that keeps a step goes on behind it
            whole = attach_adapter(load_base(base, settings.base_dtype), settings, decomposition)
        fill_whole(whole, state)
        return whole

    trainer.add_callback(KeepSteps(out, origin, settings, gather, keeper(tokenizer, settings, base, started, drift)))
    live = LiveMetrics(out, settings.run_id, settings.completions_per_step)
    if drift:
        trainer.add_callback(drift)
    trainer.add_callback(SealedCheckpoints(out / CHECKPOINTS, origin, settings))
    trainer.add_callback(stopping)
    trainer.add_callback(live)
    track(trainer, settings.run_id, out)
    with trainer.accelerator.main_process_first():
        resume_from = resumable_checkpoint(out / CHECKPOINTS, origin)
        if trainer.accelerator.is_main_process:
            drop_later(out, 0 if resume_from is None else checkpoint_step(resume_from) or 0)
    if drift and resume_from:
        drift.load(resume_from)
    set_seed(process_seed(settings.seed))  # vLLM seeds the process anew, and equally for every run
    announce_run(settings, trained, len(problems), resume_from)
    with stopping.listening():
        trainer.train(resume_from_checkpoint=None if resume_from is None else str(resume_from))
    if stopping.stopped:
        raise RunStopped(settings.run_id, trainer.state.global_step)
    model = gather()
    if model is None:
        return
    if isinstance(model, PeftModel):
        model.peft_config[ADAPTER].base_model_name_or_path = settings.model  # a name, not this machine's path
    facts = {
        "inputs": {**origin["inputs"], "base_sha256": before.base},
        "seeds": {"adapter": settings.seed, "order": settings.seed, "sampling": settings.seed},
        "processes": trainer.accelerator.num_processes,
        "sharding": "fsdp2" if is_sharded() else None,
        "steps": trainer.state.global_step,
        "resumed_from_step": None if resume_from is None else checkpoint_step(resume_from),
        "moved_share": moved_share(model, base, settings.base_dtype),
        "base_drift": drift.share() if drift else 0.0,
        "wall_time_s": round(time.perf_counter() - started, 3),
        "decomposition": decomposition_cost(decomposition),
    }
    metrics = metrics_frame(trainer.state.log_history, settings.run_id)
    lost = metrics["rollout_lost_share"]
    facts["rollout_lost_share"] = {"last": float(lost.iloc[-1]), "mean": float(lost.mean())} if len(lost) else None
    check_steps(facts["steps"], settings.planned_steps(len(problems)), settings)
    check_signal(metrics, settings)
    content = manifest(model, settings, before, fingerprint(model), facts)
    check_kept(out, origin, settings)
    write_weights(model, tokenizer, settings, base, out)
    write_table(metrics, out / METRICS_FILE, METRICS)
    live.finish()
    write_json({**content, "files": run_digests(out)}, out / RUN)
    record_finished(out, origin)


def keeper(
    tokenizer: PreTrainedTokenizerBase, settings: TrainSettings, base: Path, started: float, drift: BaseDrift | None
) -> Callable[[Any, Path], dict[str, Any]]:
    """What writes the weights of a run in progress into a folder and says what a manifest wants to know of them."""

    def write(model: Any, folder: Path) -> dict[str, Any]:
        if isinstance(model, PeftModel):
            model.peft_config[ADAPTER].base_model_name_or_path = settings.model
        write_weights(model, tokenizer, settings, base, folder)
        now = fingerprint(model)
        return {
            "sha256": {"base_after": now.base, "adapter_after": now.adapter},
            "moved_share": moved_share(model, base, settings.base_dtype),
            "base_drift": drift.share() if drift else 0.0,
            "wall_time_s": round(time.perf_counter() - started, 3),
        }

    return write


def prepare_machine(settings: TrainSettings, where: object) -> None:
    """Threads and memory of this process, and whether it has the GPUs that the settings ask for.

    Raises:
        InputError: If GPUs are missing or the number of processes is another one.
    """
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes != max(settings.devices, 1):
        problem = f"devices is {settings.devices}, but {processes} processes were started."
        raise InputError(where, problem, "Start one process a GPU: accelerate launch --num_processes <devices>.")
    if is_sharded() and not may_be_divided(settings, find_method(settings.run_id, settings.method)):
        problem = f"method '{settings.method}' with generation '{settings.generation}' trains no divided weights."
        raise InputError(where, problem, "Start it with envs/accelerate/ddp.yaml.")
    if not is_on_cpu(settings) and not torch.cuda.is_available():
        problem = f"devices is {settings.devices}, but there is no GPU."
        raise InputError(where, problem, "Use scale tiny, or a machine with GPUs.")
    disable_progress_bar()
    if is_on_cpu(settings):
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def settle_memory(model: PreTrainedModel | PeftModel, settings: TrainSettings) -> None:
    """On a CPU, let the process keep what a step of this model frees."""
    if is_on_cpu(settings):
        keep_freed_memory(model.num_parameters())


def load_problems(path: Path, tokenizer: PreTrainedTokenizerBase, settings: TrainSettings) -> tuple[Dataset, str]:
    """Problems with their prompts, or for supervised fine-tuning with their solutions, and the digest of the problems.

    Nothing is left out here: curation has taken out what cannot be used (``data.usable``).

    Raises:
        InputError: For a gold that cannot be read or a prompt that is too long (names file and problem), if there are
            too few problems for one step, or if nothing grades problems of some kind.
    """
    frame = read_table(path, PROBLEMS)
    if len(frame) < settings.prompts_per_step:
        problem = f"has {len(frame)} problems, a step needs {settings.prompts_per_step}."
        raise InputError(path, problem, "Add problems, or lower completions_per_step.")
    require_readable(frame, path)
    prompts = [render_prompt(question, settings.template) for question in frame["question"]]
    for name, ids in zip(frame["problem_id"], tokenizer(prompts)["input_ids"], strict=True):
        if len(ids) > settings.max_prompt_tokens:
            problem = f"its prompt has {len(ids)} tokens, max_prompt_tokens is {settings.max_prompt_tokens}."
            raise InputError(f"{path}, problem '{name}'", problem, CURATE_AGAIN)
    digest = digest_rows(frame, TRAINED_ON)
    if settings.algorithm == "sft":
        return solved_examples(frame, prompts, tokenizer, settings, path), digest
    columns = frame.assign(prompt=prompts)[["prompt", "answer", "verifier", "meta"]]
    return Dataset.from_dict(columns.to_dict("list")), digest


def attach_adapter(
    base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None
) -> PreTrainedModel | PeftModel:
    """The base with the method's adapter, drawn from the run's seed, in training mode."""
    set_seed(settings.seed)
    method = find_method(settings.run_id, settings.method)
    model = method.attach(base, settings, decomposition if method.decomposes else None)
    check_method(model, settings)
    return model.train()


def announce_run(settings: TrainSettings, model: Any, problems: int, resume_from: Path | None) -> None:
    """Print what is about to be trained."""
    trainable = sum(row["parameters"] for row in trainable_table(model))
    steps = settings.planned_steps(problems)
    batch = f"{settings.prompts_per_step} prompts x {settings.group_size} completions"
    resuming = f", resuming from {resume_from.name}" if resume_from else ""
    print(f"{settings.run_id}: {settings.method}, {trainable:,} trainable parameters, {problems} problems", flush=True)
    print(f"{steps} steps of {batch}{resuming}", flush=True)
