"""BOFT, PEFT's own: the base weight times butterfly factors of block-diagonal rotations (Cayley, starting at identity).

DEVIATION: PEFT replaces any number of factors by one, without a word, where its CUDA extension cannot be compiled; the
only thing that it needs of the extension is to write blocks on a diagonal, which torch does as well. So the number of
factors is the same everywhere. The gain per output that PEFT trains beside the rotation stays at one: with it the
update would not be orthogonal, which is what BOFT is compared for (primary paper, appendix J).

PEFT keeps one dense permutation (inputs x inputs) per factor and module: about 70 GB of float32 for all linear modules
of Qwen3-8B with two factors, on every device. At that size choose `attention`, or one factor.
"""

from typing import Any

import torch
from peft import BOFTConfig, PeftModel, get_peft_model
from peft.tuners.boft import layer as peft_boft
from torch import Tensor
from transformers import PreTrainedModel

from rlvr.adapters.methods.linears import target_names, target_shapes
from rlvr.core.errors import InputError
from rlvr.plan.settings import TrainSettings


class BlockDiagonal:
    """Stands in for PEFT's autograd function of the same signature."""

    @staticmethod
    def apply(blocks: Tensor) -> Tensor:
        """Blocks (factors, n, b, b) on diagonals (factors, n b, n b)."""
        return torch.stack([torch.block_diag(*factor) for factor in blocks])


def butterfly_order(layer: Any, *arguments: Any) -> Tensor:
    """PEFT's order of the inputs, found on the CPU: it looks at single numbers, which the meta device does not have."""
    with torch.device("cpu"):
        return PEFT_ORDER(layer, *arguments)


def permutation_matrix(_: Any, order: Tensor) -> Tensor:
    """Ones at (i, order[i]), on the default device; PEFT sets them one by one."""
    matrix = torch.zeros(len(order), len(order))
    return matrix.scatter_(1, order.to(matrix.device)[:, None], 1.0)


PEFT_ORDER = peft_boft.BOFTLayer.block_butterfly_perm
peft_boft.BOFTLayer.block_butterfly_perm = butterfly_order  # type: ignore[method-assign]
peft_boft.BOFTLayer.perm2mat = permutation_matrix  # type: ignore[method-assign]
peft_boft.get_fbd_cuda = lambda: True
peft_boft.FastBlockDiag = BlockDiagonal  # type: ignore[assignment,misc]


def attach(base: PreTrainedModel, settings: TrainSettings) -> PeftModel:
    """The base with BOFT(m, b) on the target set, m = ``butterfly_factors``, b = ``block_size``.

    Raises:
        InputError: If the blocks do not tile the inputs of a target.
    """
    block, factors = settings.required("block_size"), settings.required("butterfly_factors")
    targets = target_names(base, settings.required("target_modules"))
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
    model = get_peft_model(base, config)
    for name, parameter in model.named_parameters():
        if "boft_s" in name:
            parameter.requires_grad_(False)
    for layer in model.modules():
        if isinstance(layer, peft_boft.BOFTLayer):  # PEFT would copy it from the CPU in every forward pass
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
