"""Whether the function that is sampled is the function that was trained: rounding of weights between the two.

Weights of a base lie on the grid of bfloat16, so that an update below half a step of that grid is rounded to exactly
nothing when a tuned weight is cast to it: the base would be measured under the name of the run.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rlvr.core.errors import InputError
from rlvr.weights.tensors import TensorStore


def load_tuned(model: nn.Module, tensors: Mapping[str, Tensor], base_dir: str | Path) -> None:
    """Put tuned weights into a loaded base, without rounding what training moved.

    Weights that training left alone, or that the type of the evaluation holds exactly, stay in that type. A module with
    any other weight keeps all of its weights in float32 and computes in float32; its inputs are widened and its outputs
    narrowed, so that everything around it runs as in the base. Nothing is widened in an evaluation in float32.

    Args:
        model: The base, its weights in the type of the evaluation.
        tensors: Every tensor of the tuned model in float32, as ``weights.updates.tuned_state_dict`` returns them.
        base_dir: Folder of the base.
    """
    store = TensorStore(base_dir)
    widened: dict[nn.Parameter, nn.Parameter] = {}  # a tied output head stays the embedding
    for module_name, module in model.named_modules():
        parameters = dict(module.named_parameters(recurse=False))
        narrow = {name: weight for name, weight in parameters.items() if weight.dtype != torch.float32}
        prefix = f"{module_name}." if module_name else ""
        if any(_is_lost(f"{prefix}{name}", tensors, store, weight.dtype) for name, weight in narrow.items()):
            _widen(module, next(iter(narrow.values())).dtype, widened)
    model.load_state_dict(tensors, strict=True)


def _is_lost(name: str, tensors: Mapping[str, Tensor], store: TensorStore, dtype: torch.dtype) -> bool:
    """Whether a type would round what training made of a tensor."""
    tensor = tensors[name]
    return not torch.equal(tensor.to(dtype).float(), tensor) and not torch.equal(store.read(name).float(), tensor)


def _widen(module: nn.Module, outside: torch.dtype, widened: dict[nn.Parameter, nn.Parameter]) -> None:
    """Keep a module's weights in float32 and let it compute so, between inputs and outputs of another type."""
    for name, weight in list(module.named_parameters(recurse=False)):
        if weight not in widened:
            widened[weight] = nn.Parameter(weight.data.float(), requires_grad=False)
        setattr(module, name, widened[weight])
    module.register_forward_pre_hook(
        lambda _, inputs, named: (_cast(inputs, torch.float32), _cast(named, torch.float32)), with_kwargs=True
    )
    module.register_forward_hook(lambda _module, _inputs, output: _cast(output, outside))


def _cast(value: Any, dtype: torch.dtype) -> Any:
    """Floating tensors in another type, those in tuples and dictionaries, too."""
    if isinstance(value, Tensor):
        return value.to(dtype) if value.is_floating_point() else value
    if type(value) is tuple:
        return tuple(_cast(entry, dtype) for entry in value)
    return {name: _cast(entry, dtype) for name, entry in value.items()} if type(value) is dict else value


def lost_share(base_dir: str | Path, tensors: Mapping[str, Tensor], dtype: str) -> float:
    """Share of an update that is lost when base and tuned weights are rounded to a type.

    ``||(r(W) - r(W_0)) - (W - W_0)|| / ||W - W_0||`` over all tensors, ``r`` being the rounding: 0 where the update is
    sampled as it was trained, 1 where the base is sampled in its place. It exceeds 1 where rounding adds more than
    training did, which takes a base that is itself stored wider.

    Args:
        base_dir: Base model in Hugging Face layout.
        tensors: Every tensor of the tuned model in float32.
        dtype: Name of the type that the weights are used in.

    Returns:
        The share; 0.0 for an update of nothing.
    """
    store, loss = TensorStore(base_dir), Loss(dtype)
    for name in store.names:
        loss.add(store.read(name), tensors[name])
    return loss.share


class Loss:
    """What of an update is lost as weights are rounded to a type, taken in tensor by tensor; see ``lost_share``."""

    def __init__(self, dtype: str) -> None:
        self._kind, self._lost, self._moved = getattr(torch, dtype), 0.0, 0.0  # squared norms

    def add(self, original: Tensor, tuned: Tensor) -> None:
        """Take in a tensor of the base, and that of the tuned model in float32."""
        change = tuned.double() - original.double()
        norm = float(change.square().sum())
        if norm:
            used = tuned.to(self._kind).double() - original.to(self._kind).double()
            self._lost, self._moved = self._lost + float((used - change).square().sum()), self._moved + norm

    @property
    def share(self) -> float:
        """Norm of what is lost over that of the update; 0 for an update of nothing."""
        return float((self._lost / self._moved) ** 0.5) if self._moved else 0.0


def check_lost(share: float, bound: float, run: object) -> None:
    """Refuse to sample a run of which too little would be left.

    Raises:
        InputError: Names the run, the share and the bound.
    """
    if share > bound:
        problem = f"rounding the sampled weights would remove {share:.2f} of its update; the bound is {bound:g}."
        remedy = (
            "Set evaluate.dtype to float32 in the scale file, sample with engine=transformers, which keeps trained "
            "weights in float32, or raise max_lost_share."
        )
        raise InputError(f"run '{run}'", problem, remedy)
