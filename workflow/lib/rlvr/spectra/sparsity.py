"""Which weights changed, as bfloat16 storage sees it. Pure: tensors in, numbers and masks out.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", definitions 2.1 and 2.2: a stored weight is
unchanged if ``|w' - w| <= eta max(|w|, |w'|)`` with ``eta = 1e-3``. Two different bfloat16 numbers differ by at least
2^-8 of the larger one (equality across a power of two; its lemma D.1 says "more than"), so for this eta the test is
equality of what is stored (its proposition D.3, whose condition is eta < 2^-9), zeros of either sign being equal.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ETA = 1e-3  # SOURCE: "The Path Not Taken", definition 2.1
ENTRIES_AT_A_TIME = 2**17  # entries looked at together: two blocks of 2 bytes per entry and the flags stay in the cache
MANTISSA_BITS, EXPONENT_BIAS = 7, 127  # of bfloat16
MINUS_ZERO = -(2**15)  # the code of -0.0 read as a 16-bit integer, the smallest there is


def as_stored(weight: Tensor) -> Tensor:
    """The weight as bfloat16 storage holds it (round to nearest, ties to even)."""
    return weight.to(torch.bfloat16)


def changed_by_definition(before: Tensor, after: Tensor, eta: float = ETA) -> Tensor:
    """Definition 2.1, entry by entry, as it is printed.

    Args:
        before: Weight of any shape and floating type; rounded to bfloat16 first.
        after: The same shape.
        eta: Relative tolerance.

    Returns:
        Boolean, true where the weight changed.
    """
    # In float64, so that neither the difference of two stored numbers nor the threshold is rounded.
    old, new = as_stored(before).double(), as_stored(after).double()
    return (new - old).abs() > eta * torch.maximum(old.abs(), new.abs())


def update_mask(before: Tensor, after: Tensor) -> Tensor:
    """Update mask ``M`` of "The Path Not Taken": :func:`changed_by_definition` at its tolerance, with less memory.

    Args:
        before: Weight of any shape and floating type; rounded to bfloat16 first.
        after: The same shape.
    """
    return as_stored(before) != as_stored(after)


def count_changed(before: Tensor, after: Tensor) -> int:
    """Number of true entries of :func:`update_mask`, at the speed of reading memory.

    Compares the 16-bit codes in blocks that stay in the cache; NumPy, because its comparison and count of flags use the
    widest instructions of the processor, which PyTorch's do not (measured three times as fast).

    Args:
        before: Weight of any shape, finite; rounded to bfloat16 first. Compared on the CPU.
        after: The same shape.
    """
    old, new = _codes(before), _codes(after)
    flags = np.empty(min(ENTRIES_AT_A_TIME, len(old)), dtype=bool)
    total = 0
    for start in range(0, len(old), ENTRIES_AT_A_TIME):
        a, b = old[start : start + ENTRIES_AT_A_TIME], new[start : start + ENTRIES_AT_A_TIME]
        total += int(np.count_nonzero(np.not_equal(a, b, out=flags[: len(a)])))
        if MINUS_ZERO in (a.min(), b.min()):
            total -= int(np.count_nonzero((a ^ b == MINUS_ZERO) & ((a | b) == MINUS_ZERO)))  # 0.0 against -0.0
    return total


def sparsity(before: Tensor, after: Tensor) -> float:
    """Definition 2.2: the share of weights that did not change."""
    return 1.0 - count_changed(before, after) / before.numel()


def exact_sparsity(before: Tensor, after: Tensor) -> float:
    """The share of weights that did not change in the type in which the tuned weight is stored.

    SOURCE: "The Path Not Taken", section 2.3, of Shenfeld et al. 2025: with float32 storage the sparsity vanishes.

    Args:
        before: Weight of any shape; rounded to the type of ``after``, as it was when training began.
        after: The same shape, taken as it is.
    """
    return int(torch.count_nonzero(before.to(after.dtype) == after)) / before.numel()


def fixed_tolerance_sparsity(before: Tensor, after: Tensor, tolerance: float = 1e-5) -> float:
    """The share of weights with ``|w' - w| <= tolerance``: the probe that definition 2.1 replaces.

    SOURCE: "The Path Not Taken", section 2.1 and appendix D.1, of Mukherjee et al. 2025. It calls weights changed that
    are stored alike (1024.001 and 1024.002), and weights equal that are stored far apart (1e-6 and 2e-6).

    Args:
        before: Weight of any shape, taken as it is.
        after: The same shape.
        tolerance: Absolute.
    """
    blocks = zip(before.reshape(-1).split(ENTRIES_AT_A_TIME), after.reshape(-1).split(ENTRIES_AT_A_TIME), strict=True)
    equal = sum(int(((new.double() - old.double()).abs() <= tolerance).sum()) for old, new in blocks)
    return equal / before.numel()


def rounding_floor(stored: Tensor) -> float:
    """Expected Frobenius norm of the error that rounding to bfloat16 leaves in a weight.

    An error spread evenly over one spacing ``ulp`` has the variance ``ulp^2 / 12``, and a normal number w the spacing
    ``2^(floor(log2 |w|) - 7)``. An update whose norm is not far above this is rounding noise for the most part.

    Args:
        stored: Weight of any shape; rounded to bfloat16 first.
    """
    codes = _codes(stored)
    counts = np.zeros(256)
    for start in range(0, len(codes), ENTRIES_AT_A_TIME):
        exponents = (codes[start : start + ENTRIES_AT_A_TIME] >> 7) & 0xFF
        counts += np.bincount(exponents, minlength=256)
    spacings = 2.0 ** (np.arange(256) - EXPONENT_BIAS - MANTISSA_BITS)
    spacings[0] = 0.0  # zeros, and subnormal numbers, whose spacing of 2^-133 no norm can see
    return float(np.sqrt(counts @ spacings**2 / 12))


def _codes(weight: Tensor) -> NDArray[np.int16]:
    """The bits that storage holds, as one row of integers; no copy where the weight is stored like that."""
    codes: NDArray[np.int16] = as_stored(weight).contiguous().view(-1).view(torch.int16).cpu().numpy()
    return codes
