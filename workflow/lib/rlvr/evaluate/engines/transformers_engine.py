"""Sampling with transformers' own generation: slow on big models, exact on any machine, needs no GPU."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rlvr.bases.loading import load_base, load_tokenizer
from rlvr.bases.shared_prompts import shared_prompts
from rlvr.core.allocation import keep_freed_memory
from rlvr.core.errors import InputError
from rlvr.evaluate.engines.protocol import Sampled, SamplingSettings
from rlvr.evaluate.precision import load_tuned
from rlvr.weights.updates import tuned_state_dict

if TYPE_CHECKING:
    from transformers import GenerationConfig

# Tokens of prompts and completions, padding included, in one batch: bounds the cache however long the prompts are.
MAX_BATCH_TOKENS = 2**16


class TransformersEngine:
    """A base model, or a base with a run's weights, merged in float32; what training moved stays in float32."""

    lost_share = 0.0  # of the update, by rounding

    def __init__(self, base_dir: str | Path, run_dir: str | Path | None, dtype: str, device: str) -> None:
        """Load tokenizer and weights.

        Args:
            base_dir: Base model in Hugging Face layout.
            run_dir: Finished run; ``None``: the base.
            dtype: Name of the type that the weights of the base are used in; see ``precision.load_tuned`` for a run's.
            device: Where they go.
        """
        self._tokenizer = load_tokenizer(base_dir)
        self._model: Any = load_base(base_dir, dtype=dtype, device=device)
        if device == "cpu":
            keep_freed_memory(self._model.num_parameters())
        if run_dir is not None:
            load_tuned(self._model, tuned_state_dict(base_dir, run_dir), base_dir)

    def generate(self, prompts_P: list[str], settings: SamplingSettings, seed: int) -> list[list[Sampled]]:
        """See ``Engine.generate``. Draws from one stream, in batches of similar prompt length, longest first."""
        ids_P = self._tokenizer(prompts_P, add_special_tokens=True)["input_ids"]
        self._check_lengths(ids_P, settings.max_completion_tokens)
        end_ids = end_token_ids(self._model.generation_config.eos_token_id, self._tokenizer.eos_token_id)
        config = generation_config(settings, self._tokenizer.pad_token_id, end_ids)
        rows = [prompt for prompt in range(len(ids_P)) for _ in range(settings.samples_per_problem)]
        completions_PK: list[list[Sampled]] = [[] for _ in ids_P]
        devices = [torch.cuda.current_device()] if settings.device.startswith("cuda") else []
        with torch.inference_mode(), torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            for batch in batches(rows, [len(ids) for ids in ids_P], settings):
                generated_BT = self._complete([ids_P[prompt] for prompt in batch], config)
                for prompt, completion in zip(batch, self._decode(generated_BT, end_ids), strict=True):
                    completions_PK[prompt].append(completion)
        return completions_PK

    def _check_lengths(self, ids_P: list[list[int]], max_completion_tokens: int) -> None:
        """Refuse prompts whose completions would leave the model's positions."""
        longest = max(map(len, ids_P), default=0)
        positions = self._model.config.max_position_embeddings
        if longest + max_completion_tokens > positions:
            problem = f"a prompt of {longest} and a completion of {max_completion_tokens} tokens exceed {positions}."
            raise InputError("context length", problem, "Lower max_completion_tokens or leave the problem out.")

    def _complete(self, ids_B: list[list[int]], config: "GenerationConfig") -> Tensor:
        """Completion tokens (batch, time) of left-padded prompts; rows that ended early are padded on the right."""
        inputs = self._tokenizer.pad({"input_ids": ids_B}, padding=True, return_tensors="pt").to(self._model.device)
        self._model.generation_config = config  # or transformers would fill every unset field from the model's own
        with shared_prompts(self._model):
            output_BT = self._model.generate(**inputs)
        return output_BT[:, inputs["input_ids"].shape[1] :].cpu()

    def _decode(self, generated_BT: Tensor, end_ids: list[int]) -> Iterator[Sampled]:
        """Completions of a batch, cut after the first end token."""
        ended_BT = torch.isin(generated_BT, torch.tensor(end_ids))
        lengths_B = torch.where(ended_BT.any(1), ended_BT.int().argmax(1) + 1, generated_BT.shape[1]).tolist()
        tokens_B = [row[:length] for row, length in zip(generated_BT.tolist(), lengths_B, strict=True)]
        texts_B = self._tokenizer.batch_decode(tokens_B, skip_special_tokens=True)
        for text, tokens, ended in zip(texts_B, tokens_B, ended_BT.any(1).tolist(), strict=True):
            yield Sampled(text, len(tokens), "stop" if ended else "length")


def end_token_ids(of_model: int | list[int] | None, of_tokenizer: int) -> list[int]:
    """Every token that ends a completion: a model may name several, e.g. end of turn beside end of text."""
    named = [] if of_model is None else [of_model] if isinstance(of_model, int) else list(of_model)
    return sorted({*named, of_tokenizer})


def generation_config(settings: SamplingSettings, pad_id: int, end_ids: list[int]) -> "GenerationConfig":
    """Transformers' generation settings with every field that changes the distribution spelled out."""
    from transformers import GenerationConfig

    greedy = settings.temperature == 0
    drawing = {"temperature": settings.temperature, "top_p": settings.top_p, "top_k": 0}
    return GenerationConfig(
        do_sample=not greedy,
        **({} if greedy else drawing),
        max_new_tokens=settings.max_completion_tokens,
        num_beams=1,
        repetition_penalty=1.0,
        pad_token_id=pad_id,
        eos_token_id=end_ids,
        use_cache=True,
    )


def batches(rows: list[int], lengths_P: list[int], settings: SamplingSettings) -> Iterator[list[int]]:
    """Split rows into batches of similar prompt length, longest first so that a lack of memory shows at once.

    Args:
        rows: Prompt index of every completion to draw.
        lengths_P: Tokens of every prompt.
        settings: Bounds a batch by ``batch_completions`` rows; ``MAX_BATCH_TOKENS`` bounds its tokens.

    Yields:
        Prompt indices; a batch holds one row even where that alone is over the token bound.
    """
    waiting = sorted(rows, key=lambda prompt: (-lengths_P[prompt], prompt))
    start = 0
    while start < len(waiting):
        row_tokens = lengths_P[waiting[start]] + settings.max_completion_tokens
        size = max(1, min(settings.batch_completions, MAX_BATCH_TOKENS // row_tokens))
        yield waiting[start : start + size]
        start += size
