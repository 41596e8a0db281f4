"""Interface of an engine, whichever library does the work."""

from dataclasses import dataclass
from typing import Literal, Protocol

from rlvr.core.errors import InputError

FinishReason = Literal["stop", "length"]
ENGINES = ("transformers", "vllm")
DTYPES = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, kw_only=True)
class SamplingSettings:
    """How completions are drawn; every field reaches the engine, no model's own defaults do.

    Attributes:
        samples_per_problem: k, completions of every prompt.
        temperature: 0 decodes greedily.
        top_p: Share of the probability mass to draw from, in (0, 1]; 1 draws from all of it.
        max_completion_tokens: Completions are cut there, with finish reason ``length``.
        batch_completions: Largest number of completions decoded together by the transformers engine, which draws other
            samples when it changes; vLLM schedules by itself and seeds every completion.
        seed: Root of every completion's randomness, together with the run and the benchmark.
        template: Name of the prompt template.
        dtype: Type of the weights, one of ``DTYPES``.
        device: ``cpu`` or ``cuda``.
        engine: One of ``ENGINES``.
    """

    samples_per_problem: int
    temperature: float
    top_p: float
    max_completion_tokens: int
    batch_completions: int
    seed: int
    template: str
    dtype: str = "float32"
    device: str = "cpu"
    engine: str = "transformers"

    def __post_init__(self) -> None:
        for name in ("samples_per_problem", "max_completion_tokens", "batch_completions"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        self._require("temperature", self.temperature >= 0, "0 or above")
        self._require("top_p", 0 < self.top_p <= 1, "above 0 and at most 1")
        self._require("dtype", self.dtype in DTYPES, f"one of {', '.join(DTYPES)}")
        self._require("engine", self.engine in ENGINES, f"one of {', '.join(ENGINES)}")

    def _require(self, name: str, fulfilled: bool, expected: str) -> None:
        if not fulfilled:
            problem = f"expected {expected}, found {getattr(self, name)!r}."
            raise InputError(f"sampling setting '{name}'", problem, "Correct the benchmark's protocol.")


@dataclass(frozen=True, slots=True)
class Sampled:
    """One drawn completion.

    Attributes:
        text: Without the prompt and without special tokens.
        tokens: Number of generated tokens, the token that ended it included, padding not.
        finish_reason: ``stop``: the model ended it; ``length``: it was cut.
    """

    text: str
    tokens: int
    finish_reason: FinishReason


class Engine(Protocol):
    """A loaded model that completes prompts.

    Attributes:
        lost_share: Share of a run's update that rounding removes from the weights that are sampled, known once they
            have been loaded; 0 for a base. See ``precision.lost_share``.
    """

    @property
    def lost_share(self) -> float: ...  # noqa: D102

    def generate(self, prompts_P: list[str], settings: SamplingSettings, seed: int) -> list[list[Sampled]]:
        """``settings.samples_per_problem`` completions of every prompt, in the prompts' order.

        The same arguments draw the same completions on the same machine and library versions.
        """
        ...


class SplittingEngine(Engine, Protocol):
    """A model whose completions depend on the place of their prompt, and not on what else is asked with it."""

    def generate(
        self, prompts_P: list[str], settings: SamplingSettings, seed: int, first: int = 0
    ) -> list[list[Sampled]]:
        """Completions of prompts that stand behind ``first`` others, as a call with all of them would draw them."""
        ...


SPLITTING = frozenset({"vllm"})  # engines that are such
