"""Random bases of the three architectures, small enough for unit tests, and settings of runs on them."""

from pathlib import Path

import torch
import yaml
from transformers import ApertusConfig, AutoModelForCausalLM, LlamaConfig, Qwen3Config

from rlvr.adapters.methods import METHODS
from rlvr.plan.method import SETTINGS
from rlvr.plan.settings import TrainSettings, resolve_settings

TINY = yaml.safe_load((Path(__file__).resolve().parents[2] / "workflow/scales/tiny.yaml").read_text())
ROW = {
    "run_id": "r", "tier": "core", "model": "qwen3-8b", "dataset": "deepmath-hard", "method": "lora", "rank": "16",
    "alpha": "32", "axes": None, "target_modules": "no_kv", "schedule": "", "completions_per_step": None, "seed": "42",
}  # fmt: skip
UNSET = dict.fromkeys(SETTINGS)
RATES = {name: 1e-2 if method.tuner else 1e-3 for name, method in METHODS.items()}
# ranks of an example are not divided, and the product of three axes is the width of the small models
EXAMPLES = {"rank_divisor": 1, "quanta_dims": {3: [4, 2, 2]}, "learning_rate": RATES}

SIZES = {
    "vocab_size": 40, "hidden_size": 16, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
CONFIGS = {"qwen3": Qwen3Config, "llama": LlamaConfig, "apertus": ApertusConfig}


def small_model(architecture: str = "qwen3", seed: int = 0, dtype: torch.dtype = torch.float32):
    """A random two-layer causal language model with hidden size 16, in evaluation mode."""
    torch.manual_seed(seed)
    extra = {"head_dim": 4} if architecture == "qwen3" else {}
    return AutoModelForCausalLM.from_config(CONFIGS[architecture](**SIZES, **extra), dtype=dtype).eval()


def token_batch(seed: int = 0) -> torch.Tensor:
    """Token ids (3, 10)."""
    return torch.randint(3, 40, (3, 10), generator=torch.Generator().manual_seed(seed))


def resolved(row=(), **train):
    """A grid row bound to scale `tiny`; ``row`` changes cells, ``train`` entries of the scale's block."""
    return resolve_settings({**ROW, **dict(row)}, {**TINY, "train": {**TINY["train"], **train}})


def cells_of(method):
    """Cells of a grid row that trains a method as its example says."""
    return {**UNSET, "method": method, **METHODS[method].example}


def settings_of(method, **changes):
    """Settings of a run of a method's example, with dims that fit the small models."""
    return TrainSettings.from_json(resolved(cells_of(method), **EXAMPLES) | {"study": "s"} | changes)
