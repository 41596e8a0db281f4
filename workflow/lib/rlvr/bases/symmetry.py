"""Two changes of a base's weights that leave what it computes as it is: rotated values and permuted heads.

SOURCE: "The Path Not Taken: RLVR Provably Learns off the Principals", appendix C.3. It scrambles the geometry of chosen
layers before training, to see whether updates follow the geometry (section 4.3: both changes in layer 20 of Qwen3-4B,
the rotation alone in layer 25). With grouped queries, query head h reads key-value head h // (query heads / key-value
heads).

Written for weights as torch stores them, (outputs, inputs): what the paper multiplies from the right is here
multiplied from the left, transposed.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from rlvr.bases.loading import check_base
from rlvr.core.errors import InputError
from rlvr.core.io import atomic_folder, read_json, sha256_file, write_json
from rlvr.core.seeds import derive_seed

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj")
ARCHITECTURES = ("qwen2", "qwen3", "llama", "apertus")  # their norms of queries and keys are the same for every head


@dataclass(frozen=True)
class Heads:
    """Numbers of query and of key-value heads, and their size."""

    query: int
    key_value: int
    size: int


@dataclass(frozen=True)
class Symmetry:
    """A change of a model's weights that leaves its function as it is: which layers are rotated, which permuted.

    Attributes:
        rotated_layers: Layers whose values are rotated within every head.
        permuted_layers: Layers whose heads change places.
        seed: Of rotations and permutations.
    """

    rotated_layers: Sequence[int]
    permuted_layers: Sequence[int]
    seed: int


def read_heads(config: Mapping[str, Any]) -> Heads:
    """The heads of a model from the content of its ``config.json``.

    Raises:
        InputError: For an architecture of which it is not known that the changes leave it as it is.
    """
    if config["model_type"] not in ARCHITECTURES:
        remedy = f"Known: {', '.join(ARCHITECTURES)}; see rlvr/bases/symmetry.py."
        raise InputError(f"architecture '{config['model_type']}'", "may not survive a permutation of heads.", remedy)
    query = config["num_attention_heads"]
    size = config.get("head_dim") or config["hidden_size"] // query
    return Heads(query, config.get("num_key_value_heads") or query, size)


def draw_rotation(size: int, seed: int) -> Tensor:
    """A Haar-distributed orthogonal matrix (size, size), float64: QR of a Gaussian one, the signs of R moved to Q."""
    generator = torch.Generator().manual_seed(seed)
    orthogonal, triangle = torch.linalg.qr(torch.randn(size, size, dtype=torch.float64, generator=generator))
    return orthogonal * triangle.diagonal().sign()


def draw_permutation(count: int, seed: int) -> Tensor:
    """A random order of ``count`` heads other than the one they have.

    Raises:
        InputError: If there is only one head.
    """
    if count < 2:
        raise InputError("permuted_layers", "the model has one key-value head.", "Leave them empty for this model.")
    generator, identity = torch.Generator().manual_seed(seed), torch.arange(count)
    order = identity
    while torch.equal(order, identity):
        order = torch.randperm(count, generator=generator)
    return order


def rotate_values(projection: str, tensor: Tensor, rotation: Tensor, heads: Heads) -> Tensor:
    """A weight or bias after the values of every head were multiplied by R: W_v by blocks R^T, W_o by blocks R.

    Args:
        projection: One of ``PROJECTIONS``; queries and keys stay as they are.
        tensor: Weight (outputs, inputs) or bias (outputs,).
        rotation: Orthogonal R (head size, head size), the same for all heads of a layer.
        heads: Of the model.

    Returns:
        The new tensor, computed in float64 and rounded once to the type of the old one.
    """
    if projection == "v_proj":
        blocks = tensor.double().unflatten(0, (heads.key_value, heads.size))
        return torch.einsum("ji,hj...->hi...", rotation, blocks).flatten(0, 1).to(tensor.dtype)
    if projection == "o_proj" and tensor.ndim == 2:
        blocks = tensor.double().unflatten(1, (heads.query, heads.size))
        return torch.einsum("ohj,ji->ohi", blocks, rotation).flatten(1).to(tensor.dtype)
    return tensor


def permute_heads(projection: str, tensor: Tensor, order: Tensor, heads: Heads) -> Tensor:
    """A weight or bias after key-value head ``order[h]``, with the queries that read it, moved to place h.

    Args:
        projection: One of ``PROJECTIONS``.
        tensor: Weight (outputs, inputs) or bias (outputs,).
        order: Permutation of the key-value heads.
        heads: Of the model.
    """
    if projection == "o_proj":
        if tensor.ndim == 1:
            return tensor
        groups = tensor.unflatten(1, (heads.key_value, -1))
        return groups[:, order].flatten(1)
    return tensor.unflatten(0, (heads.key_value, -1))[order].flatten(0, 1)


def transform_tensor(name: str, tensor: Tensor, symmetry: Symmetry, heads: Heads) -> Tensor:
    """A tensor of a checkpoint after the changes of its layer; one of another layer or module comes back as it is."""
    parts = name.split(".")
    if "layers" not in parts or len(parts) < 2 or parts[-2] not in PROJECTIONS:
        return tensor
    layer, projection = int(parts[parts.index("layers") + 1]), parts[-2]
    if layer in symmetry.rotated_layers:
        rotation = draw_rotation(heads.size, derive_seed(symmetry.seed, "rotation", layer))
        tensor = rotate_values(projection, tensor, rotation, heads)
    if layer in symmetry.permuted_layers:
        order = draw_permutation(heads.key_value, derive_seed(symmetry.seed, "permutation", layer))
        tensor = permute_heads(projection, tensor, order, heads)
    return tensor


def transform_base(base_dir: str | Path, symmetry: Symmetry, out_dir: str | Path) -> None:
    """Write a changed copy of a base, file by file, with a ``model.json`` that says what was done.

    Args:
        base_dir: Base in Hugging Face layout.
        symmetry: What to change.
        out_dir: Folder of the new base; replaced whole or not at all.

    Raises:
        InputError: If a layer is not there, or its projections do not have the names of ``PROJECTIONS``.
    """
    base = Path(base_dir)
    heads, changed = read_heads(read_json(base / "config.json")), set()
    with atomic_folder(out_dir) as folder:
        for path in sorted(path for path in base.iterdir() if path.is_file()):
            if path.suffix == ".safetensors":
                changed |= _transform_file(path, symmetry, heads, folder / path.name)
            else:
                shutil.copyfile(path, folder / path.name)
        for layer in {*symmetry.rotated_layers, *symmetry.permuted_layers}:
            if missing := {(layer, projection) for projection in PROJECTIONS} - changed:
                problem = f"has no {sorted(missing)[0][1]} in layer {layer}."
                raise InputError(base, problem, "Change rotated_layers or permuted_layers in the scale file.")
        check_base(folder)
        parent = read_json(base / "model.json")
        weights = {path.name: sha256_file(path) for path in sorted(folder.glob("*.safetensors"))}
        made = {"kind": "rotated", **asdict(symmetry), "parent": parent, "weights_sha256": weights}
        kept = {key: parent[key] for key in ("architecture", "parameters") if key in parent}
        write_json(kept | made, folder / "model.json")


def _transform_file(path: Path, symmetry: Symmetry, heads: Heads, out: Path) -> set[tuple[int, str]]:
    """Transform one file of weights; the layers and projections that it holds."""
    tensors, seen = {}, set()
    with safe_open(path, "pt") as handle:
        metadata = handle.metadata()
        for name in handle.keys():  # noqa: SIM118 - a handle is not a mapping
            tensors[name] = transform_tensor(name, handle.get_tensor(name), symmetry, heads).contiguous()
            parts = name.split(".")
            if "layers" in parts and parts[-1] == "weight" and parts[-2] in PROJECTIONS:
                seen.add((int(parts[parts.index("layers") + 1]), parts[-2]))
    save_file(tensors, out, metadata=metadata)
    return seen
