"""Sample a random base, and the base with a merged adapter, by both engines; a program for the environment of vLLM.

What was drawn goes to a file; vLLM fills the output with its own messages.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, Qwen3Config

from rlvr.bases.tokenizer import build_tokenizer
from rlvr.evaluate.engines import vllm_engine
from rlvr.evaluate.engines.protocol import SamplingSettings
from rlvr.evaluate.engines.transformers_engine import TransformersEngine

PROMPTS = ["1+1=", "Last digit of 107?", "What is 12 times 3? Answer: ", "x"]
HEAD = 32  # vLLM's attention on a CPU knows no smaller head
LONGEST = 128
# With chunks vLLM asks a generator of a CPU for its offset, which it does not have; compiling costs a minute.
ON_A_CPU = {"enable_chunked_prefill": False, "enforce_eager": True}
COMMON: dict[str, Any] = {"batch_completions": 64, "seed": 0, "template": "plain", "top_p": 1.0}
GREEDY = SamplingSettings(samples_per_problem=1, temperature=0.0, max_completion_tokens=64, **COMMON)
DRAWN = SamplingSettings(samples_per_problem=500, temperature=0.8, max_completion_tokens=1, **COMMON)


def write_base(folder: Path) -> Path:
    """A random model of two layers over the tokenizer of the tiny bases."""
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    ids = {name: getattr(tokenizer, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
    config = Qwen3Config(
        **sizes, **ids, num_key_value_heads=2, head_dim=HEAD, max_position_embeddings=LONGEST,
        vocab_size=len(tokenizer), tie_word_embeddings=True, initializer_range=0.125,
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


def write_run(folder: Path, base: Path) -> Path:
    """A random LoRA of rank 4, as a finished run lies in its folder."""
    torch.manual_seed(1)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(r=4, target_modules=["q_proj"]))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.3)
    model.save_pretrained(folder / "adapter")
    return folder


def margins(logits_TV: torch.Tensor) -> list[float]:
    """Distance between the two largest logits at every step."""
    first, second = logits_TV.topk(2).values.unbind(-1)
    return [float(value) for value in first - second]


def main(folder: Path, target: Path) -> None:
    """Sample everything and write it."""
    arguments = vllm_engine.engine_arguments
    vllm_engine.engine_arguments = lambda *given: arguments(*given) | ON_A_CPU
    base = write_base(folder / "base")
    found = []
    for run in (None, write_run(folder / "run", base)):
        slow, fast = (
            TransformersEngine(base, run, "float32", "cpu"),
            vllm_engine.VllmEngine(base, run, "float32", 1.0, LONGEST),
        )
        model, tokenizer = slow._model, slow._tokenizer
        entry: dict[str, Any] = {"prompts": []}
        greedy, drawn = (fast.generate(PROMPTS, settings, 1) for settings in (GREEDY, DRAWN))
        exact = slow.generate(PROMPTS, GREEDY, 1)
        for prompt, (one,), (other,), draws in zip(PROMPTS, exact, greedy, drawn, strict=True):
            asked = tokenizer(prompt)["input_ids"]
            answer = tokenizer(one.text, add_special_tokens=False)["input_ids"]
            with torch.inference_mode():
                logits_TV = model(torch.tensor([[*asked, *answer]])).logits[0, len(asked) - 1 :]
            chances = (logits_TV[0] / DRAWN.temperature).softmax(-1)
            texts = [tokenizer.decode([token], skip_special_tokens=True) for token in range(len(tokenizer))]
            entry["prompts"].append(
                {
                    "transformers": one.text,
                    "vllm": other.text,
                    "tokens": [one.tokens, other.tokens],
                    "reasons": [one.finish_reason, other.finish_reason],
                    "margins": margins(logits_TV),
                    "chances": [[text, float(chance)] for text, chance in zip(texts, chances, strict=True)],
                    "first": [each.text for each in draws],
                }
            )
        found.append(entry)
    target.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
