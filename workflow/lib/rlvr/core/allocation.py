"""Memory of a process that computes on the CPU: what is freed stays with the process."""

import ctypes

# Parameters of mallopt, SOURCE: malloc.h of the GNU C library.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGE, SMALL = 32 * 2**20, 2**20  # bytes of the largest block that is kept; mallopt refuses more than the first
FEW_PARAMETERS = 2**24  # of a model whose tensors are mostly smaller than the larger bound
NEVER = 2**31 - 1  # bytes at the top of the heap that are kept, the largest number that it takes


def keep_freed_memory(parameters: int) -> bool:
    """Keep freed tensors for the next ones, instead of giving their pages back to the kernel.

    The GNU C library otherwise returns what a step frees, and the kernel hands the next step zeroed pages one fault at
    a time. No number depends on it. The peak of a process grows by what lies between kept blocks, a tenth for a model
    of 134 M parameters where blocks of up to 32 MiB are kept; there the arithmetic on a block takes long beside its
    faults, and only blocks of up to 1 MiB are kept.

    Args:
        parameters: Of the model that the process computes with.

    Returns:
        Whether the C library knows of it; others are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    kept = LARGE if parameters <= FEW_PARAMETERS else SMALL
    return bool(mallopt(M_MMAP_THRESHOLD, kept) and mallopt(M_TRIM_THRESHOLD, NEVER))
