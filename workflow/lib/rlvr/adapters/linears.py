"""Target sets on a loaded model."""

from collections.abc import Iterator, Sequence

from torch import nn
from transformers import PreTrainedModel

from rlvr.core.errors import InputError
from rlvr.plan.targets import resolve_targets


def target_names(base: PreTrainedModel, target_set: str) -> list[str]:
    """Projections of ``base`` that a target set adapts, as suffixes for PEFT."""
    return resolve_targets(target_set, base.config.model_type, [name for name, _ in linear_modules(base)])


def target_shapes(base: PreTrainedModel, targets: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Shape (rows, cols) of the weight of every linear module whose last name is among ``targets``."""
    return {
        name: (module.out_features, module.in_features)
        for name, module in linear_modules(base)
        if name.rpartition(".")[2] in targets
    }


def linear_modules(base: PreTrainedModel) -> Iterator[tuple[str, nn.Linear]]:
    """Linear modules by name; one that PEFT has wrapped by the name that it has in the bare base."""
    for name, module in base.named_modules():
        if isinstance(module, nn.Linear):
            yield name.removesuffix(".base_layer"), module


def check_rank(base: PreTrainedModel, targets: Sequence[str], rank: int) -> None:
    """Refuse a rank above that of a target's weight, which would only add parameters.

    Raises:
        InputError: Names the first such module and its shape.
    """
    for name, (rows, cols) in target_shapes(base, targets).items():
        if rank > min(rows, cols):
            problem = f"rank {rank} is above the rank of its weight of {rows} x {cols}."
            raise InputError(f"module '{name}'", problem, f"Choose a rank of at most {min(rows, cols)}.")
