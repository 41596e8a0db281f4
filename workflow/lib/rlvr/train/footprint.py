"""Trainable parameters at real size, counted on the modules that training would make, without any weights.

The base is built on torch's meta device (shapes, no storage) and the method is attached by its own module, as in a run.
Decoder layers are alike, so models of one and of two layers give the count of any number of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig

from rlvr.adapters.methods import find_method
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, write_json
from rlvr.plan.memory import BYTES, MOMENTS, card_bytes, run_load
from rlvr.plan.settings import TrainSettings
from rlvr.plan.shapes import shape_of
from rlvr.train.manifest import adapter_tensors
from rlvr.train.run import attach_adapter

TRAINED_BYTES = 4  # whatever is trained is float32, and saved so, unless `trained_dtype` says otherwise
DECIDING = (  # settings on which a footprint depends
    "method", "rank", "dims", "target_modules", "block_size", "butterfly_factors", "density", "base_dtype",
    "trained_dtype", "micro_batch_completions", "max_prompt_tokens", "max_completion_tokens", "gradient_checkpointing",
)  # fmt: skip


class Counts(NamedTuple):
    """Numbers of parameters: of the base, trainable ones, and in the file of the adapter (of a bare model)."""

    base: int
    trainable: int
    saved: int


@dataclass(frozen=True)
class Footprint:
    """Parameters and memory of a run.

    Attributes:
        base_parameters: Parameters of the base.
        trainable_parameters: Parameters that the optimizer holds moments for; under a mask, all of the masked matrices.
        saved_bytes: Size of the weights that a finished run keeps: the adapter before any pruning, with what its file
            holds beside trained parameters; the merged float32 model where the method exports one; a bare model.
        optimizer_bytes: Both moments of Adam.
        gpu_bytes: Estimate for one GPU, without the share that vLLM reserves.
    """

    base_parameters: int
    trainable_parameters: int
    saved_bytes: int
    optimizer_bytes: int
    gpu_bytes: int


def read_architecture(path: str | Path) -> PretrainedConfig:
    """The configuration of a model from a file of ``data/configs/``.

    Raises:
        InputError: If the file is no JSON object with a ``model_type`` that transformers knows.
    """
    content = read_json(path)
    fields = {name: value for name, value in content.items() if name not in ("source", "model_type")}
    try:
        return AutoConfig.for_model(content["model_type"], **fields)
    except (KeyError, ValueError) as error:
        raise InputError(path, f"has no model_type that is known ({error}).", "See the files beside it.") from error


def count_parameters(config: PretrainedConfig, settings: TrainSettings) -> Counts:
    """Parameters of the base, trainable parameters and saved parameters of a run.

    Args:
        config: Architecture at real size.
        settings: The run's settings.

    Returns:
        The counts: those of one layer and of everything around the layers, times and plus.

    Raises:
        InputError: If the method's settings do not fit a module, or its tuner cannot be built without storage.
    """
    one, two = (_count_layers(config, settings, layers) for layers in (1, 2))
    further = config.num_hidden_layers - 1
    return Counts(*(first + further * (second - first) for first, second in zip(one, two, strict=True)))


def _count_layers(config: PretrainedConfig, settings: TrainSettings, layers: int) -> Counts:
    shallow = type(config)(**{**config.to_dict(), "num_hidden_layers": layers, "layer_types": None})
    try:
        with torch.device("meta"):
            base = AutoModelForCausalLM.from_config(shallow)
            size = sum(parameter.numel() for parameter in base.parameters())
            model = attach_adapter(base, settings)
    except (RuntimeError, NotImplementedError) as error:
        where = f"method '{settings.method}'"
        raise InputError(where, f"cannot be built without storage ({error}).", "Count it on a small model.") from error
    trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    if not isinstance(model, PeftModel):
        return Counts(size, trainable, size)
    return Counts(size, trainable, sum(tensor.numel() for tensor in adapter_tensors(model).values()))


def measure_footprint(config: PretrainedConfig, settings: TrainSettings) -> Footprint:
    """Parameters and memory of a run; see :mod:`rlvr.plan.memory` for what one GPU holds beside vLLM's share.

    Raises:
        InputError: As ``count_parameters``.
    """
    base, trainable, saved = count_parameters(config, settings)
    width, method = BYTES[settings.base_dtype], find_method("parameters", settings.method)
    exported = base * BYTES["float32"] if method.exports else 0
    frozen = base - trainable if method.tuner is None else base
    as_stored = method.tuner is None and settings.trained_dtype == "stored"
    moved = trainable * (width if as_stored else TRAINED_BYTES)
    saved_bytes = frozen * width + moved if method.tuner is None else saved * TRAINED_BYTES
    shape, of_base = shape_of(config.to_dict()), method.tuner is None
    load = replace(run_load(shape, settings, method), base=base, trained=trainable, of_base=of_base)
    return Footprint(
        base_parameters=base,
        trainable_parameters=trainable,
        saved_bytes=saved_bytes + exported,
        optimizer_bytes=MOMENTS * moved,
        gpu_bytes=card_bytes(load, shape, settings).total,
    )


def count_rows(rows: Iterable[Mapping[str, Any]], configs: Mapping[str, PretrainedConfig]) -> list[dict[str, Any]]:
    """The footprint of every row, each distinct setting of a method counted once per model and precision.

    Args:
        rows: ``plan.real_size.real_size_rows``: any fields, with ``model`` and ``settings``.
        configs: Architectures by the names that ``model`` uses.

    Returns:
        The rows without their settings, with the fields of ``Footprint``.

    Raises:
        InputError: For a model without a configuration, or settings that do not fit.
    """
    known: dict[tuple[Any, ...], Footprint] = {}
    counted = []
    for row in rows:
        if row["model"] not in configs:
            remedy = f"Add data/configs/{row['model']}.json; there are: {', '.join(sorted(configs))}."
            raise InputError(f"model '{row['model']}'", "has no configuration.", remedy)
        settings = TrainSettings.from_json(row["settings"])
        key = (row["model"], *(str(getattr(settings, name)) for name in DECIDING))
        if key not in known:
            known[key] = measure_footprint(configs[row["model"]], settings)
        named = {name: value for name, value in row.items() if name != "settings"}
        counted.append({**named, **asdict(known[key])})
    return counted


def count_files(rows: Iterable[Mapping[str, Any]], config_paths: Iterable[str | Path], out: str | Path) -> None:
    """Count the rows and write them as JSON.

    Raises:
        InputError: As ``count_rows``.
    """
    configs = {Path(path).stem: read_architecture(path) for path in config_paths}
    write_json(count_rows(rows, configs), out)
