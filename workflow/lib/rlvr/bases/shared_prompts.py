"""Generation that reads a prompt once, however many completions it gets.

``generate`` takes one row per completion, and its first pass computes every row of the prompts: with k completions of
each, k - 1 of k times in vain. Here that pass sees each prompt once, and its logits and cache are repeated.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor
from transformers import Cache, DynamicCache, PreTrainedModel

LEAST_ROWS = 8  # products of fewer rows (at scale `tiny` of up to 5) are summed in another order
BEYOND_LOGITS = ("labels", "inputs_embeds", "output_hidden_states", "output_attentions")  # of which nothing is repeated


@contextmanager
def shared_prompts(model: PreTrainedModel) -> Iterator[None]:
    """Within, the first pass of ``model.generate`` computes rows that are equal and adjacent once.

    On the CPU the logits are bit for bit those of a pass over all rows, since its kernels sum a row's products in one
    order whatever the number of rows, very few excepted (``tests/unit/test_shared_prompts.py`` asks at the sizes of
    scale ``tiny``). Those of a GPU choose theirs by that number: there nothing is changed, so that a finished run can
    be drawn again.

    Args:
        model: With the method ``generate``, without a wrapper around it.
    """
    if model.device.type != "cpu":
        yield
        return
    before, plain = vars(model).get("forward"), model.forward

    @functools.wraps(plain)  # `generate` checks its arguments against the signature
    def forward(*args: Any, **kwargs: Any) -> Any:
        return plain(*args, **kwargs) if args or not is_first_pass(kwargs) else pass_once(plain, kwargs)

    model.forward = forward
    try:
        yield
    finally:
        del model.forward
        if before is not None:
            model.forward = before


def is_first_pass(inputs: dict[str, Any]) -> bool:
    """Whether these are prompts with a cache that is still empty and can be repeated, and nothing else is asked for."""
    cache, ids, mask = (inputs.get(name) for name in ("past_key_values", "input_ids", "attention_mask"))
    if not isinstance(ids, Tensor) or not isinstance(mask, Tensor) or mask.shape != ids.shape:
        return False
    asked = any(inputs.get(name) is not None for name in BEYOND_LOGITS) or inputs.get("fused_lm_head")
    return type(cache) is DynamicCache and cache.get_seq_length() == 0 and not asked


def pass_once(forward: Any, inputs: dict[str, Any]) -> Any:
    """Compute each prompt once; logits and cache as of all rows.

    Args:
        forward: Of the model.
        inputs: Its arguments; tensors with a first axis as long as the batch have one entry for each row.
    """
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    rows = torch.cat([ids, mask.to(ids.dtype)], dim=1)
    _, place_of = torch.unique_consecutive(rows, dim=0, return_inverse=True)
    is_first = torch.cat([place_of.new_ones(1), place_of.diff()]).bool()
    first_ones_first = torch.argsort(~is_first, stable=True)
    chosen = first_ones_first[: max(LEAST_ROWS, int(is_first.sum()))]
    if len(chosen) == len(ids):
        return forward(**inputs)
    once = {
        name: value[chosen] if isinstance(value, Tensor) and value.ndim and value.shape[0] == len(ids) else value
        for name, value in inputs.items()
    }
    found = forward(**once)
    found.logits = found.logits[place_of]
    cast("Cache", inputs["past_key_values"]).batch_select_indices(place_of)
    return found
