"""A linear module with a MoRA update: one trained square matrix between fixed operators.

SOURCE: Jiang et al. 2024, arXiv:2405.12130, equation 9 (rotation), which its official code calls type 6. With r the
rank of a LoRA of as many parameters and s = sqrt((in + out) r), rounded and made even, the inputs are cut into groups
of s, group j is rotated by j times the angles of RoPE, every group goes through the matrix M (s, s), and the results
stand one after the other. As in the official code: the last group is filled up with the first inputs, what exceeds
the outputs is cut (so where a module narrows, later inputs have no part), and where they do not suffice they are
repeated; there is no scaling by alpha; M starts at zero.
"""

from typing import Any

import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn

from rlvr.adapters.peft_tuner import UpdatedLinear
from rlvr.adapters.square import side
from rlvr.core.errors import InputError

ROTATION_BASE = 10000.0


def check_side(rank: int, module: str, rows: int, cols: int) -> None:
    """Refuse a square matrix that is larger than a side of the weight, or empty.

    Raises:
        InputError: Names the module and its shape.
    """
    size = side(rank, rows, cols)
    if not 2 <= size <= min(rows, cols):
        problem = f"rank {rank} makes a square matrix of side {size}, its weight is {rows} x {cols}."
        raise InputError(
            f"module '{module}'", problem, f"Choose a rank of at most {min(rows, cols) ** 2 // (rows + cols)}."
        )


def rotate(groups: Tensor) -> Tensor:
    """Rotate group j of (..., groups, s): pair (i, i + s / 2) by the angle j 10000^(-2 i / s)."""
    count, size = groups.shape[-2:]
    frequencies = ROTATION_BASE ** (-torch.arange(0, size, 2, device=groups.device, dtype=torch.float64) / size)
    angles = torch.outer(torch.arange(count, device=groups.device, dtype=torch.float64), frequencies)
    cosine, sine = angles.cos().to(groups.dtype), angles.sin().to(groups.dtype)
    first, second = groups.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)


def apply_mora(x: Tensor, matrix: Tensor, rows: int) -> Tensor:
    """The update of (..., cols) inputs, (..., rows); groups that would be cut are not computed."""
    size, cols = matrix.shape[0], x.shape[-1]
    groups = -(-cols // size)
    filled = torch.cat([x, x[..., : groups * size - cols]], dim=-1).unflatten(-1, (groups, size))
    needed = min(groups, -(-rows // size))
    out = (rotate(filled[..., :needed, :]) @ matrix.T).flatten(-2)
    return torch.cat([out] * -(-rows // out.shape[-1]), dim=-1)[..., :rows]


def dense_update(matrix: Tensor, rows: int, cols: int) -> Tensor:
    """The weight (rows, cols) of the map that ``apply_mora`` computes: blocks M R_j, the surplus folded back."""
    size = matrix.shape[0]
    needed = min(-(-cols // size), -(-rows // size))
    unit = torch.eye(size, dtype=matrix.dtype, device=matrix.device)[:, None].expand(size, needed, size)
    square = torch.block_diag(*(rotate(unit) @ matrix.T).permute(1, 2, 0))
    kept = square.new_zeros(len(square), cols)
    inner = min(cols, len(square))
    kept[:, :inner] = square[:, :inner]
    kept[:, : len(square) - inner] += square[:, inner:]
    return torch.cat([kept] * -(-rows // len(kept)))[:rows]


class MoraLayer(BaseTunerLayer):
    """State of the adapters on one module: square matrices by adapter name."""

    adapter_layer_names = ("mora_matrix",)
    other_param_names = ()
    base_layer: nn.Linear

    def __init__(self, base_layer: nn.Linear) -> None:
        self.base_layer = base_layer
        self.mora_matrix = nn.ParameterDict({})
        self._disable_adapters = False
        self.merged_adapters: list[str] = []
        self.in_features = base_layer.in_features
        self.out_features = base_layer.out_features

    def update_layer(self, adapter_name: str, rank: int, module: str, inference_mode: bool = False) -> None:
        """Add an adapter whose update is zero."""
        check_side(rank, module, self.out_features, self.in_features)
        size = side(rank, self.out_features, self.in_features)
        self.mora_matrix[adapter_name] = nn.Parameter(torch.zeros(size, size))
        self._move_adapter_to_device_of_base_layer(adapter_name)
        self.set_adapter(self.active_adapters, inference_mode=inference_mode)

    def get_delta_weight(self, adapter: str) -> Tensor:
        """The update of the weight, (out_features, in_features), in the type of the matrix."""
        return dense_update(self.mora_matrix[adapter], self.out_features, self.in_features)

    def has_update(self, adapter: str) -> bool:
        """Whether this module carries the adapter."""
        return adapter in self.mora_matrix

    def add_update(self, output: Tensor, x: Tensor, adapter: str) -> Tensor:
        """The output with the adapter's update of ``x``."""
        matrix = self.mora_matrix[adapter]
        return output + apply_mora(self._cast_input_dtype(x, matrix.dtype), matrix, self.out_features).to(output.dtype)


class MoraLinear(UpdatedLinear, MoraLayer):
    """``nn.Linear`` with a MoRA update."""

    def __init__(self, base_layer: nn.Linear, adapter_name: str, rank: int, module: str, **kwargs: Any) -> None:
        super().__init__()
        MoraLayer.__init__(self, base_layer)
        self._active_adapter = adapter_name
        self.update_layer(adapter_name, rank, module, **kwargs)

    def __repr__(self) -> str:
        return "mora." + super().__repr__()
