"""Whole training runs on a random base, small enough for tests."""

import multiprocessing
import os
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from small_models import SIZES
from transformers import AutoModelForCausalLM, Qwen3Config

from rlvr.bases.tokenizer import build_tokenizer
from rlvr.core.io import read_json, sha256_file, write_table
from rlvr.tables import PROBLEMS
from rlvr.train.run import train_run

STEPS = 6


def write_inputs(folder: Path) -> Path:
    """A random base and training problems for ``STEPS`` steps of 64 completions."""
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(folder / "base")
    torch.manual_seed(0)
    sizes = {**SIZES, "num_hidden_layers": 1, "head_dim": 4, "max_position_embeddings": 128}
    sizes |= {name: getattr(tokenizer, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
    config = Qwen3Config(**sizes | {"vocab_size": len(tokenizer)}, tie_word_embeddings=True)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder / "base")
    problems = [
        {"problem_id": f"p{i}", "dataset": "d", "question": f"Last digit of {100 + i}?", "answer": str(i % 10)}
        | {"verifier": "math", "difficulty": 9.0, "topic": None, "meta": "{}"}
        for i in range(8 * STEPS)
    ]
    write_table(pd.DataFrame(problems), folder / "train.parquet", PROBLEMS)
    return folder


def train(spec: Path, inputs: Path, out: Path) -> dict[str, Any]:
    """Train and return the manifest."""
    train_run(spec, inputs / "base", inputs / "train.parquet", out)
    return dict(read_json(out / "run.json"))


def forked(target: Callable[..., None], *arguments: Any, **variables: str) -> BaseProcess:
    """A started process, forked from one that holds the trainer and nothing else: importing it takes eight seconds.

    Args:
        target: What it does, a function of a module.
        arguments: What the function is given.
        variables: Changes of its environment.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["rlvr.train.run", "rlvr.train.trainer", target.__module__])
    process = context.Process(target=_with_variables, args=(target, arguments, variables))
    process.start()
    return process


def _with_variables(target: Callable[..., None], arguments: tuple[Any, ...], variables: Mapping[str, str]) -> None:
    os.environ.update(variables)
    target(*arguments)


def weights_of(out: Path) -> str:
    """Digest of a run's weights."""
    return sha256_file(next(path for name in ("adapter", "model") for path in (out / name).glob("*.safetensors")))


def length_reward(completions: list[str], log_metric: Any, **_: Any) -> list[float]:
    """A random base earns a true reward by luck alone, and where a group's rewards are equal nothing moves."""
    log_metric("accuracy", 0.0)
    log_metric("format", 0.0)
    return [float(len(text)) for text in completions]
