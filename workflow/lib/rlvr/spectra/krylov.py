"""Spectral quantities of an update from products with it: block Lanczos quadrature with honest error bars.

For an update W let B be the Gram matrix of its smaller side, divided by its trace, so that its eigenvalues p are the
energy shares. The quantities sought are functions of ``tr f(B)``: with ``f(p) = p log p`` the effective rank, with
``f(p) = p^2`` the participation ratio.

A block of Gaussian vectors z spans a Krylov space; the block tridiagonal matrix of B in it yields ``z^T f(B) z`` for
every z (Golub and Meurant 2010, chapter 6), whose mean is ``tr f(B)``. Two control variates take away nearly all of the
variance: eigenvectors u that have converged in the space are counted exactly, in the place of ``(u^T z)^2 f(p)``, and
the known trace 1 calibrates the rest, on which f is close to linear. The spread over the probes gives the standard
error; what the quadrature still changed over its last third is added to it, and so is rounding.

Three things keep it right where values are few, equal or far apart. A new direction is kept only if it is larger than
the rounding of a product, which the asymmetry of the projected B measures (B itself has none). The space ends where
nothing larger is left: then the rules are exact. As many equal values as there are probes are never counted as known:
of an eigenspace that is larger than the block, the space holds the projections of the probes and nothing else.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from rlvr.core.errors import InputError
from rlvr.weights.linear_maps import LinearMap

Function = Callable[[Tensor], Tensor]
PROBES, STEPS = 24, 20
NOISE = 3.0  # directions of a block of noise have norms close to that of one of its vectors
CONVERGED = 1e-3  # residual of a Ritz pair over its value; looser, the pair would still depend on the probes


@dataclass(frozen=True)
class Estimated:
    """A number that was estimated, and its standard error."""

    value: float
    std_error: float


@dataclass(frozen=True)
class _Lanczos:
    """The matrix B in a Krylov space; small, and on the CPU wherever the update lies.

    Attributes:
        start: Coordinates of the probes in the first block, (probes, first block), probes in rows.
        tridiagonal: B in the space, (size, size).
        ends: 0, and where each step's block ends; blocks get smaller as directions run out.
        couplings: Coupling of each step's block to the next one, (block, next block); no column where nothing was left.
        rounding: Norm of what rounding adds to the product of B with a unit vector.
    """

    start: Tensor
    tridiagonal: Tensor
    ends: list[int]
    couplings: list[Tensor]
    rounding: float

    @property
    def is_whole(self) -> bool:
        """Whether the space ended by itself: B leads nowhere out of it, and more steps would change nothing."""
        return self.couplings[-1].shape[1] == 0


@dataclass(frozen=True)
class _Quadrature:
    """Ritz values and what every probe has to do with them.

    Attributes:
        shares: Ritz values p between 0 and 1, rising.
        residuals: How far each Ritz pair is from an eigenpair, ``||B u - p u||``.
        known: Which of them are counted exactly.
        weights: ``(z^T u)^2`` of every probe and Ritz vector, (probes, shares); 0 where the vector is known.
    """

    shares: Tensor
    residuals: Tensor
    known: Tensor
    weights: Tensor

    def trace(self, function: Function) -> tuple[float, float]:
        """``tr f(B)`` and its standard error over the probes."""
        tiny = torch.finfo(torch.float64).tiny
        values, traces = self.weights @ function(self.shares), self.weights @ self.shares
        rest = (1 - self.shares[self.known].sum()).clamp_min(0)
        slope = values.sum() / traces.sum().clamp_min(tiny)
        spread = (values - slope * traces).std() / len(traces) ** 0.5 * rest / traces.mean().clamp_min(tiny)
        return float(function(self.shares[self.known]).sum() + slope * rest), float(spread)


def estimate_spectrum(update: LinearMap, generator: torch.Generator) -> dict[str, Estimated]:
    """Effective rank, participation ratio and stable rank of an update.

    Args:
        update: The smaller side must hold the Krylov space: at least ``2 * PROBES``.
        generator: Source of the probes; one on the CPU draws the same for every device.

    Returns:
        By name, each at least 1 and at most the smaller side. All are 0, exactly, for a zero update.

    Raises:
        ValueError: For an update that is too small; compute its singular values instead.
        InputError: If products with the update are not finite.
    """
    names = ("effective_rank", "participation_ratio", "stable_rank")
    side = min(update.rows, update.cols)
    if side < 2 * PROBES:
        raise ValueError(f"an update of {update.rows} x {update.cols} is too small to estimate: use its exact values")
    if update.squared_norm == 0:
        return dict.fromkeys(names, Estimated(0.0, 0.0))
    probes = torch.randn(PROBES, side, generator=generator, dtype=update.dtype, device=generator.device)
    space = _block_lanczos(_normalised_gram(update), probes.to(update.device), min(STEPS, side // PROBES))
    steps = len(space.couplings)
    rules = _quadrature(space, steps), _quadrature(space, steps if space.is_whole else max(2 * steps // 3, 1))
    entropy = _trace(*rules, lambda shares: torch.special.xlogy(shares, shares))
    concentration = _trace(*rules, torch.square)
    rank, participation = math.exp(-entropy.value), 1 / concentration.value
    # What is smaller than rounding may still be there, and of x log x even a little counts.
    rounding = max(space.rounding * side**0.5, 4 * torch.finfo(update.dtype).eps)
    found = (
        Estimated(rank, rank * math.hypot(entropy.std_error, rounding * math.log(1 / space.rounding))),
        Estimated(participation, participation * math.hypot(participation * concentration.std_error, rounding)),
        _stable_rank(*rules, space.rounding),
    )
    bounded = (Estimated(min(max(one.value, 1.0), float(side)), one.std_error) for one in found)
    return dict(zip(names, bounded, strict=True))


def _normalised_gram(update: LinearMap) -> Function:
    """Products with the Gram matrix of the smaller side over its trace; vectors in rows.

    Divides after each of the two products: squares of small updates would underflow.
    """
    norm = update.squared_norm**0.5
    if update.cols <= update.rows:
        return lambda x: update.multiply_transposed(update.multiply(x) / norm) / norm
    return lambda y: update.multiply(update.multiply_transposed(y) / norm) / norm


def _block_lanczos(product: Function, probes: Tensor, steps: int) -> _Lanczos:
    """Block Lanczos in float64, products in the type of the probes; vectors in rows.

    Orthogonalises against all vectors, twice: once leaves the largest Ritz values 1e-5 too low, where hardly anything
    but spikes makes up the update, five standard errors of its effective rank.
    """
    size = steps * len(probes)
    matrix = torch.zeros(size, size, dtype=torch.float64, device="cpu")
    current, start = _orthonormal_rows(probes.double(), 0.0)
    held, rounding, ends, couplings = current.new_empty(size, current.shape[1]), 0.0, [0], []
    for _ in range(steps):
        held[ends[-1] : ends[-1] + len(current)] = current
        basis = held[: ends[-1] + len(current)]
        image = product(current.to(probes.dtype)).double()
        if not bool(torch.isfinite(image).all()):
            raise InputError("update", "products with it are not finite.", "The run diverged; train it again.")
        inside = image @ current.T
        rounding = max(rounding, _rounding_of(image, inside, torch.finfo(probes.dtype).eps))
        rest = image - image @ basis.T @ basis
        rest -= rest @ basis.T @ basis
        here = slice(ends[-1], len(basis))
        current, coupling = _orthonormal_rows(rest, NOISE * rounding)
        matrix[here, here] = ((inside + inside.T) / 2).cpu()
        ends.append(len(basis))
        couplings.append(coupling)
        if not len(current):
            break
        if len(ends) <= steps:
            after = slice(len(basis), len(basis) + len(current))
            matrix[here, after], matrix[after, here] = coupling, coupling.T
    return _Lanczos(start, matrix, ends, couplings, rounding)


def _rounding_of(image: Tensor, inside: Tensor, epsilon: float) -> float:
    """Norm of the error in the product of a symmetric matrix with a unit vector, as its asymmetry shows it.

    Args:
        image: Products with an orthonormal block, (block, side).
        inside: Their part in the block, (block, block); an error that is spread evenly has 1 / side of its energy in
            each entry, and two of them in each difference from the transposed one.
        epsilon: Of the type that the products were computed in; no product is better than that.
    """
    block, side = image.shape
    asymmetry = float(torch.linalg.matrix_norm(inside - inside.T)) / max(2 * block * (block - 1), 1) ** 0.5
    return max(asymmetry * side**0.5, epsilon * float(torch.linalg.vector_norm(image, dim=1).max()))


def _orthonormal_rows(rows: Tensor, smallest: float) -> tuple[Tensor, Tensor]:
    """Rows Q and, on the CPU, coordinates C with ``rows = C Q`` but for the directions that are dropped.

    Args:
        rows: (n, side).
        smallest: Directions whose singular value is not larger are dropped.

    Returns:
        (k, side) and (n, k); k may be 0.
    """
    basis, triangle = torch.linalg.qr(rows.T)
    left, values, right = torch.linalg.svd(triangle.T)
    kept = values > smallest
    return right[kept] @ basis.T, (left * values)[:, kept].cpu()


def _quadrature(space: _Lanczos, steps: int) -> _Quadrature:
    """The rule of the first steps.

    With T = V diag(p) V^T, probe z has the weight ``(z^T u)^2 = (start V_first)^2`` on the Ritz value p. Ritz pairs
    whose residuals leave open whether they are apart make up a group; see the module's docstring for groups as large as
    the block.
    """
    first, begin, end = space.start.shape[1], space.ends[steps - 1], space.ends[steps]
    shares, vectors = torch.linalg.eigh(space.tridiagonal[:end, :end])
    shares = shares.clamp(0, 1)
    residuals = torch.linalg.vector_norm(space.couplings[steps - 1].T @ vectors[begin:], dim=0) + space.rounding
    apart = shares.diff() > residuals[1:] + residuals[:-1]
    group = torch.cat([apart.new_zeros(1), apart]).cumsum(0)
    known = (residuals < CONVERGED * shares) & (torch.bincount(group)[group] < first)
    return _Quadrature(shares, residuals, known, (space.start @ vectors[:first]) ** 2 * ~known)


def _trace(whole: _Quadrature, before: _Quadrature, function: Function) -> Estimated:
    """``tr f(B)`` from the whole space; what it adds to two thirds of the steps belongs to the error."""
    value, spread = whole.trace(function)
    return Estimated(value, math.hypot(spread, (value - before.trace(function)[0]) / 2))


def _stable_rank(whole: _Quadrature, before: _Quadrature, rounding: float) -> Estimated:
    """One over the largest share; its error is a bound for the largest Ritz value, and what the last steps changed.

    SOURCE: Parlett 1980, theorem 11.7.1: a Ritz value with residual r is within ``r^2 / gap`` of an eigenvalue, where
    the gap is that to the others, and within r in any case.
    """
    largest, residual = float(whole.shares[-1]), float(whole.residuals[-1])
    gap = largest - float(whole.shares[-2])
    bound = min(residual, residual**2 / gap) if gap > 0 else residual
    error = math.hypot(bound, (largest - float(before.shares[-1])) / 2, rounding)
    return Estimated(1 / largest, error / largest**2)
