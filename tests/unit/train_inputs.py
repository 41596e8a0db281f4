"""What a run is trained from, small: a random base, problems, and a spec that takes a second."""

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from bound_rows import bind_row
from transformers import AutoModelForCausalLM, Qwen3Config

from rlvr.bases.tokenizer import build_tokenizer
from rlvr.core.io import write_json, write_table
from rlvr.tables import PROBLEMS

RUN = "qwen3-8b_deepmath-hard_lora-r8_bs64_s42"
NUMBERS = [number for number in range(111, 999) if "0" not in str(number)][:32]
ROW = {
    "run_id": RUN, "model": "qwen3-8b", "dataset": "deepmath-hard", "method": "lora", "seed": 42, "rank": 32,
    "alpha": 64, "target_modules": "all_linear", "completions_per_step": 16,
}  # fmt: skip
SETTINGS = {"max_completion_tokens": 8, "max_steps": 4, "dropout": 0.0, "checkpoint_every_steps": 1}


def write_base(folder: Path) -> None:
    """A random base of one layer with the tokenizer of the small bases."""
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    tokens = {name: getattr(tokenizer, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
    config = Qwen3Config(
        hidden_size=64, intermediate_size=96, num_hidden_layers=1, head_dim=16, num_attention_heads=4,
        num_key_value_heads=2, vocab_size=len(tokenizer), tie_word_embeddings=True, **tokens,
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)


def write_inputs(folder: Path, **settings: Any) -> None:
    """A base, problems and a spec by the names of the second example of `rlvr train --help`."""
    write_base(folder / "base")
    common = {"dataset": "deepmath-hard", "verifier": "math", "difficulty": 9.0, "topic": None, "meta": "{}"}
    problems = [
        {"problem_id": f"p{index}", "question": f"Last digit of {number}?", "answer": str(number % 10), **common}
        for index, number in enumerate(NUMBERS)
    ]
    write_table(pd.DataFrame(problems), folder / "train.parquet", PROBLEMS)
    write_json(bind_row(ROW) | SETTINGS | settings, folder / "spec.json")
