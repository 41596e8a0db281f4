"""The update of every module of a base / fine-tuned pair, read from its files one module at a time, matched by name.

Needs no PEFT: the formulas of the four families are written out here, and tests hold them against PEFT's own merge.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rlvr.core.errors import InputError
from rlvr.core.io import read_json
from rlvr.core.seals import check_run_files
from rlvr.weights.linear_maps import LinearMap, dora_map, quanta_map
from rlvr.weights.matrices import Factors, ModuleUpdate, dora_update
from rlvr.weights.pairs import find_tuned
from rlvr.weights.quanta_gates import parameter_count, split_gates, update_matrix
from rlvr.weights.tensors import HEAD, TensorStore

LAYER_WEIGHT = re.compile(r"^(?P<module>.*\blayers\.(?P<layer>\d+)\.(?:.*\.)?(?P<projection>\w+))\.weight$")
ADAPTER_PREFIX = "base_model.model."
LORA_TENSORS = ("lora_A.weight", "lora_B.weight", "lora_magnitude_vector")
MOVES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")  # initialisations of PEFT
QUANTA_TENSORS = ("quanta_theta", "quanta_theta_0")
# Fields of PEFT's LoraConfig that do not change what an adapter computes from its tensors, or that are read here. Any
# other field that is set changes it (activation only behind some tokens, other ranks, repeated layers, biases, ...).
READ_OF_LORA = frozenset({
    "auto_mapping", "base_model_name_or_path", "bias", "corda_config",
    "ensure_weight_tying", "eva_config", "exclude_modules", "inference_mode", "init_lora_weights", "layers_pattern",
    "layers_to_transform", "loftq_config", "lora_alpha", "lora_dropout", "lora_ga_config", "megatron_core",
    "peft_type", "peft_version", "qalora_group_size", "r", "revision", "runtime_config", "target_modules", "task_type",
    "use_dora", "use_rslora",
})  # fmt: skip


def iterate_updates(base_dir: str | Path, tuned_dir: str | Path) -> Iterator[ModuleUpdate]:
    """Updates of a run or of any pair, one module at a time, in the order of their names.

    Args:
        base_dir: Base model in Hugging Face layout, safetensors only.
        tuned_dir: What :func:`rlvr.weights.pairs.find_tuned` knows: an adapter (LoRA, DoRA or QuanTA), a full model, or
            both (an adapter of another family, and the base with it merged in). For a full model, every matrix of the
            decoder layers counts as a module, vision towers left out (``rlvr.weights.tensors.VISION``); beside an
            adapter, those that differ from the base.

    Raises:
        InputError: For an unknown adapter type, a missing or surplus tensor, shapes that do not fit, NaN or infinite
            values; the message names the tensor. No module is skipped.
    """
    check_run_files(tuned_dir)
    base, found = TensorStore(base_dir), find_tuned(tuned_dir)
    if found.model is not None:
        yield from _full_updates(base, TensorStore(found.model), only_changed=found.adapter is not None)
    elif found.adapter is not None:
        config = read_json(found.adapter / "adapter_config.json")
        yield from _family(config, found.adapter)(base, TensorStore(found.adapter, strip=ADAPTER_PREFIX), config)


def count_layers(base_dir: str | Path) -> int:
    """Number of decoder layers of a checkpoint, by the names of its weights.

    Raises:
        InputError: If it has no weight in a decoder layer.
    """
    matches = [match for name in TensorStore(base_dir).language_names if (match := LAYER_WEIGHT.match(name))]
    if not matches:
        raise InputError(base_dir, "has no weight in its decoder layers.", "Expected names like '*.layers.0.*.weight'.")
    return 1 + max(int(match["layer"]) for match in matches)


def iterate_tuned(base_dir: str | Path, run_dir: str | Path) -> Iterator[tuple[str, Tensor]]:
    """Name and float32 values of every stored tensor of the tuned model, one at a time: no more than one is held.

    Weights are merged in float64 and rounded once.
    """
    check_run_files(run_dir)
    model, merged = find_tuned(run_dir).model, set()
    for update in iterate_updates(base_dir, run_dir) if model is None else ():
        matrices = update.matrices()
        merged.add(name := f"{update.module}.weight")
        yield name, (matrices.base.double() + matrices.update).float()
    store = TensorStore(model or base_dir)
    yield from ((name, store.read(name).float()) for name in store.names if name not in merged)


def tuned_state_dict(base_dir: str | Path, run_dir: str | Path) -> dict[str, Tensor]:
    """Every tensor of the tuned model in float32, complete for ``load_state_dict(strict=True)``.

    Weights are merged in float64 and rounded once. A tied output head, which safetensors leaves out, is added.
    """
    tensors = dict(iterate_tuned(base_dir, run_dir))
    if read_json(Path(base_dir) / "config.json").get("tie_word_embeddings"):
        tensors.setdefault("lm_head.weight", tensors["model.embed_tokens.weight"])
    return tensors


def _family(config: dict[str, Any], adapter: Path) -> Callable[..., Iterator[ModuleUpdate]]:
    """The reader for an adapter's type, or an error that lists the known ones."""
    kind = str(config.get("peft_type"))
    readers = {"LORA": _lora_updates, "QUANTA": _quanta_updates}
    if kind not in readers:
        remedy = f"Known: {', '.join(readers)}; merge other adapters into a model folder."
        raise InputError(adapter / "adapter_config.json", f"peft_type '{kind}' is not supported.", remedy)
    given = [name for name in sorted(config) if kind == "LORA" and name not in READ_OF_LORA and config[name]]
    if given:
        problem = f"sets {', '.join(given)}, which would be ignored."
        raise InputError(adapter / "adapter_config.json", problem, "Merge the adapter into a model folder.")
    start = str(config.get("init_lora_weights"))
    if kind == "LORA" and start.startswith(MOVES_BASE):
        problem = f"init_lora_weights '{start}' subtracts the initial factors from the base, which are not stored here."
        raise InputError(adapter / "adapter_config.json", problem, "Convert it to LoRA (PEFT's save_pretrained can).")
    return readers[kind]


def _lora_updates(base: TensorStore, adapter: TensorStore, config: dict[str, Any]) -> Iterator[ModuleUpdate]:
    """LoRA ``s B A`` and DoRA ``m / ||W0 + s B A||_row (W0 + s B A) - W0``.

    SOURCE: Hu et al. 2021, equation 3 with ``s = alpha / r`` (``alpha / sqrt(r)`` for rsLoRA); Liu et al. 2024,
    equation 5, with one magnitude for every output row as in the authors' code and in PEFT.
    """
    modules = adapter.modules("lora_A.weight")
    _refuse_surplus(adapter, modules, LORA_TENSORS if config.get("use_dora") else LORA_TENSORS[:2])
    _refuse_missing_biases(base, adapter, modules, str(config.get("bias", "none")))
    for module in modules:
        down, up = adapter.read(f"{module}.lora_A.weight"), adapter.read(f"{module}.lora_B.weight")
        rows, cols, rank = up.shape[0], down.shape[1], down.shape[0]
        if up.shape[1] != rank:
            problem = f"tensor '{module}.lora_B.weight' has shape {tuple(up.shape)}, lora_A {tuple(down.shape)}."
            raise InputError(adapter.folder, problem, "Expected (rows, r) and (r, cols) with the same r.")
        scaling = config["lora_alpha"] / (rank**0.5 if config.get("use_rslora") else rank)
        factors = (up.double() * scaling, down.double())
        if config.get("use_dora"):
            magnitude = adapter.read(f"{module}.lora_magnitude_vector")
            update = _module(base, module, (rows, cols), min(rows, cols))
            change = partial(dora_update, factors=factors, magnitude=magnitude)
            yield replace(update, change=change, make_map=partial(_dora_map, factors=factors, magnitude=magnitude))
        else:
            yield replace(_module(base, module, (rows, cols), min(rank, rows, cols)), factors=factors)


def _refuse_missing_biases(base: TensorStore, adapter: TensorStore, modules: list[str], trained: str) -> None:
    """Refuse an adapter that trained biases of its base and does not hold them, as files of older PEFT do not.

    One that holds them never comes here: they are tensors that no formula uses.
    """
    biases = [name for name in base.names if name.endswith(".bias")] if trained != "none" else []
    if trained == "lora_only":
        biases = [name for name in biases if name.removesuffix(".bias") in modules]
    if biases:
        problem = f"bias is '{trained}' in adapter_config.json, but tensor '{biases[0]}' is missing."
        raise InputError(adapter.folder, problem, "Save the adapter again, or merge it into a model folder.")


def _refuse_surplus(adapter: TensorStore, modules: list[str], suffixes: Sequence[str]) -> None:
    """Every tensor of an adapter must be one that its formula uses."""
    surplus = sorted(set(adapter.names) - {f"{module}.{suffix}" for module in modules for suffix in suffixes})
    if surplus:
        problem = f"tensor '{surplus[0]}' would be ignored."
        raise InputError(adapter.folder, problem, "Merge the adapter into a model folder.")


def _dora_map(base: Tensor, factors: Factors, magnitude: Tensor) -> LinearMap:
    return dora_map(base.float(), *factors, magnitude)


def _quanta_updates(base: TensorStore, adapter: TensorStore, config: dict[str, Any]) -> Iterator[ModuleUpdate]:
    """QuanTA ``T(theta) - T(theta_0)``; see :mod:`rlvr.weights.quanta_gates`."""
    dims = tuple(config["dims"])
    modules = adapter.modules("quanta_theta")
    _refuse_surplus(adapter, modules, QUANTA_TENSORS)
    for module in modules:
        gates = tuple(adapter.read(f"{module}.{name}") for name in QUANTA_TENSORS)
        for name, vector in zip(QUANTA_TENSORS, gates, strict=True):
            if vector.shape != (parameter_count(dims),):
                problem = f"tensor '{module}.{name}' has shape {tuple(vector.shape)}, dims are {list(dims)}."
                raise InputError(adapter.folder, problem, f"Expected ({parameter_count(dims)},).")
        rows, cols = base.shape(f"{module}.weight")
        update = _module(base, module, (rows, cols), min(rows, cols, math.prod(dims)))
        change = partial(_quanta_update, gates=gates, dims=dims)
        yield replace(update, change=change, make_map=partial(_quanta_map, gates=gates, dims=dims))


def _quanta_update(base: Tensor, gates: Sequence[Tensor], dims: Sequence[int]) -> Tensor:
    trained, frozen = (split_gates(vector.double(), dims) for vector in gates)
    return update_matrix(trained, frozen, dims, base.shape[0], base.shape[1])


def _quanta_map(base: Tensor, gates: Sequence[Tensor], dims: Sequence[int]) -> LinearMap:
    trained, frozen = (split_gates(vector.float(), dims) for vector in gates)
    return quanta_map(trained, frozen, dims, base.shape[0], base.shape[1])


def _full_updates(base: TensorStore, tuned: TensorStore, only_changed: bool) -> Iterator[ModuleUpdate]:
    """Full fine-tuning: tuned minus base for every matrix of the decoder layers of either side."""
    for name in sorted({*base.language_names, *tuned.language_names}):
        match = LAYER_WEIGHT.match(name)
        if match is None or len(base.shape(name)) != 2:
            continue
        read_base, read_tuned = partial(base.read, name), partial(tuned.read, name)
        if only_changed:
            before, after = read_base(), read_tuned()
            if torch.equal(before.float(), after.float()):
                continue
            read_base, read_tuned = partial(_as_read, before), partial(_as_read, after)
        shape = tuned.shape(name)
        yield replace(_module(base, match["module"], shape, min(shape)), read_base=read_base, read_tuned=read_tuned)


def _as_read(tensor: Tensor) -> Tensor:
    """A tensor that has been read already."""
    return tensor


def _module(base: TensorStore, module: str, shape: tuple[int, ...], bound: int) -> ModuleUpdate:
    """A module without its update; its shape is checked against the base weight of the same name."""
    name = f"{module}.weight"
    if name == HEAD and base.is_tied:
        problem = f"an adapter of '{module}' has no place: the configuration ties '{name}' to the embedding."
        raise InputError(base.folder, problem, "Leave the module out, or give a base whose output head is its own.")
    if base.shape(name) != shape:
        problem = f"tensor '{name}' has shape {base.shape(name)}, its update {shape}."
        raise InputError(base.folder, problem, "Use the base that the run was trained on.")
    match = LAYER_WEIGHT.match(name)
    layer = int(match["layer"]) if match else -1
    projection = module.rpartition(".")[2]
    rows, cols = shape
    return ModuleUpdate(module, layer, projection, rows, cols, bound, partial(base.read, name))
