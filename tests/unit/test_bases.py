"""What is shared between the runs of a base: read back, it changes no number; of another base or settings, refused."""

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, sha256_file, write_json
from rlvr.spectra.bases import StoredFactors, factor_base, factor_weight
from rlvr.spectra.dense import SMALL_SIDE
from rlvr.spectra.directions import decompose, leading_triples
from rlvr.spectra.measure import measure_pair
from rlvr.spectra.offprincipal import normalised_spectral_shift, principal_angles
from rlvr.spectra.settings import DiagnosticsSettings
from rlvr.weights.masks import low_magnitude_mask, principal_mask, share_threshold

SHAPES = {"layers.0.q_proj": (24, 24), "layers.0.up_proj": (40, 24), "layers.1.down_proj": (24, 40)}
SETTINGS = DiagnosticsSettings(principal_rank=3, mask_share=0.4, top_directions=4)


def gaussian(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def write_model(folder: Path, step: float, dtype: torch.dtype) -> Path:
    folder.mkdir()
    weights = {
        f"model.{name}.weight": (gaussian(*shape, seed=i) + step * gaussian(*shape, seed=100 + i)).to(dtype)
        for i, (name, shape) in enumerate(SHAPES.items())
    }
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    return folder


def diagnostics(base: Path, tuned: Path, settings: DiagnosticsSettings, factors: Path | None) -> pd.DataFrame:
    out = [base.parent / name for name in ("spectra.parquet", "diagnostics.parquet")]
    measure_pair(base, tuned, "run", settings, *out, factors_dir=factors)
    return pd.read_parquet(out[1])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("depths", [None, (0.0,), ()])
def test_factors_that_are_read_change_no_bit_of_the_diagnostics(tmp_path, dtype, depths):
    settings = replace(SETTINGS, decomposed_depths=depths)
    base, tuned = (write_model(tmp_path / name, step, dtype) for name, step in (("base", 0.0), ("tuned", 0.01)))
    factor_base(base, settings, tmp_path / "factors" / "factors.json")
    shared = diagnostics(base, tuned, settings, tmp_path / "factors")
    pd.testing.assert_frame_equal(shared, diagnostics(base, tuned, settings, None), check_exact=True)
    assert ("left_angle" in set(shared["quantity"])) == (depths != ())


def test_reading_decomposes_no_base(tmp_path, monkeypatch):
    base, tuned = (write_model(tmp_path / name, step, torch.float32) for name, step in (("base", 0.0), ("tuned", 0.01)))
    factor_base(base, SETTINGS, tmp_path / "factors" / "factors.json")

    def refuse(*arguments: object) -> None:
        raise AssertionError("a base was factored again")

    monkeypatch.setattr("rlvr.spectra.diagnostics.factor_weight", refuse)
    diagnostics(base, tuned, SETTINGS, tmp_path / "factors")
    with pytest.raises(AssertionError, match="factored again"):
        diagnostics(base, tuned, SETTINGS, None)


def test_the_size_on_disk_is_the_stated_one(tmp_path):
    base = write_model(tmp_path / "base", 0.0, torch.float32)
    factor_base(base, SETTINGS, tmp_path / "factors" / "factors.json")
    expected = sum(8 * min(shape) * (sum(shape) + 1) + math.prod(shape) / 8 for shape in SHAPES.values())
    found = read_json(tmp_path / "factors" / "factors.json")["bytes"]
    assert found == sum(path.stat().st_size for path in (tmp_path / "factors").glob("*.safetensors"))
    assert expected < found < expected + 1000 * len(SHAPES)  # headers and two numbers


def test_factors_of_another_base_or_of_other_settings_are_refused(tmp_path):
    base, tuned = (write_model(tmp_path / name, step, torch.float32) for name, step in (("base", 0.0), ("tuned", 0.01)))
    factor_base(tuned, SETTINGS, tmp_path / "factors" / "factors.json")
    with pytest.raises(InputError, match=r"layers\.0\.q_proj: holds factors of another weight.*forcerun factor_base"):
        diagnostics(base, tuned, SETTINGS, tmp_path / "factors")
    with pytest.raises(InputError, match=r"'mask_share': 0\.4"):
        StoredFactors(tmp_path / "factors", replace(SETTINGS, mask_share=0.5))


def test_making_factors_again_leaves_none_of_before(tmp_path):
    out = tmp_path / "factors" / "factors.json"
    factor_base(write_model(tmp_path / "first", 0.0, torch.float32), SETTINGS, out)
    other = write_model(tmp_path / "second", 0.0, torch.float32)
    tensors = load_file(other / "model.safetensors")
    save_file({"model.layers.0.k_proj.weight": tensors["model.layers.0.q_proj.weight"]}, other / "model.safetensors")
    factor_base(other, SETTINGS, out)
    assert [path.name for path in out.parent.glob("*.safetensors")] == ["model.layers.0.k_proj.safetensors"]


def test_a_module_outside_of_the_layers_has_no_factors(tmp_path):
    factor_base(write_model(tmp_path / "base", 0.0, torch.float32), SETTINGS, tmp_path / "factors" / "factors.json")
    assert StoredFactors(tmp_path / "factors", SETTINGS).read("lm_head", torch.ones(3, 3)) is None


def test_factors_are_what_the_masks_are_made_of():
    weight = gaussian(30, 20, seed=0).bfloat16()
    found = factor_weight(weight, SETTINGS, is_decomposed=True)
    assert torch.equal(low_magnitude_mask(weight, 0.4, found.low_threshold), low_magnitude_mask(weight, 0.4))
    expected = principal_mask(decompose(weight).first(3).product(), 0.4)
    assert found.decomposed is not None and torch.equal(found.decomposed.principal, expected)
    assert factor_weight(weight, SETTINGS, is_decomposed=False).decomposed is None


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30), st.floats(0, 1))
def test_a_threshold_is_the_smallest_score_that_is_kept(scores, share):
    count = round(share * len(scores))
    expected = sorted(scores, reverse=True)[count - 1] if count else math.inf
    assert share_threshold(torch.tensor(scores, dtype=torch.float32), share) == expected


@pytest.mark.parametrize(("rows", "cols"), [(SMALL_SIDE + 8, SMALL_SIDE + 8), (SMALL_SIDE + 8, 700), (700, 520)])
def test_leading_triples_of_a_large_weight_are_those_of_its_decomposition(rows, cols):
    """Against the whole decomposition: values, subspaces, and the numbers that the diagnostics make of them."""
    weight = gaussian(rows, cols, seed=1)
    weight[:, 0] *= 30  # one value far above the others
    values, found = leading_triples(weight, 16)
    whole = decompose(weight)
    torch.testing.assert_close(values, whole.values, rtol=1e-9, atol=1e-9 * float(whole.values[0]))
    assert float(principal_angles(whole.left[:, :16], found.left).max()) < 1e-9
    assert float(principal_angles(whole.right[:16].T, found.right.T).max()) < 1e-9
    torch.testing.assert_close(found.values, whole.values[:16], rtol=1e-12, atol=0)
    tuned = weight + 1e-4 * gaussian(rows, cols, seed=2)
    shift = normalised_spectral_shift(whole.values, leading_triples(tuned, 16)[0])
    assert shift == pytest.approx(normalised_spectral_shift(whole.values, decompose(tuned).values), rel=1e-6)


def test_more_triples_than_there_are_are_all_of_them():
    assert len(leading_triples(gaussian(520, 530, seed=3), 600)[1].values) == 520


def test_a_base_that_has_changed_since_it_was_installed_is_not_factored(tmp_path):
    base = write_model(tmp_path / "base", 0.0, torch.float32)
    write_json({"weights_sha256": {"model.safetensors": sha256_file(base / "model.safetensors")}}, base / "model.json")
    factor_base(base, SETTINGS, tmp_path / "factors" / "factors.json")
    content = bytearray((base / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (base / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors: SHA-256 .*, installed with"):
        factor_base(base, SETTINGS, tmp_path / "others" / "factors.json")
    assert not (tmp_path / "others").exists()
