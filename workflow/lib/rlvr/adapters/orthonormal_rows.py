"""Orthonormal rows for the factor A of LoRA: singular vectors, cosines and wavelets.

SOURCE: "Geometry-Preserving Orthonormal Initialization for Low-Rank Adaptation in RLVR", section 5.2 and the ablation
of section 6.
"""

import math
from pathlib import Path

import torch
from peft import PeftModel
from torch import Tensor

from rlvr.adapters.family import ADAPTER
from rlvr.adapters.low_rank import exported_config, lora_layers, write_plain_lora
from rlvr.core.errors import InputError
from rlvr.weights.decompositions import find_triples
from rlvr.weights.tensors import TensorStore


def set_rows(model: PeftModel, kind: str, stored: TensorStore | None) -> None:
    """Put orthonormal rows into the factor A of every adapted module.

    Args:
        model: With plain LoRA.
        kind: ``leading`` or ``trailing`` right singular vectors, ``cosine`` or ``wavelet``, drawn from torch's global
            generator.
        stored: The base's singular triples; without them they are computed here.

    Raises:
        InputError: If a size does not fit, or the triples are of another base.
    """
    for name, layer in lora_layers(model):
        down, weight = layer.lora_A[ADAPTER].weight, layer.get_base_layer().weight
        if weight.is_meta:
            continue
        rank, size = down.shape
        if kind == "cosine":
            rows = cosine_rows(rank, size)
        elif kind == "wavelet":
            check_even(name, weight)
            rows = wavelet_rows(torch.randn(rank, size, dtype=torch.float64))
        else:
            rows = find_triples(name, weight, rank, kind, stored).right
        down.data.copy_(rows)


def cosine_rows(rank: int, size: int) -> Tensor:
    """The first rows of the orthonormal DCT-II matrix, (rank, size), float64.

    SOURCE: section 6: D_ij = a_i cos(pi (2 j + 1) i / (2 n)) with a_0 = sqrt(1 / n), otherwise sqrt(2 / n).
    """
    frequency, position = torch.arange(rank)[:, None], torch.arange(size)[None, :]
    # the cosine has period 4 n in the integer product: reduced exactly, large angles lose no digits
    angle = (frequency * (2 * position + 1)) % (4 * size)
    rows = torch.cos(angle.double() * (math.pi / (2 * size))) * math.sqrt(2 / size)
    rows[0] /= math.sqrt(2)
    return rows


def check_even(module: str, weight: Tensor) -> None:
    """Refuse an odd number of inputs, of which the Haar transform has no level.

    Raises:
        InputError: Names the module and its shape.
    """
    rows, cols = weight.shape
    if cols % 2:
        problem = f"its weight of {rows} x {cols} has no Haar transform."
        raise InputError(f"module '{module}'", problem, "Choose modules with an even number of inputs.")


def wavelet_rows(gaussian: Tensor) -> Tensor:
    """Q^T of the QR factors of the transposed Haar transform of Gaussian rows, (rank, size).

    SOURCE: section 6, Wavelet-LoRA.
    """
    return torch.linalg.qr(haar_transform(gaussian).T).Q.T


def haar_transform(rows: Tensor) -> Tensor:
    """The orthonormal Haar transform of every row: averages first, then details from coarse to fine.

    ASSUME: as many levels as the length halves evenly (12288 = 3 x 4096 has twelve); the paper does not say.
    """
    averages, details = rows, []
    while averages.shape[-1] % 2 == 0:
        even, odd = averages[..., 0::2], averages[..., 1::2]
        averages, detail = (even + odd) / math.sqrt(2), (even - odd) / math.sqrt(2)
        details.append(detail)
    return torch.cat([averages, *reversed(details)], dim=-1)


def save_as_plain_lora(model: PeftModel, folder: Path) -> None:
    """Write the finished adapter as plain LoRA."""
    factors = {}
    for name, layer in lora_layers(model):
        factors[f"{name}.lora_A"] = layer.lora_A[ADAPTER].weight
        factors[f"{name}.lora_B"] = layer.lora_B[ADAPTER].weight
    write_plain_lora(factors, exported_config(model), folder)
