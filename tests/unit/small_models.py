"""Random bases of the three architectures, small enough for unit tests, and settings of runs on them."""

import torch
from bound_rows import TINY, bind_row
from transformers import ApertusConfig, AutoModelForCausalLM, LlamaConfig, Qwen3Config

from rlvr.adapters.methods import METHODS
from rlvr.plan.method import SETTINGS
from rlvr.plan.settings import TrainSettings

ROW = {
    "run_id": "r", "tier": "core", "model": "qwen3-8b", "dataset": "deepmath-hard", "method": "lora", "rank": "16",
    "alpha": "32", "axes": None, "target_modules": "no_kv", "schedule": "", "completions_per_step": None, "seed": "42",
}  # fmt: skip
UNSET = dict.fromkeys(SETTINGS)
# an example's ranks are as they are, and the product of its axes is the width of the small models
EXAMPLES = {**TINY, "factors": {**TINY["factors"], "rank_divisor": 1}, "quanta_dims": {3: [4, 2, 2]}}

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


def resolved(row=(), settings=(), **recipe):
    """A grid row bound to scale `tiny`; ``row`` changes cells, ``settings`` the scale's, ``recipe`` the recipe's."""
    scale = {**TINY, "settings": {**TINY["settings"], **dict(settings)}}
    return bind_row({**ROW, **dict(row)}, scale, **recipe)


def cells_of(method):
    """Cells of a grid row that trains a method as its example says."""
    return {**UNSET, "method": method, **METHODS[method].example}


def settings_of(method, **changes):
    """Settings of a run of a method's example, with dims that fit the small models."""
    return TrainSettings.from_json(bind_row({**ROW, **cells_of(method)}, EXAMPLES) | changes)
