"""The inequalities of "Geometry-Preserving Orthonormal Initialization", one gradient step at the real layers of a base.

A base answers problems; what it said and how that was graded give advantages, these a policy gradient ``G_0`` of every
linear layer, and one step of plain gradient descent on the factors from each start gives an update ``dW_1``. Three
statements are held against it: theorem 4.1 (PiSSA's update is at least sigma_r times OLoRA's), theorem 5.2 (the factor
``||I - A_0^T A_0||_2`` is at least 1, and 1 for orthonormal rows) and proposition 5.3 (with orthonormal rows and
``B_0 = 0`` the update is no larger than that of full fine-tuning).

DEVIATION: theorem 4.1 is stated to leading order in the step; the step is made small instead (``STEP``).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from rlvr.adapters.orthonormal_rows import cosine_rows
from rlvr.spectra.directions import decompose, initial_norms, tail_mean
from rlvr.weights.decompositions import Triples

STEP = 1e-6  # size of the step of full fine-tuning, relative to the norm of the weight
ORTHONORMAL = ("rlpo", "rlmo", "dct")


class Start(NamedTuple):
    """Factors that a method starts from: ``B_0`` (rows, r) and ``A_0`` (r, cols)."""

    up: Tensor
    down: Tensor


@dataclass(frozen=True)
class Layer:
    """A weight (rows, cols) with the gradient of the objective there, both float64."""

    weight: Tensor
    gradient: Tensor


def first_step_quantities(layer: Layer, rank: int, generator: torch.Generator) -> dict[str, float]:
    """Everything that is measured of one layer.

    Args:
        layer: Its weight and gradient; neither is zero.
        rank: Of the factors, at most the smaller side.
        generator: Draws the random starts.

    Returns:
        ``first_step_ratio`` (norm of PiSSA's first update over OLoRA's), ``first_step_bound`` (sigma_r),
        ``first_step_excess`` (ratio over bound), ``gap_<start>`` (``||I - A_0^T A_0||_2``), ``step_share_<start>``
        (norm of the first update over that of full fine-tuning), ``start_norm_milora``, ``start_norm_pissa``,
        ``base_tail_mean``.
    """
    triples = decompose(layer.weight)
    rate = STEP * float(layer.weight.norm()) / float(layer.gradient.norm())
    full = rate * float(layer.gradient.norm())
    norms = {
        name: float(one_step(layer.gradient, start, rate).norm()) for name, start in residual_starts(triples, rank)
    }
    bound = float(triples.values[rank - 1])
    found = {
        "first_step_ratio": norms["pissa"] / norms["olora"],
        "first_step_bound": bound,
        "first_step_excess": norms["pissa"] / norms["olora"] / bound,
        "base_tail_mean": tail_mean(triples.values),
    }
    for name, down in zero_starts(triples, rank, generator):
        start = Start(layer.weight.new_zeros(len(layer.weight), rank), down)
        found[f"gap_{name}"] = gap(down)
        found[f"step_share_{name}"] = float(one_step(layer.gradient, start, rate).norm()) / full
    size = initial_norms(triples.values, rank)
    return found | {f"start_norm_{name}": size[name] for name in ("milora", "pissa")}


def one_step(gradient: Tensor, start: Start, rate: float) -> Tensor:
    """``B_1 A_1 - B_0 A_0`` after one step of gradient descent on both factors.

    SOURCE: lemma A.1 and equation 26: ``B_1 = B_0 - rate G A_0^T``, ``A_1 = A_0 - rate B_0^T G``. The difference is
    formed term by term, so that a small step keeps its digits.

    Args:
        gradient: G (rows, cols) at ``W_0``, which every start leaves as it is.
        start: Factors.
        rate: Of gradient descent.
    """
    up, down = -rate * gradient @ start.down.T, -rate * start.up.T @ gradient
    return up @ start.down + start.up @ down + up @ down


def residual_starts(triples: Triples, rank: int) -> Iterator[tuple[str, Start]]:
    """Starts of PiSSA and OLoRA (equations 3 and 7)."""
    first = triples.first(rank)
    roots = first.values.sqrt()
    yield "pissa", Start(first.left * roots, roots[:, None] * first.right)
    yield "olora", Start(first.left, first.right)


def zero_starts(triples: Triples, rank: int, generator: torch.Generator) -> Iterator[tuple[str, Tensor]]:
    """``A_0`` (rank, cols) of the starts whose ``B_0`` is zero: orthonormal ones, two random ones, and nothing.

    ``gaussian`` is equation 2 of the paper, N(0, 1 / n); ``kaiming`` what PEFT draws, uniform within ``1 / sqrt(n)``.
    """
    columns = triples.right.shape[1]
    yield "rlpo", triples.first(rank).right
    yield "rlmo", triples.last(rank).right
    yield "dct", cosine_rows(rank, columns)
    yield "gaussian", torch.randn(rank, columns, generator=generator, dtype=torch.float64) / math.sqrt(columns)
    uniform = torch.rand(rank, columns, generator=generator, dtype=torch.float64)
    yield "kaiming", (2 * uniform - 1) / math.sqrt(columns)
    yield "zero", torch.zeros(rank, columns, dtype=torch.float64)


def gap(down: Tensor) -> float:
    """``||I - A^T A||_2`` from the small Gram matrix: ``|1 - s^2|`` over the values of A (r, n), and 1 where r < n."""
    values = torch.linalg.eigvalsh(down @ down.T)
    within = float((1 - values).abs().max())
    return max(within, 1.0) if down.shape[0] < down.shape[1] else within


def advantages(rewards_PK: Tensor) -> Tensor:
    """Rewards (P, K) less their group's mean over its deviation (n - 1), 0 in a group without spread.

    SOURCE: equation 5 of the paper.
    """
    centred = rewards_PK - rewards_PK.mean(dim=1, keepdim=True)
    spread = rewards_PK.std(dim=1, keepdim=True)
    return torch.where(spread > 0, centred / spread.clamp_min(1e-12), torch.zeros_like(centred))


def summary(quantities: Mapping[str, float]) -> str:
    """One line for a log."""
    return ", ".join(f"{name} {value:.4g}" for name, value in quantities.items())
