"""The real architectures of the three base models, at a size that a laptop trains in a minute."""

from typing import TYPE_CHECKING, Any

from rlvr.core.errors import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

HIDDEN = 64  # 4 x 4 x 4 = 4 x 4 x 2 x 2: both QuanTA decompositions fit
ARCHITECTURES = ("qwen3", "llama", "apertus")

_SIZES: dict[str, Any] = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 2 * HIDDEN,
    "max_position_embeddings": 4096,  # the real problems, spelled in characters, must pass through
}
_OWN_SIZES: dict[str, dict[str, Any]] = {
    "qwen3": {"head_dim": 16},
    # Apertus has no gate projection; like the 8B model it spends that width on the other two.
    "apertus": {"intermediate_size": 3 * HIDDEN},
}
_COMMON: dict[str, Any] = {
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    "tie_word_embeddings": True,
    # The released 0.02 suits widths of thousands; 1 / sqrt(width) keeps a narrow model's activations at unit scale.
    "initializer_range": HIDDEN**-0.5,
    "dtype": "float32",
}


def tiny_sizes(architecture: str) -> dict[str, Any]:
    """The sizes of a tiny model of ``architecture``, by the names of its configuration."""
    return _SIZES | _OWN_SIZES.get(architecture, {})


def tiny_shapes() -> dict[str, dict[str, Any]]:
    """Shapes of each tiny model by architecture, as its configuration states them."""
    return {name: {"model_type": name, **tiny_sizes(name)} for name in ARCHITECTURES}


def tiny_config(architecture: str, tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedConfig":
    """Configuration of a tiny model of ``architecture`` over the tokenizer's vocabulary.

    Raises:
        InputError: If the architecture is not one of ``ARCHITECTURES``.
    """
    from transformers import ApertusConfig, LlamaConfig, Qwen3Config

    kinds = {"qwen3": Qwen3Config, "llama": LlamaConfig, "apertus": ApertusConfig}
    if architecture not in kinds:
        raise InputError(f"architecture '{architecture}'", "unknown.", f"Choose one of {', '.join(ARCHITECTURES)}.")
    shared = (
        tiny_sizes(architecture)
        | _COMMON
        | {
            "vocab_size": len(tokenizer),
            "pad_token_id": tokenizer.pad_token_id,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        }
    )
    return kinds[architecture](**shared)
