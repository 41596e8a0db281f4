"""Singular triples at both ends of the spectrum of every matrix of a base, computed once and kept in a file.

Two variants. ``exact`` takes the eigenvectors of the smaller Gram matrix in float64: backward stable to 1e-8 of the
largest singular value, which float32 SVDs of the matrix do not reach, in less time (``make bench BENCH=svd``).
``randomised`` finds only the wanted ends: range finder with power iterations for the leading one (Halko et al. 2011,
algorithm 4.4, as in ``torch.svd_lowrank``), subspace iteration on the inverse Gram matrix for the trailing one.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from rlvr.core.errors import InputError
from rlvr.core.io import atomic_path, read_json, write_json
from rlvr.core.seeds import derive_seed
from rlvr.weights.peak_memory import peak_memory_gib
from rlvr.weights.tensors import TensorStore
from rlvr.weights.updates import LAYER_WEIGHT

ENDS = ("leading", "trailing")
PARTS = ("left", "values", "right")
OVERSAMPLING = 16
ITERATIONS = 6  # of either subspace
COST = "cost.json"  # beside the triples
VALUE_TOLERANCE = 0.02  # of a stored leading value with the weight that it is used on; bfloat16 rounding is far below


@dataclass(frozen=True)
class Triples:
    """Singular values and vectors of a matrix W (rows, cols), values falling: W right_i = value_i left_i.

    Attributes:
        left: (rows, k), orthonormal columns.
        values: (k,), positive.
        right: (k, cols), orthonormal rows.
    """

    left: Tensor
    values: Tensor
    right: Tensor

    def first(self, count: int) -> "Triples":
        """The ``count`` triples of the largest singular values."""
        return Triples(self.left[:, :count], self.values[:count], self.right[:count])

    def last(self, count: int) -> "Triples":
        """The ``count`` triples of the smallest singular values."""
        start = len(self.values) - count
        return Triples(self.left[:, start:], self.values[start:], self.right[start:])

    def transposed(self) -> "Triples":
        """The triples of the transposed matrix."""
        return Triples(self.right.T, self.values, self.left.T)

    def product(self) -> Tensor:
        """The matrix (rows, cols) that these triples alone make up."""
        return (self.left * self.values) @ self.right


def exact_ends(weight: Tensor, rank: int) -> tuple[Triples, Triples]:
    """The ``rank`` leading and the ``rank`` trailing triples, in float64.

    Trailing means the smallest values that are positive: SOURCE: "Geometry-Preserving Orthonormal Initialization",
    section 3.1, U and V have as many columns as W has positive singular values. Positive is what exceeds the rounding
    error of the Gram matrix, 1e-6 of the largest value for 4096 columns.

    Args:
        weight: (rows, cols), any floating type.
        rank: Number of triples at each end.

    Raises:
        InputError: If the matrix has fewer positive singular values.
    """
    if weight.shape[0] < weight.shape[1]:
        leading, trailing = exact_ends(weight.T, rank)
        return leading.transposed(), trailing.transposed()
    matrix = weight.double()
    squares, vectors = torch.linalg.eigh(matrix.T @ matrix)
    squares, vectors = squares.flip(0), vectors.flip(1)
    positive = int((squares > len(squares) * torch.finfo(torch.float64).eps * squares[0]).sum())
    if positive < rank:
        problem = f"a weight of {weight.shape[0]} x {weight.shape[1]} has {positive} positive singular values."
        raise InputError(f"rank {rank}", problem, f"Choose a rank of at most {positive}.")
    return paired(matrix, vectors[:, :rank]), paired(matrix, vectors[:, positive - rank : positive])


def randomised_ends(weight: Tensor, rank: int, seed: int = 0) -> tuple[Triples, Triples]:
    """Approximate leading and trailing triples; the vectors are orthonormal, how close the subspaces are depends.

    Where values fall fast at an end, its subspace is found; where they hardly differ, as at the top of a Gaussian
    matrix, 32 vectors of 1536 share 0.7 of it (and at the bottom of one with a power law above, 0.5).

    Args:
        weight: (rows, cols), any floating type.
        rank: Number of triples at each end.
        seed: Of the random start of both searches.
    """
    if weight.shape[0] < weight.shape[1]:
        leading, trailing = randomised_ends(weight.T, rank, seed)
        return leading.transposed(), trailing.transposed()
    with torch.random.fork_rng(devices=[weight.device] if weight.is_cuda else []):
        torch.manual_seed(derive_seed(seed, "randomised SVD"))
        size = min(rank + OVERSAMPLING, weight.shape[1])
        found = torch.svd_lowrank(weight.float(), q=size, niter=ITERATIONS)[2]
        matrix = weight.double()
        return _restricted(matrix, found.double()).first(rank), _inverse_iteration(matrix, size).last(rank)


def _inverse_iteration(matrix: Tensor, size: int) -> Triples:
    """The ``size`` triples that subspace iteration on (W^T W)^-1 ends at, from a Gaussian start."""
    gram = matrix.T @ matrix
    gram.diagonal().add_(len(gram) * torch.finfo(torch.float64).eps * gram.diagonal().sum())
    factor = torch.linalg.cholesky(gram)
    block = torch.randn(len(gram), size, dtype=torch.float64, device=matrix.device)
    for _ in range(ITERATIONS):
        block = torch.linalg.qr(torch.cholesky_solve(block, factor)).Q
    return _restricted(matrix, block)


def _restricted(matrix: Tensor, block: Tensor) -> Triples:
    """The triples of a matrix restricted to the span of the columns of ``block`` (cols, k)."""
    basis = torch.linalg.qr(block).Q
    left, values, rotation = torch.linalg.svd(matrix @ basis, full_matrices=False)
    return Triples(left, values, rotation @ basis.T)


def paired(matrix: Tensor, vectors: Tensor) -> Triples:
    """Triples from right singular vectors (cols, k): W v is orthogonal, so its QR factors are the other two parts.

    The sign of a pair is free; the largest entry of a right vector is made positive.
    """
    largest = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True))
    right = vectors * largest.sign()
    left, triangle = torch.linalg.qr(matrix @ right)
    values = triangle.diagonal()
    return Triples(left * values.sign(), values.abs(), right.T)


VARIANTS: Mapping[str, Callable[[Tensor, int], tuple[Triples, Triples]]] = {
    "exact": exact_ends,
    "randomised": randomised_ends,
}


def decompose_base(base_dir: str | Path, rank: int, variant: str, out: str | Path, device: str = "cpu") -> None:
    """Write both ends of every matrix of a base's decoder layers, in float32: ``<module>.<end>.<part>``.

    Beside the file stands ``cost.json``: wall time in seconds, peak memory in GiB of host and accelerator.

    Args:
        base_dir: Base in Hugging Face layout.
        rank: Triples at each end; a matrix with a smaller side keeps all of its own.
        variant: Key of ``VARIANTS``.
        out: Safetensors file.
        device: Where to compute; one matrix at a time is moved there.
    """
    started = time.perf_counter()
    base, tensors = TensorStore(base_dir), {}
    for name in (name for name in base.names if LAYER_WEIGHT.match(name) and len(base.shape(name)) == 2):
        ends = VARIANTS[variant](base.read(name).to(device), min(rank, *base.shape(name)))
        for end, triples in zip(ENDS, ends, strict=True):
            for part in PARTS:
                key = f"{name.removesuffix('.weight')}.{end}.{part}"
                tensors[key] = getattr(triples, part).to("cpu", torch.float32).contiguous()
    with atomic_path(out) as path:
        save_file(tensors, path, metadata={"variant": variant, "rank": str(rank)})
    seconds = round(time.perf_counter() - started, 3)
    cost = {"wall_time_s": seconds, "peak_memory_gib": peak_memory_gib(), "rank": rank}
    write_json(cost, Path(out).with_name(COST))


def decomposition_cost(path: str | Path | None) -> dict[str, Any] | None:
    """Wall time, peak memory and rank of the job that wrote triples; ``None`` without a file or its record."""
    cost = None if path is None else Path(path).with_name(COST)
    return None if cost is None or not cost.is_file() else read_json(cost)


def find_triples(module: str, weight: Tensor, rank: int, end: str, stored: TensorStore | None = None) -> Triples:
    """Triples of one end of a weight, float32 on its device: read from a file, or computed exactly without one.

    Args:
        module: Name in the bare base, which the file uses.
        weight: (rows, cols).
        rank: Number of triples.
        end: One of ``ENDS``.
        stored: File that ``decompose_base`` wrote.

    Raises:
        InputError: If the weight has fewer positive singular values, or the file holds too few triples or those of
            another base; names the module and its shape.
    """
    try:
        ends = exact_ends(weight, rank) if stored is None else _read_ends(module, weight, rank, stored)
    except InputError as error:
        shape = f"{weight.shape[0]} x {weight.shape[1]}"
        raise InputError(f"module '{module}' of {shape}", str(error), "See rlvr/weights/decompositions.py.") from error
    triples = ends[0].first(rank) if end == "leading" else ends[1].last(rank)
    return Triples(*(getattr(triples, part).to(weight.device, torch.float32) for part in PARTS))


def _read_ends(module: str, weight: Tensor, rank: int, stored: TensorStore) -> tuple[Triples, Triples]:
    leading, trailing = (
        Triples(*(stored.read(f"{module}.{end}.{part}").to(weight.device) for part in PARTS)) for end in ENDS
    )
    if len(leading.values) < rank:
        problem = f"holds {len(leading.values)} triples at each end, {rank} are needed."
        raise InputError(stored.folder, problem, "Make it again: `snakemake --forcerun decompose_base`.")
    top = leading.first(1)
    found = float((top.left.T @ weight.detach().float() @ top.right.T).squeeze())
    if not abs(found - float(top.values)) <= VALUE_TOLERANCE * float(top.values):
        problem = f"is of another base: largest singular value {float(top.values):.4g}, here {found:.4g}."
        raise InputError(stored.folder, problem, "Make it again: `snakemake --forcerun decompose_base`.")
    return leading, trailing
