"""A linear module with a QuanTA update.

The trained gates are one vector ``quanta_theta`` per module; the gates as drawn are a buffer ``quanta_theta_0`` that is
saved with them. DEVIATION: the official code subtracts the drawn operator from the base weight instead; with a buffer
the base never changes, so its hash stays and "adapter off" is the base.
"""

import math
from typing import Any

import torch
from peft.tuners._buffer_dict import BufferDict
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn

from rlvr.adapters.peft_tuner import UpdatedLinear
from rlvr.adapters.quanta.operator import add_quanta_update
from rlvr.core.errors import InputError
from rlvr.weights.quanta_gates import gate_sizes, join_gates, split_gates, update_matrix


def draw_gates(dims: list[int]) -> Tensor:
    """Fresh gates as one vector: every gate is Kaiming-uniform with a = sqrt(5) over its inputs.

    SOURCE: official code, initialisation ``sum_opposite_freeze_one``. Draws from torch's global generator, as PEFT.
    """
    gates = [torch.empty(size, size) for size in gate_sizes(dims)]
    for gate in gates:
        nn.init.kaiming_uniform_(gate, a=math.sqrt(5))
    return join_gates(gates)


def check_dims(dims: list[int], module: str, rows: int, cols: int) -> None:
    """Refuse dims whose product is neither side of a module.

    Raises:
        InputError: Names the module and its shape.
    """
    product = math.prod(dims)
    if len(dims) < 2 or min(dims) < 1 or product not in (rows, cols):
        problem = f"QuanTA dims {dims} (product {product}) do not fit its weight of {rows} x {cols}."
        raise InputError(f"module '{module}'", problem, f"Choose 2 or more dims with product {cols} or {rows}.")


class QuantaLayer(BaseTunerLayer):
    """State of the adapters on one module: vectors of gates by adapter name."""

    adapter_layer_names = ("quanta_theta",)
    other_param_names = ("quanta_theta_0", "quanta_dims")
    base_layer: nn.Linear
    in_features: int
    out_features: int

    def __init__(self, base_layer: nn.Linear) -> None:
        self.base_layer = base_layer
        self.quanta_theta = nn.ParameterDict({})
        self.quanta_theta_0 = BufferDict({}, persistent=True)
        self.quanta_dims: dict[str, list[int]] = {}
        self._disable_adapters = False
        self.merged_adapters: list[str] = []
        self.in_features = base_layer.in_features
        self.out_features = base_layer.out_features

    def update_layer(self, adapter_name: str, dims: list[int], module: str, inference_mode: bool = False) -> None:
        """Add an adapter whose update is exactly zero."""
        check_dims(dims, module, self.out_features, self.in_features)
        theta = draw_gates(dims)
        self.quanta_dims[adapter_name] = dims
        self.quanta_theta[adapter_name] = nn.Parameter(theta)
        self.quanta_theta_0[adapter_name] = theta.clone()
        self._move_adapter_to_device_of_base_layer(adapter_name)
        self.set_adapter(self.active_adapters, inference_mode=inference_mode)

    def get_delta_weight(self, adapter: str) -> Tensor:
        """The update of the weight, (out_features, in_features), in the dtype of the gates (float32 at least)."""
        dims = self.quanta_dims[adapter]
        trained, frozen = (
            split_gates(theta.to(torch.promote_types(theta.dtype, torch.float32)), dims)
            for theta in (self.quanta_theta[adapter], self.quanta_theta_0[adapter])
        )
        return update_matrix(trained, frozen, dims, self.out_features, self.in_features)

    def has_update(self, adapter: str) -> bool:
        """Whether this module carries the adapter."""
        return adapter in self.quanta_theta

    def add_update(self, output: Tensor, x: Tensor, adapter: str) -> Tensor:
        """The output with the adapter's update of ``x``, both branches in the gates' own precision."""
        # in bfloat16 the rounding of the two branches would be larger than their difference
        with torch.autocast(x.device.type, enabled=False):
            return self._add_exactly(output, x, adapter)

    def _add_exactly(self, output: Tensor, x: Tensor, adapter: str) -> Tensor:
        """Add T(theta) x - T(theta_0) x, through the dense update where that takes fewer multiplications."""
        dims = self.quanta_dims[adapter]
        theta, theta_0 = self.quanta_theta[adapter], self.quanta_theta_0[adapter]
        x = self._cast_input_dtype(x, theta.dtype)
        if dense_is_cheaper(dims, x.shape[:-1].numel()):
            trained, frozen = split_gates(theta, dims), split_gates(theta_0, dims)
            update = x @ update_matrix(trained, frozen, dims, self.out_features, self.in_features).T
            return output + update.to(output.dtype)
        return add_quanta_update(output, x, theta, theta_0, dims)


class QuantaLinear(UpdatedLinear, QuantaLayer):
    """``nn.Linear`` with a QuanTA update."""

    def __init__(self, base_layer: nn.Linear, adapter_name: str, dims: list[int], module: str, **kwargs: Any) -> None:
        super().__init__()
        QuantaLayer.__init__(self, base_layer)
        self._active_adapter = adapter_name
        self.update_layer(adapter_name, dims, module, **kwargs)

    def __repr__(self) -> str:
        return "quanta." + super().__repr__()


def dense_is_cheaper(dims: list[int], vectors: int) -> bool:
    """Whether to build T(theta) - T(theta_0) and multiply once rather than to send every vector through the gates.

    Counts multiplications: both operators cost 2 D sum(gate sizes) per vector, the dense one D^2 per vector once it
    is built from D unit vectors. True for many vectors and few, small dims; never for the dims of the paper.
    """
    product = math.prod(dims)
    through_gates = 2 * sum(gate_sizes(dims))
    return product * through_gates + vectors * product < vectors * through_gates
