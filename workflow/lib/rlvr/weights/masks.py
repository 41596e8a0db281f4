"""Masks over the entries of a weight matrix, found once from the weight itself. Pure: tensors in, boolean tensors out.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", sections 4.2 and 5.1. Its masks are set
operations on three of them: ``principal``, ``low`` (by share, or by the mean), and a random one of equal density.
Combine them with ``&``, ``|`` and ``~``.
"""

import math

import torch
from torch import Tensor

from rlvr.core.errors import InputError


def share_threshold(scores: Tensor, share: float) -> float:
    """The smallest score among the largest ones.

    Args:
        scores: Any shape.
        share: Fraction of the entries, from 0 to 1; their number is rounded to the nearest integer.

    Returns:
        The score, exactly; infinity where their number is 0.

    Raises:
        InputError: If the share is not between 0 and 1.
    """
    if not 0.0 <= share <= 1.0:
        raise InputError("mask", f"share {share} is not between 0 and 1.", "Give a fraction of the entries.")
    count = round(share * scores.numel())
    flat = scores.reshape(-1)
    return float(flat.kthvalue(len(flat) - count + 1).values) if count else math.inf


def top_share_mask(scores: Tensor, share: float, threshold: float | None = None) -> Tensor:
    """The entries with the largest scores.

    Args:
        scores: Any shape.
        share: Fraction of the entries, from 0 to 1; their number is rounded to the nearest integer.
        threshold: :func:`share_threshold`, where it is known.

    Returns:
        Boolean, like ``scores``, true for exactly that many entries also where scores are equal.

    Raises:
        InputError: If the share is not between 0 and 1.
    """
    smallest_kept = share_threshold(scores, share) if threshold is None else threshold
    flat, count = scores.reshape(-1), round(share * scores.numel())
    mask = flat > smallest_kept
    equal = (flat == smallest_kept).nonzero().view(-1)
    mask[equal[: count - int(torch.count_nonzero(mask))]] = True
    return mask.view(scores.shape)


def principal_mask(reconstruction: Tensor, share: float) -> Tensor:
    """``Top_alpha(|W_k|)``: the entries that are largest in magnitude after a rank-k approximation.

    SOURCE: "The Path Not Taken", section 4.2, after Liu et al. 2025, arXiv:2506.00772.

    Args:
        reconstruction: ``W_k`` (rows, cols), the product of the k leading singular triples.
        share: alpha.
    """
    return top_share_mask(reconstruction.abs(), share)


def low_magnitude_mask(weight: Tensor, share: float, threshold: float | None = None) -> Tensor:
    """``Bottom_alpha(|W|)``: the entries that are smallest in magnitude.

    SOURCE: "The Path Not Taken", section 4.2.

    Args:
        weight: (rows, cols).
        share: alpha.
        threshold: :func:`share_threshold` of ``-|W|``, where it is known.
    """
    return top_share_mask(-weight.abs(), share, threshold)


def below_mean_mask(weight: Tensor) -> Tensor:
    """The entries whose magnitude is below the mean magnitude of the matrix; about 58 % of a Gaussian one.

    SOURCE: "The Path Not Taken", section 5.1, mask (iii). Compared in float32 at least: a mean rounded to bfloat16
    puts entries beside it on the wrong side.
    """
    magnitude = weight.abs().to(torch.promote_types(weight.dtype, torch.float32))
    return magnitude < magnitude.mean(dtype=torch.float64).to(magnitude.dtype)


def random_mask(like: Tensor, generator: torch.Generator) -> Tensor:
    """A mask with as many entries as ``like``, spread evenly at random.

    SOURCE: "The Path Not Taken", section 5.1, mask (v): the control with the same sparsity in every layer.

    Args:
        like: Boolean mask of any shape.
        generator: Where the randomness comes from.
    """
    order = torch.randperm(like.numel(), generator=generator, device=like.device)
    mask = torch.zeros_like(like).reshape(-1)
    mask[order[: int(torch.count_nonzero(like))]] = True
    return mask.view(like.shape)


def density(mask: Tensor) -> float:
    """Share of true entries."""
    return int(torch.count_nonzero(mask)) / mask.numel()
