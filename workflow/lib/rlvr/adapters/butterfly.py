"""PEFT's BOFT layers with any number of factors on every machine, without touching PEFT.

PEFT takes one factor, without a word, where its CUDA extension cannot be compiled. All that it needs of the extension
is to write blocks on a diagonal, which torch does as well. Three of its methods ask the extension by names of PEFT's
module; the layer here has copies of them that look up these names in a namespace of their own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import torch
from peft import BOFTConfig, PeftModel, get_peft_model
from peft.tuners.boft import layer as peft_layer
from peft.tuners.boft import model as peft_model
from torch import Tensor
from transformers import PreTrainedModel

from rlvr.adapters.linears import target_shapes
from rlvr.core.errors import InputError


class BlockDiagonal:
    """Stands in for PEFT's autograd function of the same signature."""

    @staticmethod
    def apply(blocks: Tensor) -> Tensor:
        """Blocks (factors, n, b, b) on diagonals (factors, n b, n b)."""
        return torch.stack([torch.block_diag(*factor) for factor in blocks])


def with_names(function: Callable[..., Any], **names: Any) -> Any:
    """A copy of a function that finds other objects under some of its module's names."""
    source: Any = function
    copy = FunctionType(
        source.__code__, {**source.__globals__, **names}, source.__name__, source.__defaults__, source.__closure__
    )
    copy.__kwdefaults__ = source.__kwdefaults__
    return copy


class ButterflyLinear(peft_layer.Linear):
    """PEFT's BOFT layer, its blocks put on the diagonal by torch."""

    update_layer = with_names(peft_layer.Linear.update_layer, get_fbd_cuda=lambda: True)
    get_delta_weight = with_names(peft_layer.Linear.get_delta_weight, FastBlockDiag=BlockDiagonal)
    forward = with_names(peft_layer.Linear.forward, FastBlockDiag=BlockDiagonal)

    def block_butterfly_perm(self, *arguments: Any) -> Tensor:
        """PEFT's order of the inputs, found on the CPU: it looks at single numbers, which the meta device lacks."""
        with torch.device("cpu"):
            return super().block_butterfly_perm(*arguments)

    def perm2mat(self, indices: Tensor) -> Tensor:
        """Ones at (i, indices[i]), on the default device; PEFT sets them one by one."""
        matrix = torch.zeros(len(indices), len(indices))
        return matrix.scatter_(1, indices.to(matrix.device)[:, None], 1.0)


@contextmanager
def butterfly_layers() -> Iterator[None]:
    """While it lasts, PEFT makes BOFT models of ``ButterflyLinear``; the layers stay what they are afterwards."""
    original: Any = peft_model.Linear
    peft_model.Linear = ButterflyLinear  # type: ignore[misc]
    try:
        yield
    finally:
        peft_model.Linear = original  # type: ignore[misc]


def attach_butterflies(base: PreTrainedModel, targets: list[str], block: int, factors: int) -> PeftModel:
    """The base with BOFT on the modules whose last name is among the targets.

    Args:
        base: Model.
        targets: Last names.
        block: Side of a block.
        factors: Number of butterfly factors.

    Raises:
        InputError: If the blocks do not tile the inputs of a target.
    """
    check_blocks(base, targets, block, factors)
    config = BOFTConfig(
        task_type="CAUSAL_LM",
        boft_block_size=block,
        boft_block_num=0,
        boft_n_butterfly_factor=factors,
        boft_dropout=0.0,
        bias="none",
        target_modules=targets,
    )
    with butterfly_layers():
        model = get_peft_model(base, config)
    for layer in model.modules():
        if isinstance(layer, ButterflyLinear):  # PEFT would copy it from the CPU in every forward pass
            layer.boft_P = layer.boft_P.to(base.device)
    return model


def check_blocks(base: PreTrainedModel, targets: list[str], block: int, factors: int) -> None:
    """Refuse an odd block, or one that times 2^(factors - 1) does not divide the inputs of a target.

    Raises:
        InputError: Names the first such module and its shape.
    """
    unit = block * 2 ** (factors - 1)
    for name, (rows, cols) in target_shapes(base, targets).items():
        if block % 2 or cols % unit:
            problem = f"{factors} butterfly factors of block size {block} do not fit its weight of {rows} x {cols}."
            remedy = "Choose an even block_size; block_size x 2^(butterfly_factors - 1) must divide its inputs."
            raise InputError(f"module '{name}'", problem, remedy)
