"""Complete problems of scale `pocket` greedily, by both engines; a program for the environment of vLLM.

Usage: ``sample_packaged.py BASE DTYPE TARGET [RUN]...``: the base, then the base with each run's merged weights. TARGET
gets, for each of them and each problem, both engines' tokens and the distance between the two largest logits at every
step of the completion of transformers.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sample_both import ON_A_CPU

from rlvr.evaluate.engines import vllm_engine
from rlvr.evaluate.engines.protocol import Sampled, SamplingSettings
from rlvr.evaluate.engines.transformers_engine import TransformersEngine
from rlvr.prompts import render_prompt
from rlvr.synthetic.word_problems import BARE, STORIED, draw_levels

TEMPLATE = "chatml_example"  # of the scale: the model's own chat template
PROBLEMS = 32  # of each of both benchmarks
LONGEST = 256
GREEDY = SamplingSettings(
    samples_per_problem=1, temperature=0.0, top_p=1.0, max_completion_tokens=48, batch_completions=32, seed=0,
    template=TEMPLATE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn(Sampled):
    """A completion with its tokens."""

    ids: tuple[int, ...]


class Recording(TransformersEngine):
    """Transformers' engine whose completions have their tokens."""

    def _decode(self, generated_BT: torch.Tensor, end_ids: list[int]) -> Iterator[Sampled]:
        for row, one in zip(generated_BT.tolist(), super()._decode(generated_BT, end_ids), strict=True):
            yield Drawn(one.text, one.tokens, one.finish_reason, tuple(row[: one.tokens]))

    def margins(self, prompt: str, ids: tuple[int, ...]) -> list[float]:
        """Distance between the two largest logits at every step of a completion, in one pass over all of it."""
        asked = self._tokenizer(prompt)["input_ids"]
        with torch.inference_mode():
            logits_TV = self._model(torch.tensor([[*asked, *ids]])).logits[0, len(asked) - 1 : -1].float()
        first_T, second_T = logits_TV.topk(2).values.unbind(-1)
        return [float(margin) for margin in first_T - second_T]


def read_with_tokens(output: Any) -> Drawn:
    """A completion of vLLM with its tokens."""
    one = READ(output)
    return Drawn(one.text, one.tokens, one.finish_reason, tuple(output.outputs[0].token_ids))


READ, ARGUMENTS = vllm_engine.read_output, vllm_engine.engine_arguments


def asked_prompts() -> dict[str, list[str]]:
    """Prompts of both benchmarks, drawn as their sources draw problems."""
    return {
        name: [
            render_prompt(problem.question, TEMPLATE)
            for problem in draw_levels(PROBLEMS, levels, np.random.default_rng(7))
        ]
        for name, levels in (("sums", BARE), ("word-problems", STORIED))
    }


def complete(base: Path, run: Path | None, dtype: str) -> list[dict[str, Any]]:
    """Completions of every prompt by both engines."""
    slow = Recording(base, run, dtype, "cpu")
    fast = vllm_engine.VllmEngine(base, run, dtype, 1.0, LONGEST)
    entries = []
    for benchmark, prompts in asked_prompts().items():
        pairs = zip(prompts, slow.generate(prompts, GREEDY, 1), fast.generate(prompts, GREEDY, 1), strict=True)
        for prompt, (ours,), (theirs,) in pairs:
            assert isinstance(ours, Drawn) and isinstance(theirs, Drawn)
            entries.append(
                {
                    "benchmark": benchmark,
                    "ids": [ours.ids, theirs.ids],
                    "texts": [ours.text, theirs.text],
                    "reasons": [ours.finish_reason, theirs.finish_reason],
                    "margins": slow.margins(prompt, ours.ids),
                }
            )
    return entries


def main(base: Path, dtype: str, target: Path, runs: list[Path]) -> None:
    """Complete everything and write it."""
    vllm_engine.engine_arguments = lambda *given: ARGUMENTS(*given) | ON_A_CPU
    vllm_engine.read_output = read_with_tokens
    target.write_text(json.dumps([complete(base, run, dtype) for run in (None, *runs)]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), [Path(each) for each in sys.argv[4:]])
