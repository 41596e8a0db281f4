"""Shapes of a base model, as far as its configuration tells, and whether the settings of a run fit them.

Small bases have the sizes of ``bases.architectures``; models of the hub those of ``data/configs``. What is checked here
stops the dry run; the same is checked again on the weights themselves when a run starts.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.io import read_json
from rlvr.plan.scale import origin_of_model
from rlvr.plan.targets import ABSENT_BY_ARCHITECTURE, TARGET_SETS

Shape = tuple[int, int]  # rows (outputs), columns (inputs)
NORMED_HEADS = ("qwen3", "apertus")  # norms of queries and keys, shared by the heads of a layer
SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size")
BIASED = ("qwen2",)  # biases of queries, keys and values
EXTRA = {"apertus": 2}  # parameters of xIELU in every layer


@dataclass(frozen=True)
class ModelShape:
    """Sizes of a decoder.

    Attributes:
        architecture: The configuration's ``model_type``.
        hidden: Width.
        layers: Number of decoder layers.
        projections: Shape of the weight of every projection of a layer, by name.
        positions: Most tokens of prompt and completion; ``None`` where the configuration does not say.
        inner: Width of the MLP.
        vocabulary: Rows of the embedding; 0 where the configuration does not say.
        tied: Whether the output head is the embedding.
        gains: Parameters of all norms.
        others: Biases and parameters of activation functions, of all layers.
    """

    architecture: str
    hidden: int
    layers: int
    projections: Mapping[str, Shape]
    positions: int | None
    inner: int = 0
    vocabulary: int = 0
    tied: bool = False
    gains: int = 0
    others: int = 0

    def targets(self, target_set: str) -> dict[str, Shape]:
        """The projections of a target set that the architecture has."""
        absent = ABSENT_BY_ARCHITECTURE.get(self.architecture, frozenset())
        return {name: self.projections[name] for name in TARGET_SETS[target_set] if name not in absent}

    @property
    def parameters(self) -> int:
        """All parameters of the model."""
        layer = sum(rows * columns for rows, columns in self.targets("all_linear").values())
        embeddings = self.vocabulary * self.hidden * (1 if self.tied else 2)
        return self.layers * layer + embeddings + self.gains + self.others

    @property
    def narrowest(self) -> int:
        """The smallest side of any of its weights."""
        return min(side for shape in self.projections.values() for side in shape)


def shape_of(config: Mapping[str, Any]) -> ModelShape:
    """The shapes that a configuration of a Llama-like decoder gives.

    Args:
        config: ``model_type``, ``hidden_size``, ``num_hidden_layers``, ``num_attention_heads``,
            ``num_key_value_heads``, ``intermediate_size``; optionally ``head_dim``, ``max_position_embeddings``,
            ``vocab_size`` and ``tie_word_embeddings``.
    """
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    head = config.get("head_dim") or hidden // config["num_attention_heads"]
    queries, keys = head * config["num_attention_heads"], head * config["num_key_value_heads"]
    projections = {
        "q_proj": (queries, hidden),
        "k_proj": (keys, hidden),
        "v_proj": (keys, hidden),
        "o_proj": (hidden, queries),
        "gate_proj": (inner, hidden),
        "up_proj": (inner, hidden),
        "down_proj": (hidden, inner),
    }
    layers, positions = config["num_hidden_layers"], config.get("max_position_embeddings")
    architecture = config["model_type"]
    return ModelShape(
        architecture, hidden, layers, projections, positions, inner,
        vocabulary=config.get("vocab_size", 0),
        tied=config.get("tie_word_embeddings", False),
        gains=layers * (2 * hidden + (2 * head if architecture in NORMED_HEADS else 0)) + hidden,
        others=layers * ((queries + 2 * keys if architecture in BIASED else 0) + EXTRA.get(architecture, 0)),
    )  # fmt: skip


def model_shapes(
    models: Mapping[str, Mapping[str, Any]], architectures: Mapping[str, Mapping[str, Any]], configs: Path
) -> dict[str, ModelShape]:
    """The shapes of those models of a scale that are known without a download.

    Args:
        models: ``models`` of the scale.
        architectures: Configuration of the small bases by architecture.
        configs: ``data/configs``, a file ``<model>.json`` for models of the hub.
    """
    found = {}
    for name in models:
        source = origin_of_model(name, models)
        declared, path = models[source], configs / f"{source}.json"
        if declared["kind"] == "pretrained":
            found[name] = shape_of(architectures[declared["architecture"]])
        elif declared["kind"] == "local" and (own := Path(declared["path"]).expanduser() / "config.json").is_file():
            found[name] = _shape_in(own)
        elif path.is_file():
            found[name] = _shape_in(path)
    return found


def _shape_in(path: Path) -> ModelShape:
    """The shapes of a configuration's file.

    Raises:
        InputError: If it is not JSON, or not of a decoder like Llama; names what it lacks.
    """
    config = read_json(path)
    sizes = [key for key in SIZES if not isinstance(config, Mapping) or not isinstance(config.get(key), int)]
    if sizes or not isinstance(config.get("model_type"), str):
        problem = f"states no {(*sizes, 'model_type')[0]}."
        raise InputError(path, problem, "Expected the configuration of a decoder like Llama, Qwen or Apertus.")
    return shape_of(config)


def check_fit(spec: Mapping[str, Any], shape: ModelShape, where: object) -> None:
    """Check that a run's resolved settings fit the weights and the positions of its model.

    Raises:
        InputError: Names the setting, the projection and its shape.
    """
    targets = shape.targets(spec["target_modules"]) if spec["target_modules"] else shape.projections
    for problem, remedy in _misfits(spec, targets):
        raise InputError(where, problem, remedy)
    check_length(spec["max_prompt_tokens"] + spec["max_completion_tokens"], shape, where)


def check_length(tokens: int, shape: ModelShape, where: object) -> None:
    """Check that prompt and completion together fit the positions of a model.

    Raises:
        InputError: Names both numbers.
    """
    if shape.positions is not None and tokens > shape.positions:
        problem = f"prompt and completion may have {tokens} tokens, the model has {shape.positions} positions."
        raise InputError(where, problem, "Lower max_prompt_tokens or max_completion_tokens, or cap them in the scale.")


def _misfits(spec: Mapping[str, Any], targets: Mapping[str, Shape]) -> Iterator[tuple[str, str]]:
    checks: tuple[tuple[Any, Callable[[Any, Shape], bool], str, str], ...] = (
        (spec["rank"], lambda rank, shape: rank <= min(shape), "rank {}", "Choose a rank of at most {}."),
        (
            spec["dims"],
            lambda dims, shape: math.prod(dims) in shape,
            "quanta_dims {}",
            "Their product must be a side of every weight; the smaller side here is {}.",
        ),
        (
            spec.get("block_size"),
            lambda block, shape: not block % 2 and not shape[1] % (block * 2 ** ((spec["butterfly_factors"] or 1) - 1)),
            "block_size {}",
            "An even block_size x 2^(butterfly_factors - 1) must divide the columns; the smaller side here is {}.",
        ),
    )
    for value, fits, name, remedy in checks:
        for projection, shape in sorted(targets.items(), key=lambda item: min(item[1])):  # the narrowest first
            if value is not None and not fits(value, shape):
                problem = f"{name.format(value)} does not fit the weight of {projection}, {shape[0]} x {shape[1]}."
                yield problem, remedy.format(min(shape))


def check_scale_fit(scale: Mapping[str, Any], shapes: Mapping[str, ModelShape], path: Path) -> None:
    """Check what a scale says about ranks and layers of its models against their shapes.

    Raises:
        InputError: Names the key and the model.
    """
    looked_at = scale["spectra"]["diagnostics"]
    for model, shape in shapes.items():
        for key in ("principal_rank", "top_directions"):
            if looked_at[key] > shape.narrowest:
                found = f"spectra.diagnostics.{key} is {looked_at[key]}"
                problem = f"{found}, a weight of '{model}' has a side of {shape.narrowest}."
                raise InputError(path, problem, f"Choose at most {shape.narrowest}.")
        declared = scale["models"][model]
        for key, layers in (
            (f"models.{model}.rotated_layers", declared.get("rotated_layers", ())),
            (f"models.{model}.permuted_layers", declared.get("permuted_layers", ())),
        ):
            if beyond := [layer for layer in layers if layer >= shape.layers]:
                problem = f"{key} names layer {beyond[0]}, '{model}' has {shape.layers} layers."
                raise InputError(path, problem, f"Layers count from 0 to {shape.layers - 1}.")
