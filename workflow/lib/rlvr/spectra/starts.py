"""How much of DoRA's measured rank is the rounding of its start: PEFT's start on a bfloat16 base against an exact one.

PEFT sets DoRA's magnitudes to row norms that it computes in the type of the base, so that on a bfloat16 base the
untrained module is an update already, small and of nearly full rank. One module is trained by Adam to move outputs of
random inputs towards those of a weight with a change of rank 4 and 1 % of its norm: once from PEFT's magnitudes, once
from those of :mod:`rlvr.adapters.magnitudes`, on the same inputs in the same order, over learning rates. As the floor
that any bfloat16 checkpoint has, the update from the exact start is also measured after its weight was rounded.

ASSUME: Gaussian weights of standard deviation 0.02, rank 16, alpha 32, 100 steps of 64 inputs. A regression stands for
the reward, so that one module suffices; under Adam weights move by about the rate a step whatever the loss.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pandas as pd
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn

from rlvr.adapters.family import ADAPTER
from rlvr.adapters.magnitudes import set_magnitudes
from rlvr.core.io import write_table
from rlvr.plan.starts import RATES, parse_shape
from rlvr.spectra.dense import dense_singular_values
from rlvr.spectra.quantities import effective_rank
from rlvr.tables import STARTS
from rlvr.weights.matrices import dora_update

STEPS, INPUTS, RANK, ALPHA = 100, 64, 16, 32
SPREAD = 0.02  # standard deviation of the weights
TARGET_RANK, TARGET_NORM = 4, 0.01  # of the change that is learned, its norm relative to the weight's
FLOAT32_ROUNDING = 1e-6  # relative norm of an update below which it is rounding in float32


def measure_starts(shape: str, out: str | Path) -> None:
    """Measure both starts for one shape of weight at every rate and write ``tables.STARTS``.

    Args:
        shape: Such as ``1024x4096``, outputs first.
        out: Parquet file.
    """
    rows = [row for rate in RATES for row in measure_rate(parse_shape(shape), rate)]
    write_table(pd.DataFrame(rows).assign(shape=shape), Path(out), STARTS)


def measure_rate(shape: tuple[int, int], rate: float) -> Iterator[dict[str, Any]]:
    """Both starts at one rate, and the exact one as bfloat16 stores it: start, rate, effective rank, relative norm."""
    for start, exact in (("rounded", False), ("exact", True)):
        model = adapted_module(shape, exact)
        if rate:
            train_module(model, rate)
        weight, update = update_of(model)
        yield {"start": start, "rate": rate, **describe(weight, update)}
        if exact:
            stored = (weight.double() + update).to(torch.bfloat16).double() - weight.double()
            yield {"start": "stored", "rate": rate, **describe(weight, stored)}


def adapted_module(shape: tuple[int, int], exact: bool) -> PeftModel:
    """One bfloat16 module under DoRA, its magnitudes exact or as PEFT sets them, weight and factors the same."""
    rows, columns = shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = nn.Linear(columns, rows, bias=False, dtype=torch.bfloat16)
        layer.weight.data = (SPREAD * torch.randn(rows, columns)).to(torch.bfloat16)
        config = LoraConfig(r=RANK, lora_alpha=ALPHA, use_dora=True, target_modules=["0"])
        model = cast("PeftModel", get_peft_model(nn.Sequential(layer), config))
    if exact:
        set_magnitudes(model)
    return model


def train_module(model: PeftModel, rate: float) -> None:
    """Adam on the mean squared error to the outputs of the changed weight."""
    generator = torch.Generator().manual_seed(1)
    weight = _layer(model).get_base_layer().weight.detach().float()
    rows, columns = weight.shape
    draw = (torch.randn(size, generator=generator) for size in ((rows, TARGET_RANK), (TARGET_RANK, columns)))
    change = next(draw) @ next(draw)
    target = weight + TARGET_NORM * change * weight.norm() / change.norm()
    optimizer = torch.optim.Adam([each for each in model.parameters() if each.requires_grad], lr=rate)
    for _ in range(STEPS):
        inputs = torch.randn(INPUTS, columns, generator=generator)
        loss = (model(inputs.to(torch.bfloat16)).float() - inputs @ target.T).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def update_of(model: PeftModel) -> tuple[Tensor, Tensor]:
    """The base weight, and DoRA's update of it in float64, both (rows, columns)."""
    layer = _layer(model)
    up, down = (getattr(layer, name)[ADAPTER].weight.detach().double() for name in ("lora_B", "lora_A"))
    weight = layer.get_base_layer().weight.detach()
    magnitude = layer.lora_magnitude_vector[ADAPTER].weight.detach()
    return weight, dora_update(weight, (up * layer.scaling[ADAPTER], down), magnitude)


def describe(weight: Tensor, update: Tensor) -> dict[str, float]:
    """Effective rank, 0 for an update that is rounding in float32 alone, and norm relative to the weight's."""
    relative = float(update.norm() / weight.double().norm())
    rank = effective_rank(dense_singular_values(update)) if relative > FLOAT32_ROUNDING else 0.0
    return {"effective_rank": rank, "relative_norm": relative}


def _layer(model: PeftModel) -> Any:
    return cast("Any", model.get_base_model())[0]
