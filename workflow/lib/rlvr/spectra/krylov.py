"""Spectral quantities of an update from products with it: block Lanczos quadrature with honest error bars.

For an update W let B be the Gram matrix of its smaller side, divided by its trace, so that its eigenvalues p are the
energy shares. The quantities sought are functions of ``tr f(B)``: with ``f(p) = p log p`` the effective rank, with
``f(p) = p^2`` the participation ratio.

A block of Gaussian vectors z spans a Krylov space; the block tridiagonal matrix of B in it yields ``z^T f(B) z`` for
every z (Golub and Meurant 2010, chapter 6), whose mean is ``tr f(B)``. Two control variates take away nearly all of the
variance: eigenvectors u that have converged in the space are counted exactly, in the place of ``(u^T z)^2 f(p)``, and
the known trace 1 calibrates the rest, on which f is close to linear. The spread over the probes gives the standard
error; what the quadrature still changed over its last third is added to it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from rlvr.weights.linear_maps import LinearMap

Function = Callable[[Tensor], Tensor]
PROBES, STEPS = 24, 20
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
        start: Coordinates of the probes in the first block, (probes, probes), probes in rows.
        tridiagonal: B in the space, (steps probes, steps probes).
        couplings: Coupling of each step's block to the next one, (steps, probes, probes).
    """

    start: Tensor
    tridiagonal: Tensor
    couplings: Tensor


@dataclass(frozen=True)
class _Quadrature:
    """Ritz values and what every probe has to do with them.

    Attributes:
        shares: Ritz values p, rising.
        known: Which of them have converged.
        weights: ``(z^T u)^2`` of every probe and Ritz vector, (probes, shares); 0 where the vector is known.
    """

    shares: Tensor
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
        By name; the stable rank comes from the largest Ritz value, which has converged long before the others, and
        carries no statistical error. All are 0 for a zero update.

    Raises:
        ValueError: For an update that is too small; compute its singular values instead.
    """
    names = ("effective_rank", "participation_ratio", "stable_rank")
    side = min(update.rows, update.cols)
    if side < 2 * PROBES:
        raise ValueError(f"an update of {update.rows} x {update.cols} is too small to estimate: use its exact values")
    if update.squared_norm == 0:
        return dict.fromkeys(names, Estimated(0.0, 0.0))
    probes = torch.randn(PROBES, side, generator=generator, dtype=update.dtype, device=generator.device)
    steps = min(STEPS, side // PROBES)
    space = _block_lanczos(_normalised_gram(update), probes.to(update.device), steps)
    rules = _quadrature(space, steps), _quadrature(space, max(2 * steps // 3, 1))
    entropy = _trace(*rules, lambda shares: torch.special.xlogy(shares, shares))
    concentration = _trace(*rules, torch.square)
    rank, participation = math.exp(-entropy.value), 1 / concentration.value
    found = (
        Estimated(rank, rank * entropy.std_error),
        Estimated(participation, participation**2 * concentration.std_error),
        Estimated(1 / float(rules[0].shares[-1]), 0.0),
    )
    return dict(zip(names, found, strict=True))


def _normalised_gram(update: LinearMap) -> Function:
    """Products with the Gram matrix of the smaller side over its trace; vectors in rows."""
    if update.cols <= update.rows:
        return lambda x: update.multiply_transposed(update.multiply(x)) / update.squared_norm
    return lambda y: update.multiply(update.multiply_transposed(y)) / update.squared_norm


def _block_lanczos(product: Function, probes: Tensor, steps: int) -> _Lanczos:
    """Block Lanczos with full orthogonalisation, twice; vectors in rows.

    Once leaves single-precision vectors that put the largest Ritz values 1e-5 too low: where hardly anything but spikes
    makes up the update, five standard errors of its effective rank.
    """
    block, side = probes.shape
    basis = probes.new_zeros(steps * block, side)
    matrix = torch.zeros(steps * block, steps * block, dtype=torch.float64, device="cpu")
    couplings = torch.zeros(steps, block, block, dtype=torch.float64, device="cpu")
    current, start = _orthonormal_rows(probes)
    for step in range(steps):
        here, after = slice(step * block, (step + 1) * block), slice((step + 1) * block, (step + 2) * block)
        basis[here] = current
        image = product(current)
        inside = image @ basis[: here.stop].T
        matrix[here, here] = (inside[:, here] + inside[:, here].T).double() / 2
        rest = image - inside @ basis[: here.stop]
        rest -= rest @ basis[: here.stop].T @ basis[: here.stop]
        current, couplings[step] = _orthonormal_rows(rest)
        if step + 1 < steps:
            matrix[here, after], matrix[after, here] = couplings[step], couplings[step].T
    return _Lanczos(start, matrix, couplings)


def _orthonormal_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Rows Q and, on the CPU, coordinates C with ``rows = C Q``; directions that are only rounding become zero rows."""
    q, r = torch.linalg.qr(rows.T)
    sizes = r.diagonal().abs()
    real = sizes > 100 * torch.finfo(rows.dtype).eps * torch.linalg.vector_norm(r)
    return (q * real).T, (r * real[:, None]).T.double().cpu()


def _quadrature(space: _Lanczos, steps: int) -> _Quadrature:
    """The rule of the first steps.

    With T = V diag(p) V^T, probe z has the weight ``(z^T u)^2 = (start V_first)^2`` on the Ritz value p.
    """
    block = len(space.start)
    size = steps * block
    shares, vectors = torch.linalg.eigh(space.tridiagonal[:size, :size])
    shares = shares.clamp_min(0)
    residuals = torch.linalg.vector_norm(space.couplings[steps - 1].T @ vectors[-block:], dim=0)
    known = residuals < CONVERGED * shares
    return _Quadrature(shares, known, (space.start @ vectors[:block]) ** 2 * ~known)


def _trace(whole: _Quadrature, before: _Quadrature, function: Function) -> Estimated:
    """``tr f(B)`` from the whole space; what it adds to two thirds of the steps belongs to the error."""
    value, spread = whole.trace(function)
    return Estimated(value, math.hypot(spread, (value - before.trace(function)[0]) / 2))
