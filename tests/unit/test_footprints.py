"""Footprints: the bits of a file are the masks that the diagnostics see, and readers need no torch."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from rlvr.core.errors import InputError
from rlvr.report.footprints import Footprint
from rlvr.spectra.bases import factor_base, factor_weight
from rlvr.spectra.footprints import write_footprint
from rlvr.spectra.settings import DiagnosticsSettings
from rlvr.spectra.sparsity import update_mask

SETTINGS = DiagnosticsSettings(principal_rank=2, mask_share=0.5, top_directions=2, decomposed_depths=(1.0,))
NAMES = ("model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.o_proj")


def write_model(folder: Path, seed: int, step: float = 0.0) -> dict[str, torch.Tensor]:
    folder.mkdir(parents=True)
    generator, noise = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed + 1)
    shapes = dict(zip(NAMES, ((5, 7), (6, 4)), strict=True))
    tensors = {f"{name}.weight": torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    tensors = {name: tensor + step * torch.randn(tensor.shape, generator=noise) for name, tensor in tensors.items()}
    save_file(tensors, folder / "model.safetensors")
    return tensors


@pytest.mark.parametrize("stored", [False, True])
def test_the_bits_are_the_masks(tmp_path: Path, stored: bool) -> None:
    base, tuned = write_model(tmp_path / "base", 0), write_model(tmp_path / "tuned", 0, step=0.003)
    factors = tmp_path / "factors"
    factor_base(tmp_path / "base", SETTINGS, factors / "factors.json")
    path = tmp_path / "run.npz"
    write_footprint(tmp_path / "base", tmp_path / "tuned", "run", SETTINGS, path, factors if stored else None)
    found = Footprint(path)
    assert found.run_id == "run" and [module.name for module in found.modules] == list(NAMES)
    assert [(module.layer, module.projection) for module in found.modules] == [(0, "q_proj"), (1, "o_proj")]
    for module in found.modules:
        before, after = base[f"{module.name}.weight"], tuned[f"{module.name}.weight"]
        expected = update_mask(before, after).numpy()
        assert 0 < expected.mean() < 1
        np.testing.assert_array_equal(found.update(module), expected)
        principal = factor_weight(before, SETTINGS, True).decomposed.principal.numpy()
        kept = found.principal(module)
        assert (kept is None) == (module.layer == 0)  # only the last layer is decomposed
        if kept is not None:
            np.testing.assert_array_equal(kept, principal)


def test_a_pair_without_a_matrix_has_no_footprint(tmp_path: Path) -> None:
    for side in ("base", "tuned"):
        (tmp_path / side).mkdir()
        save_file({"model.layers.0.norm.weight": torch.ones(3)}, tmp_path / side / "model.safetensors")
    with pytest.raises(InputError, match="changes no matrix"):
        write_footprint(tmp_path / "base", tmp_path / "tuned", "run", SETTINGS, tmp_path / "run.npz")
