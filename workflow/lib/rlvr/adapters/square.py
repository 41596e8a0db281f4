"""The size of MoRA's square matrix; parameters are counted by it without torch."""

import math


def side(rank: int, rows: int, cols: int) -> int:
    """Side of the square matrix: even, with about as many parameters as LoRA of this rank."""
    return int(math.sqrt((rows + cols) * rank) + 0.5) // 2 * 2
