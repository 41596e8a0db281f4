"""``run.json``: what a run was, and the checks that it was what it says.

A run whose base changed, whose adapter did not, or whose method was not the one asked for gets no manifest.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel, get_peft_model_state_dict
from torch import Tensor, nn
from transformers import PreTrainedModel

from rlvr.adapters.family import ADAPTER
from rlvr.adapters.masking import trained_masks
from rlvr.adapters.merging import base_name, base_tensors
from rlvr.adapters.methods import find_method
from rlvr.core.provenance import package_versions, repository_state
from rlvr.plan.settings import IN_PLACE, TrainSettings
from rlvr.train.sharding import is_on_cpu
from rlvr.weights.peak_memory import peak_memory_gib
from rlvr.weights.tensors import TensorStore


class InvalidRun(RuntimeError):
    """A run that is not what its settings say; it must not be counted, and another attempt would be no better."""

    lasting = True


@dataclass(frozen=True)
class Fingerprint:
    """Hashes of a model's weights at one moment.

    Attributes:
        base: Of every tensor that is not the adapter's; where masks choose what is trained, of all other entries.
        adapter: Of every tensor of the adapter, frozen ones too, or of the entries that masks choose; ``None`` where
            everything is trained.
    """

    base: str
    adapter: str | None


def fingerprint(model: nn.Module) -> Fingerprint:
    """Hashes of a model, the names of the base's tensors being those of the bare base."""
    if not isinstance(model, PeftModel):
        masks, tensors = trained_masks(model), model.state_dict()
        base = hash_tensors(tensors.items(), lambda name, t: t.masked_fill(masks[name], 0.0) if name in masks else t)
        chosen = ((name, tensors[name]) for name in masks)
        return Fingerprint(base, hash_tensors(chosen, lambda name, t: t[masks[name]]) if masks else None)
    return Fingerprint(hash_tensors(base_tensors(model).items()), hash_tensors(adapter_tensors(model).items()))


def adapter_tensors(model: PeftModel) -> dict[str, Tensor]:
    """Tensors of ``adapter_model.safetensors``."""
    return get_peft_model_state_dict(model, save_embedding_layers=False)


def hash_tensors(
    tensors: Iterable[tuple[str, Tensor]], view: Callable[[str, Tensor], Tensor] = lambda _, tensor: tensor
) -> str:
    """SHA-256 over names, types, shapes and bytes of what ``view`` makes of each tensor, in the order of the names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors):
        values = view(name, tensor).detach().cpu().contiguous()
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
        digest.update(values.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def trainable_table(model: nn.Module) -> list[dict[str, Any]]:
    """Trainable parameters of every module that has any: ``module`` (name in the bare base) and ``parameters``."""
    masks = trained_masks(model)
    prefix = f".{model.base_model.prefix}" if isinstance(model, PeftModel) else None
    counts: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            whole = base_name(name)
            module = whole.partition(prefix)[0] if prefix and prefix in whole else whole.rpartition(".")[0]
            size = int(masks[name].sum()) if name in masks else parameter.numel()
            counts[module] = counts.get(module, 0) + size
    return [{"module": module, "parameters": count} for module, count in counts.items()]


def moved_share(model: nn.Module, base: Path, base_dtype: str) -> float | None:
    """Share of the trained weights of a base that are no longer those of its files; ``None`` for an adapter.

    Weights kept in bfloat16 move only where a step exceeds half the distance to the next number.

    Args:
        model: After training.
        base: Its folder, Hugging Face layout.
        base_dtype: Type in which it was loaded.
    """
    if isinstance(model, PeftModel):
        return None
    store, masks, loaded = TensorStore(base), trained_masks(model), getattr(torch, base_dtype)
    moved = trained = 0
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            changed = parameter.detach().cpu() != store.read(name).to(loaded).to(parameter.dtype)
            chosen = masks[name].cpu() if name in masks else torch.ones_like(changed)
            moved, trained = moved + int((changed & chosen).sum()), trained + int(chosen.sum())
    return moved / trained


def check_method(model: nn.Module, settings: TrainSettings) -> None:
    """Check that the model carries the method that the settings ask for, on the modules that they name.

    Raises:
        InvalidRun: Says what was asked for and what was found.
    """
    method = find_method(settings.run_id, settings.method)
    tuner = type(model.base_model).__name__ if isinstance(model, PeftModel) else None
    _expect(settings, "tuner", method.tuner, tuner)
    if not isinstance(model, PeftModel):
        check_bare(cast("PreTrainedModel", model), settings)
        return
    config = model.peft_config[ADAPTER]
    asked = dict(method.marks) | {field: getattr(settings, name) for name, field in method.fields.items()}
    for field, value in asked.items():
        _expect(settings, field, _plain(value), _plain(getattr(config, field)))
    base = cast("PreTrainedModel", model.get_base_model())
    counts = {row["module"]: row["parameters"] for row in trainable_table(model)}
    expected, adapted = method.trained_names(base, settings), {name.rpartition(".")[2] for name in counts}
    _expect(settings, "trained projections", None if expected is None else sorted(expected), sorted(adapted))
    adapter = {name: value for name, value in model.named_parameters() if str(model.base_model.prefix) in name}
    frozen = [name for name in adapter if any(part in name for part in method.frozen)]
    _expect(settings, "frozen parameters of the adapter", frozen, [n for n in adapter if not adapter[n].requires_grad])
    check_counts(base, counts, settings)


def check_bare(model: PreTrainedModel, settings: TrainSettings) -> None:
    """Check a model without an adapter: everything is trained, or what masks choose in the modules of the target set.

    Raises:
        InvalidRun: Says what was asked for and what was found.
    """
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    frozen = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    names = find_method(settings.run_id, settings.method).trained_names(model, settings)
    if names is None:
        _expect(settings, "frozen parameters", [], frozen)
        return
    _expect(settings, "masked parameters", sorted(trained), sorted(trained_masks(model)))
    masked = {name.removesuffix(".weight").rpartition(".")[2] for name in trained}
    _expect(settings, "trained projections", sorted(names), sorted(masked))
    if not any(mask.is_meta for mask in trained_masks(model).values()):
        check_counts(model, {row["module"]: row["parameters"] for row in trainable_table(model)}, settings)


def check_counts(base: PreTrainedModel, found: Mapping[str, int], settings: TrainSettings) -> None:
    """Check that every module trains as many parameters as the method's closed form says, where it has one.

    Raises:
        InvalidRun: Names the module and both numbers.
    """
    for name, count in find_method(settings.run_id, settings.method).trained_parameters(base, settings).items():
        if count is not None:
            _expect(settings, f"trainable parameters of {name}", count, found.get(name))


def check_change(before: Fingerprint, after: Fingerprint, settings: TrainSettings) -> None:
    """Check that training changed the adapter (or the chosen entries) and nothing else, or the base where that is all.

    A base into which the adapter is merged in place moves, too.

    Raises:
        InvalidRun: Says which of the two it was.
    """
    if before.adapter is None:
        if before.base == after.base:
            raise InvalidRun(f"{settings.run_id}: training left every weight of the base as it was.")
        return
    if before.base != after.base and settings.rollout_weights != IN_PLACE:
        raise InvalidRun(f"{settings.run_id}: training changed the base ({before.base} -> {after.base}).")
    if before.adapter == after.adapter:
        raise InvalidRun(f"{settings.run_id}: training left the adapter as it was ({after.adapter}).")


def check_steps(done: int, planned: int, settings: TrainSettings) -> None:
    """Check that the run took the steps that its settings and problems make.

    Raises:
        InvalidRun: Gives both numbers.
    """
    _expect(settings, "optimizer steps", planned, done)


def check_finite(model: nn.Module, settings: TrainSettings) -> None:
    """Check that the trained weights are numbers.

    Raises:
        InvalidRun: Names the first parameter that is not.
    """
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and not torch.isfinite(parameter).all():
            raise InvalidRun(f"{settings.run_id}: {name} is not finite: the run diverged. Lower its learning rate.")


def manifest(
    model: nn.Module, settings: TrainSettings, before: Fingerprint, after: Fingerprint, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of ``run.json``.

    Args:
        model: After training.
        settings: What was asked for.
        before: Weights before the first step, the adapter as initialised.
        after: Weights after the last step.
        facts: What only the process knows: seconds, steps, inputs, processes.

    Raises:
        InvalidRun: If the run was not what it says; see the checks above.
    """
    check_method(model, settings)
    check_change(before, after, settings)
    check_finite(model, settings)
    table = trainable_table(model)
    peft_config = model.peft_config[ADAPTER].to_dict() if isinstance(model, PeftModel) else None
    return {
        "run_id": settings.run_id,
        "status": "finished",
        "settings": settings.to_json(),
        "tuner": None if peft_config is None else type(model.base_model).__name__,
        "peft_config": _plain(peft_config),
        "trainable_parameters": sum(row["parameters"] for row in table),
        "trainable_modules": table,
        "sha256": {
            "base_before": before.base,
            "base_after": after.base,
            "adapter_before": before.adapter,
            "adapter_after": after.adapter,
        },
        "versions": package_versions(),
        "repository": repository_state(),
        "prompts_per_step": settings.prompts_per_step,
        "completions_per_step": settings.completions_per_step,
        "device": "cpu" if is_on_cpu(settings) else torch.cuda.get_device_name(),
        "peak_memory_gib": peak_memory_gib(),
        **facts,
    }


def _plain(value: Any) -> Any:
    """A value as JSON has it: sets sorted, tuples and enumerations as lists and strings."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(_plain, value))
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Enum):
        return value.value
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _expect(settings: TrainSettings, what: str, asked: Any, found: Any) -> None:
    if asked != found:
        raise InvalidRun(f"{settings.run_id}: asked for {settings.method} with {what} {asked}, found {found}.")
