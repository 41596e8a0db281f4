"""How far a policy is from its base and from the policy that sampled, measured on the sampled tokens."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import LogitsProcessor

from rlvr.adapters.merging import Rounding
from rlvr.train.sharding import own_part, reshard


def kl_of_samples(log_ratio: Tensor) -> Tensor:
    """Unbiased estimates of a divergence KL(p || q) from tokens drawn from p: q/p - 1 - log(q/p), never negative.

    SOURCE: Schulman, "Approximating KL Divergence" (2020), the estimator k3, which GRPO's KL term uses.

    Args:
        log_ratio: log q - log p of each drawn token. Computed in float64: near 0 the terms cancel.
    """
    wide = log_ratio.double()
    return torch.expm1(wide) - wide


class TokenMeans:
    """Means over all tokens of a step, gathered micro batch by micro batch."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}

    def add(self, name: str, total: float, count: float) -> None:
        """Take in what a micro batch has: the sum of the values of so many tokens."""
        before = self._sums.get(name, (0.0, 0.0))
        self._sums[name] = before[0] + total, before[1] + count

    def drain(self) -> dict[str, float]:
        """The means by name, of names with tokens; starts anew."""
        sums, self._sums = self._sums, {}
        return {name: total / count for name, (total, count) in sums.items() if count}


class SamplerLog(LogitsProcessor):
    """Records the log-probability of every token that ``generate`` draws, and changes nothing.

    It sees the logits of the sampled function (adapter merged or beside, with the cache of earlier tokens) before
    temperature and nucleus; the temperature is applied here, as the loss applies it.

    Attributes:
        drawn: (sequences,) log-probabilities of the tokens of every position but the last.
    """

    def __init__(self, temperature: float) -> None:
        self.temperature = temperature
        self.drawn: list[Tensor] = []
        self._next: Tensor | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Called by ``generate`` before every draw, with all tokens so far and the logits of the next one."""
        self._record(input_ids[:, -1])
        self._next = torch.log_softmax(scores.float() / self.temperature, dim=-1)
        return scores

    def finish(self, sequences: Tensor) -> Tensor:
        """All log-probabilities, (sequences, drawn tokens); those behind an end token mean nothing.

        Args:
            sequences: What ``generate`` returned: prompts and completions.
        """
        self._record(sequences[:, -1])
        return torch.stack(self.drawn, dim=1)

    def _record(self, tokens: Tensor) -> None:
        if self._next is not None:
            self.drawn.append(self._next.gather(1, tokens[:, None])[:, 0])
        self._next = None


@contextmanager
def recorded_sampling(model: Any, temperature: float) -> Iterator[list[Tensor]]:
    """Within, ``model.generate`` also records what it draws; yields a list with the result of every call."""
    plain, found = model.generate, []
    before = vars(model).get("generate")  # FSDP puts one of its own there

    def generate(*args: Any, **kwargs: Any) -> Tensor:
        log = SamplerLog(temperature)
        sequences: Tensor = plain(*args, **kwargs, logits_processor=[log])
        found.append(log.finish(sequences))
        return sequences

    model.generate = generate
    try:
        yield found
    finally:
        del model.generate
        if before is not None:
            model.generate = before


def cut_to(log_probs: Tensor, completions: Sequence[Sequence[int]]) -> list[list[float]]:
    """The log-probabilities of the tokens of each completion, which ends with its end token.

    Args:
        log_probs: (completions, tokens of the longest at least).
        completions: Token ids.
    """
    rows = log_probs.tolist()
    return [row[: len(tokens)] for row, tokens in zip(rows, completions, strict=True)]


class Base:
    """The base of a run that is being trained: its adapter off, or the weights that training changes set back.

    Every adapter starts at the base, so that switching it off gives it. Weights of the base that are trained have a
    copy in the host's memory, in the type in which the base is stored, and are exchanged for it in place, which takes
    no memory of the accelerator.
    """

    def __init__(self, model: nn.Module, stored: torch.dtype) -> None:
        self._model = model
        self._kept: Mapping[nn.Parameter, Tensor] = {}
        reshard(model)
        if not isinstance(model, PeftModel):
            trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
            self._kept = {one: own_part(one.detach()).to("cpu", stored, copy=True) for one in trained}

    def measure(self, rounding: Rounding) -> None:
        """Take in what an engine in the type of the base loses of trained weights of the base; adapters are merged.

        Of divided weights, every process takes in its own part.
        """
        for parameter, original in self._kept.items():
            rounding.add(original, own_part(parameter.detach()).to("cpu"), original.dtype)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within, the model is the base; afterwards it is what it was, bit for bit."""
        reshard(self._model)
        if isinstance(self._model, PeftModel):
            with self._model.disable_adapter():
                yield
                reshard(self._model)
            return
        trained = {parameter: own_part(parameter.detach()).to("cpu", copy=True) for parameter in self._kept}
        try:
            _write(self._kept)
            yield
        finally:
            reshard(self._model)
            _write(trained)


def _write(values: Mapping[nn.Parameter, Tensor]) -> None:
    with torch.no_grad():
        for parameter, value in values.items():
            own_part(parameter.detach()).copy_(value)
