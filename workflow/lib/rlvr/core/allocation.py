"""Memory of a process that computes on the CPU: what is freed stays with the process."""

import ctypes

# Parameters of mallopt, SOURCE: malloc.h of the GNU C library.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_THRESHOLD = 32 * 2**20  # bytes; mallopt refuses more
NEVER = 2**31 - 1  # bytes at the top of the heap that are kept, the largest number that it takes


def keep_freed_memory() -> bool:
    """Keep freed tensors of up to 32 MiB for the next ones, instead of giving their pages back to the kernel.

    The GNU C library otherwise returns what a step frees, and the kernel hands the next step zeroed pages one fault at
    a time. No number depends on it. The peak of a process grows by what lies between kept blocks.

    Returns:
        Whether the C library knows of it; others are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_THRESHOLD) and mallopt(M_TRIM_THRESHOLD, NEVER))
