"""The gradient of the reward at an untrained base, from what it answered to a benchmark, at every linear layer."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import torch
from torch import Tensor

from rlvr.adapters.linears import linear_modules
from rlvr.bases.loading import load_base, load_tokenizer
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, read_table, write_table
from rlvr.core.seeds import derive_seed
from rlvr.prompts import render_prompt
from rlvr.spectra.first_steps import Layer, advantages, first_step_quantities, summary
from rlvr.spectra.settings import layers_at
from rlvr.tables import GRADES, PROBLEMS, SAMPLES, SPECTRA
from rlvr.weights.updates import LAYER_WEIGHT, count_layers

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FirstStepSettings:
    """How first steps are measured.

    Attributes:
        benchmark: Whose problems the base was asked.
        rank: Of the factors.
        problems: At most so many problems, the first by their names whose completions differ in their verdict.
        max_completion_tokens: Problems with a longer completion are passed over: every one is one backward pass.
        depths: Depths of the layers that are looked at, from 0 to 1; ``None`` for all.
    """

    benchmark: str
    rank: int
    problems: int
    max_completion_tokens: int
    depths: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Answered:
    """Prompts with one completion each and the advantage of it.

    Attributes:
        prompts: N texts.
        completions: N texts, with whether each ended by itself.
        advantages_N: Weights of their log-probabilities, (N,).
    """

    prompts: Sequence[str]
    completions: Sequence[tuple[str, bool]]
    advantages_N: Tensor


def measure_first_step(
    base_dir: str | Path,
    model: str,
    problems_path: str | Path,
    evaluated: Mapping[str, str | Path],
    settings: FirstStepSettings,
    out: str | Path,
) -> None:
    """Measure the first step from every start at the linear layers of a base; write ``tables.SPECTRA``.

    Args:
        base_dir: Base in Hugging Face layout.
        model: Its name; the table carries the run id of the untrained base.
        problems_path: Problems of the benchmark.
        evaluated: What the base answered: ``samples``, ``grades``, and the ``record`` of how they were drawn.
        settings: What is looked at.
        out: Parquet file.

    Raises:
        InputError: If no problem has both right and wrong completions: the gradient of the reward would be zero.
    """
    samples, grades = read_table(evaluated["samples"], SAMPLES), read_table(evaluated["grades"], GRADES)
    template = str(read_json(evaluated["record"])["asked"]["sampling"][settings.benchmark]["template"])
    answered = choose(read_table(problems_path, PROBLEMS), samples, grades, template, settings)
    base = load_base(base_dir)
    found = gradients(base, load_tokenizer(base_dir), answered)
    layers = None if settings.depths is None else layers_at(settings.depths, count_layers(base_dir))
    rows = [row for name, layer in found.items() for row in _rows(name, layer, settings.rank, layers)]
    write_table(pd.DataFrame(rows).assign(run_id=f"{model}_base", std_error=0.0, method="exact"), out, SPECTRA)


def choose(
    problems: pd.DataFrame, samples: pd.DataFrame, grades: pd.DataFrame, template: str, settings: FirstStepSettings
) -> Answered:
    """The completions of the first problems on which the base is sometimes right, with their advantages.

    Args:
        problems: ``tables.PROBLEMS`` of the benchmark.
        samples: ``tables.SAMPLES`` of the base.
        grades: ``tables.GRADES`` of these.
        template: Prompt template that they continue.
        settings: Which problems.

    Raises:
        InputError: If there is no such problem.
    """
    keys = ["benchmark", "problem_id", "sample"]
    both = samples.merge(grades[[*keys, "verdict"]], on=keys, validate="one_to_one").sort_values(keys)
    both = both[both["benchmark"] == settings.benchmark]
    both["reward"] = (both["verdict"] == "correct").astype(float)
    groups = both.groupby("problem_id")
    usable = (groups["reward"].nunique() > 1) & (groups["completion_tokens"].max() <= settings.max_completion_tokens)
    chosen = usable.index[usable][: settings.problems]
    if chosen.empty:
        problem = f"no problem of '{settings.benchmark}' has both right and wrong completions of the untrained base."
        raise InputError("grades", problem, "Sample more, or easier problems: without spread the gradient is zero.")
    questions = problems.set_index("problem_id")["question"]
    prompts: list[str] = []
    completions: list[tuple[str, bool]] = []
    weights = []
    for problem_id in chosen:
        part = groups.get_group(problem_id)
        prompts += [render_prompt(str(questions[problem_id]), template)] * len(part)
        completions += zip(part["text"].tolist(), part["finish_reason"].eq("stop").tolist(), strict=True)
        weights.append(advantages(torch.tensor(part["reward"].to_numpy()[None, :]))[0])
    return Answered(prompts, completions, torch.cat(weights))


def gradients(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", answered: Answered) -> dict[str, Layer]:
    """Weight and gradient of the loss ``-sum_i A_i sum_t log p(o_it) / sum_i |o_i|`` at every linear decoder layer.

    SOURCE: equation 5 at the policy that sampled, where every ratio is 1 and nothing is clipped.
    """
    tokens = 0
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    modules = {name: module for name, module in linear_modules(model) if LAYER_WEIGHT.match(f"{name}.weight")}
    for module in modules.values():
        module.weight.requires_grad_(True)
    for prompt, (text, ended), weight in zip(
        answered.prompts, answered.completions, answered.advantages_N, strict=True
    ):
        start, said = (tokenizer(part, add_special_tokens=False).input_ids for part in (prompt, text))
        said += [tokenizer.eos_token_id] * ended
        ids = torch.tensor([[*start, *said]], device=model.device)
        logits = model(input_ids=ids, use_cache=False).logits[0, len(start) - 1 : -1].double()
        chosen = torch.log_softmax(logits, dim=-1).gather(1, ids[0, len(start) :, None])
        (-float(weight) * chosen.sum()).backward()
        tokens += len(said)
    return {
        name: Layer(module.weight.detach().double().cpu(), _gradient(module.weight, tokens))
        for name, module in modules.items()
    }


def _gradient(weight: Tensor, tokens: int) -> Tensor:
    if weight.grad is None:
        raise ValueError("a linear layer took no part in the loss")
    return weight.grad.double().cpu() / tokens


def _rows(name: str, layer: Layer, rank: int, layers: frozenset[int] | None) -> list[dict[str, object]]:
    """One row per quantity of a layer; none of a layer that is not looked at, or whose gradient is zero."""
    match = LAYER_WEIGHT.match(f"{name}.weight")
    if match is None or (layers is not None and int(match["layer"]) not in layers):
        return []
    if not float(layer.gradient.norm()):
        log.warning("%s: the gradient is zero, so that there is no first step.", name)
        return []
    generator = torch.Generator().manual_seed(derive_seed("first step", name))
    quantities = first_step_quantities(layer, rank, generator)
    log.info("%s: %s", name, summary(quantities))
    place = {"module": name, "layer": int(match["layer"]), "projection": match["projection"]}
    size = {"rows": layer.weight.shape[0], "cols": layer.weight.shape[1]}
    return [{**place, **size, "quantity": quantity, "value": value} for quantity, value in quantities.items()]
