"""How much of DoRA's measured rank is the rounding of its start: PEFT's start on a bfloat16 base against an exact one.

One module is trained by Adam to move outputs of random inputs towards those of a weight with a change of rank 4 and 1 %
of its norm, once from PEFT's magnitudes (row norms in bfloat16) and once from those of `rlvr.adapters.magnitudes`, on
the same inputs in the same order, at several rates; also untrained. Shapes: a module of scale `tiny`, and `k_proj` of
an 8B model (1024 x 4096), both Gaussian with the standard deviation 0.02. ASSUME: 100 steps of 64 inputs, rank 16,
alpha 32; a regression stands for the reward, so that one module suffices, and the weights move by about the rate a step
as they do under any loss.

Written: effective rank and relative norm of the update from its factors in float64, and, as the floor that any
bfloat16 checkpoint has, both quantities after the tuned weight is rounded to bfloat16.
"""

import copy

import pandas as pd
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn

from rlvr.adapters.family import ADAPTER
from rlvr.adapters.magnitudes import set_magnitudes
from rlvr.core.io import write_json
from rlvr.spectra.dense import dense_singular_values
from rlvr.spectra.quantities import effective_rank
from rlvr.weights.matrices import dora_update

SHAPES = {"tiny, 64 x 64": (64, 64), "k_proj of 8B, 1024 x 4096": (1024, 4096)}  # outputs, inputs
RATES = (0.0, 1e-6, 1e-5, 1e-4, 1e-3)  # 0: untrained
STEPS, INPUTS, RANK, ALPHA = 100, 64, 16, 32
SPREAD = 0.02  # standard deviation of the weights


def adapted(shape: tuple[int, int], exact: bool) -> PeftModel:
    """One bfloat16 module under DoRA, its magnitudes exact or as PEFT sets them."""
    torch.manual_seed(0)
    rows, cols = shape
    layer = nn.Linear(cols, rows, bias=False, dtype=torch.bfloat16)
    layer.weight.data = (SPREAD * torch.randn(rows, cols)).to(torch.bfloat16)
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, use_dora=True, target_modules=["0"])
    model = get_peft_model(nn.Sequential(layer), config)
    if exact:
        set_magnitudes(model)
    return model


def train(model: PeftModel, rate: float) -> None:
    """Adam on the outputs of a weight that differs by a change of rank 4."""
    generator, layer = torch.Generator().manual_seed(1), dora_layer(model)
    weight = layer.get_base_layer().weight.detach().float()
    rows, cols = weight.shape
    change = torch.randn(rows, 4, generator=generator) @ torch.randn(4, cols, generator=generator)
    target = weight + 0.01 * change * weight.norm() / change.norm()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=rate)
    for _ in range(STEPS if rate else 0):
        x = torch.randn(INPUTS, cols, generator=generator)
        loss = (model(x.to(torch.bfloat16)).float() - x @ target.T).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def dora_layer(model: PeftModel) -> nn.Module:
    """The one adapted layer."""
    return model.get_base_model()[0]


def update_of(model: PeftModel) -> tuple[Tensor, Tensor]:
    """The base weight, and DoRA's update of it in float64."""
    layer = dora_layer(model)
    up, down = (getattr(layer, name)[ADAPTER].weight.detach().double() for name in ("lora_B", "lora_A"))
    weight = layer.get_base_layer().weight.detach()
    magnitude = layer.lora_magnitude_vector[ADAPTER].weight.detach()
    return weight, dora_update(weight, (up * layer.scaling[ADAPTER], down), magnitude)


def describe(weight: Tensor, update: Tensor) -> tuple[float, float]:
    """Effective rank, and norm relative to the weight; rank 0 for an update of rounding in float32 alone."""
    relative = float(update.norm() / weight.double().norm())
    return (effective_rank(dense_singular_values(update)) if relative > 1e-6 else 0.0), relative


def measure(shape: tuple[int, int], rate: float) -> dict[str, float]:
    """Both starts at one rate."""
    found = {}
    start = {exact: adapted(shape, exact) for exact in (False, True)}
    for exact, model in start.items():
        trained = copy.deepcopy(model)
        train(trained, rate)
        weight, update = update_of(trained)
        rank, norm = describe(weight, update)
        found |= {f"{'exact' if exact else 'peft'}_rank": rank, f"{'exact' if exact else 'peft'}_norm": norm}
        if exact:
            stored = (weight.double() + update).to(torch.bfloat16).double() - weight.double()
            found["stored_rank"], found["stored_norm"] = describe(weight, stored)
    return found


if __name__ == "__main__":
    rows = [{"shape": name, "rate": rate, **measure(SHAPES[name], rate)} for name in SHAPES for rate in RATES]
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".3g"), flush=True)
    write_json(rows, "results/benchmarks/dora_start.json")
