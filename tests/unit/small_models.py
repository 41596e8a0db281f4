"""Random bases of the three architectures, small enough for unit tests, and settings of runs on them."""

import torch
from bound_rows import TINY, bind_row
from transformers import ApertusConfig, AutoModelForCausalLM, LlamaConfig, Qwen3Config

from rlvr.plan.settings import TrainSettings

ROW = {
    "run_id": "r", "tier": "core", "model": "qwen3-8b", "dataset": "deepmath-hard", "method": "lora", "rank": "16",
    "alpha": "32", "axes": None, "target_modules": "no_kv", "schedule": "", "completions_per_step": None, "seed": "42",
}  # fmt: skip
METHOD_CELLS = {
    "lora": {},
    "dora": {"method": "dora"},
    "quanta": {"method": "quanta", "rank": None, "alpha": None, "axes": "3"},
    "full": {"method": "full", "rank": None, "alpha": None, "target_modules": None},
    "rslora": {"method": "rslora"},
    "lora-plus": {"method": "lora-plus", "rate_ratio": "4"},
    "lora-fa": {"method": "lora-fa"},
    "adalora": {"method": "adalora"},
    "vera": {"method": "vera", "alpha": None},
    "miss": {"method": "miss", "rank": "24", "alpha": None},
    "ia3": {"method": "ia3", "rank": None, "alpha": None, "target_modules": "kv_down"},
    "ln-tuning": {"method": "ln-tuning", "rank": None, "alpha": None, "target_modules": None},
    "boft": {"method": "boft", "rank": None, "alpha": None, "block_size": "4", "butterfly_factors": "2"},
    "mora": {"method": "mora", "alpha": None},
    "pissa": {"method": "pissa"},
    "milora": {"method": "milora"},
    "olora": {"method": "olora"},
    "olora-tail": {"method": "olora-tail"},
    "lora-rlpo": {"method": "lora-rlpo"},
    "lora-rlmo": {"method": "lora-rlmo"},
    "dct-lora": {"method": "dct-lora"},
    "wavelet-lora": {"method": "wavelet-lora"},
    "sparse-principal": {"method": "sparse-principal", "alpha": None, "density": "0.5"},
    "sparse-non-principal": {"method": "sparse-non-principal", "alpha": None, "density": "0.5"},
    "sparse-low-magnitude": {"method": "sparse-low-magnitude", "rank": None, "alpha": None},
    "sparse-union": {"method": "sparse-union", "alpha": None, "density": "0.5"},
    "sparse-random": {"method": "sparse-random", "alpha": None, "density": "0.5"},
}

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


def settings_of(method, **changes):
    """Settings of a run of a method, with dims that fit the small models."""
    content = resolved(METHOD_CELLS[method]) | changes
    return TrainSettings.from_json(content | ({"dims": [4, 2, 2]} if method == "quanta" else {}))
