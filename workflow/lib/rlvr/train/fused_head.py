"""What TRL's fused language-model head does in vain on a processor: columns that no token has, rows that no loss has.

The head computes log-probabilities of given tokens by tiles of logits and keeps none of them. Both functions here set
what it decides by; the numbers stay those that it would find.
"""

import torch
from trl.trainer import utils as trl_utils

uses_triton = trl_utils._use_triton


def fit_tiles(vocabulary: int) -> None:
    """Let TRL reserve no more columns for logits than there are tokens in the vocabulary.

    Its tiles have 32,768 columns, of which a small vocabulary fills the first ones: every row then lies on a page of
    memory of its own, which the kernel has to bring in at every step. The numbers are the same, since one tile holds
    the vocabulary either way; a vocabulary of more columns keeps TRL's tiles.
    """
    columns = trl_utils._CHUNKED_LOGPROB_CHUNK_SIZE
    trl_utils._CHUNKED_LOGPROB_CHUNK_SIZE = min(columns, vocabulary)


def score_labelled_only() -> None:
    """Let TRL compute logits on a processor only where a token is scored, as it does where it has Triton.

    Otherwise they are computed for every token of the prompts and for padding as well, and thrown away. TRL does so
    where the number of rows decides about a compilation, of which a processor has none. A real vocabulary makes that
    the most expensive part of a step: with 49,152 tokens, prompts of 110 and completions of 17 it is a third of it.
    """
    trl_utils._use_triton = _is_compact


def _is_compact(device: torch.device) -> bool:
    """Whether the head of this device sees only rows with a label; the name that TRL asks decides nothing else."""
    return device.type == "cpu" or uses_triton(device)
