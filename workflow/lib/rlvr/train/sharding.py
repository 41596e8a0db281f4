"""A run whose weights are divided among its processes (FSDP2), and its processes as such.

``envs/accelerate/fsdp2.yaml`` starts one. Every process holds a part of each parameter (a ``DTensor``); a layer is
gathered for the time in which it computes. What needs whole tensors therefore asks all processes at once.
"""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy
from torch.distributed.tensor import DTensor

from rlvr.core.seeds import derive_seed
from rlvr.plan.settings import TrainSettings

TRUE = ("true", "1", "yes")


def is_sharded() -> bool:
    """Whether this run was started with its weights divided among its processes."""
    return os.environ.get("ACCELERATE_USE_FSDP", "false").lower() in TRUE


def is_main_process() -> bool:
    """Whether this process is the one of its run that writes."""
    return os.environ.get("RANK", "0") == "0"


def process_seed(seed: int) -> int:
    """Seed of this process's generators: that of the run for the first one, streams of their own for the others.

    Not seed + rank, which would give the runs of neighbouring seeds all but one of their streams in common.
    """
    rank = int(os.environ.get("RANK", "0"))
    return derive_seed(seed, "process", rank) if rank else seed


def is_on_cpu(settings: TrainSettings) -> bool:
    """Whether processors compute this run: one without GPUs, or processes that accelerate was told to keep there."""
    return not settings.devices or os.environ.get("ACCELERATE_USE_CPU", "false").lower() in TRUE


def device(settings: TrainSettings) -> str:
    """Where this process puts the base: its own device, or the host's memory where weights are divided afterwards."""
    return "cpu" if is_on_cpu(settings) or is_sharded() else f"cuda:{os.environ.get('LOCAL_RANK', '0')}"


def computes_in_bf16(settings: TrainSettings, of_base: bool) -> bool:
    """Whether accelerate is told of mixed precision.

    Divided weights of the base that are trained as they are stored compute in that type anyway; told of it, accelerate
    would make them float32, which is what ``trained_dtype: stored`` is there to spare.
    """
    kept = is_sharded() and of_base and settings.trained_dtype == "stored" and settings.base_dtype == "bfloat16"
    return settings.mixed_precision == "bf16" and not kept


def set_precision(accelerator: Any) -> None:
    """Reduce gradients of divided weights in float32; accelerate would take the type of the computation.

    Args:
        accelerator: Before it divides the model.
    """
    if is_sharded() and accelerator.mixed_precision == "bf16":
        accelerator.state.fsdp_plugin.mixed_precision_policy = MixedPrecisionPolicy(
            param_dtype=torch.bfloat16, reduce_dtype=torch.float32
        )


def reshard(model: nn.Module) -> None:
    """Give up every gathered weight: afterwards a module's parameters are the divided ones, and are gathered anew.

    The last modules of a model stay gathered behind a forward pass, so that a change of the divided weights would
    otherwise not reach them.
    """
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


def own_part(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor, sharing its memory; all of one that is not divided."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def summed(values: list[float], where: torch.device) -> list[float]:
    """Sums over all processes of numbers that each has for its own part.

    Args:
        values: As many on every process.
        where: A device that the processes' communication reaches.
    """
    total = torch.tensor(values, dtype=torch.float64, device=where)
    torch.distributed.all_reduce(total)
    return cast("list[float]", total.tolist())


@contextmanager
def untouched_randomness() -> Iterator[None]:
    """Within, the global generators may be seeded; afterwards they go on from where they were."""
    plain, arrays = random.getstate(), np.random.get_state()  # noqa: NPY002 (what libraries draw from)
    with torch.random.fork_rng():
        yield
    random.setstate(plain)
    np.random.set_state(arrays)  # noqa: NPY002


def whole_state(model: nn.Module) -> dict[str, Tensor]:
    """All tensors of a divided model in the host's memory of the main process, nothing on the others.

    Every process has to call this.
    """
    reshard(model)
    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    return cast("dict[str, Tensor]", get_model_state_dict(model, options=options))


def fill_whole(model: nn.Module, state: dict[str, Tensor]) -> None:
    """Write what ``whole_state`` gathered into a model that was made as the divided one was.

    Raises:
        RuntimeError: If a parameter of the model is not among the tensors, or a tensor has no place in it.
    """
    missing, unexpected = model.load_state_dict(state, strict=False)
    known = {id(value) for name, value in model.state_dict(keep_vars=True).items() if name in state}
    absent = [name for name in missing if id(model.state_dict(keep_vars=True)[name]) not in known]  # not: tied ones
    if absent or unexpected:
        raise RuntimeError(f"gathered weights do not fit the model: missing {absent}, unexpected {list(unexpected)}")
