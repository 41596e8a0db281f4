"""Pairs from anywhere: runs, PEFT folders, checkpoints. Damage stops with the tensor's name; nothing is skipped."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from rlvr.core.errors import InputError
from rlvr.spectra.measure import measure_pair, measure_update
from rlvr.spectra.settings import DiagnosticsSettings
from rlvr.weights.pairs import iterate_rest
from rlvr.weights.tensors import TensorStore
from rlvr.weights.updates import iterate_updates

SETTINGS = DiagnosticsSettings(principal_rank=2, mask_share=0.5, top_directions=3)
PROJECTIONS = ("self_attn.q_proj", "mlp.down_proj")
SHAPES = {"self_attn.q_proj": (6, 8), "mlp.down_proj": (8, 5)}
HEAD, EMBEDDING, NORM = "lm_head.weight", "model.embed_tokens.weight", "model.norm.weight"


def name_of(layer: int, projection: str) -> str:
    return f"model.layers.{layer}.{projection}.weight"


Q1 = name_of(1, "self_attn.q_proj")


def checkpoint(seed: int = 0, dtype: torch.dtype = torch.bfloat16) -> dict[str, torch.Tensor]:
    """Two layers of two projections, embedding, head and norm."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {name_of(layer, part): SHAPES[part] for layer in (0, 1) for part in PROJECTIONS}
    shapes |= {EMBEDDING: (11, 8), HEAD: (11, 8), NORM: (8,)}
    return {name: torch.randn(shape, generator=generator).to(dtype) for name, shape in shapes.items()}


def tuned_from(base: dict[str, torch.Tensor], step: float = 0.02) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(99)
    return {
        name: (tensor.float() + step * torch.randn(tensor.shape, generator=generator)).to(tensor.dtype)
        for name, tensor in base.items()
    }


def write(folder: Path, tensors: dict[str, torch.Tensor], **config) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def write_sharded(folder: Path, tensors: dict[str, torch.Tensor], shards: int = 3) -> Path:
    """The layout of a large model: shards and an index."""
    folder.mkdir(parents=True)
    weight_map = {}
    for number in range(shards):
        file = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        part = dict(list(tensors.items())[number::shards])
        save_file(part, folder / file)
        weight_map |= dict.fromkeys(part, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return folder


def write_adapter(folder: Path, rank: int = 2, **change: torch.Tensor) -> Path:
    """A PEFT folder as `save_pretrained` leaves it, on one module; ``change`` adds tensors by suffix."""
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "lora_alpha": 2 * rank, "r": rank}))
    generator = torch.Generator().manual_seed(7)
    prefix = f"base_model.model.{Q1.removesuffix('.weight')}"
    tensors = {
        f"{prefix}.lora_A.weight": torch.randn(rank, 8, generator=generator),
        f"{prefix}.lora_B.weight": torch.randn(6, rank, generator=generator),
    }
    save_file(
        tensors | {f"{prefix}.{key}": value for key, value in change.items()}, folder / "adapter_model.safetensors"
    )
    return folder


@pytest.fixture
def base() -> dict[str, torch.Tensor]:
    return checkpoint()


@pytest.fixture
def base_dir(base, tmp_path) -> Path:
    return write(tmp_path / "base", base)


def measure(base_dir: Path, tuned_dir: Path, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    paths = folder / "spectra.parquet", folder / "diagnostics.parquet"
    measure_pair(base_dir, tuned_dir, "pair", SETTINGS, *paths)
    spectra, diagnostics = (pd.read_parquet(path) for path in paths)
    return spectra, diagnostics


def value(frame: pd.DataFrame, module: str, quantity: str) -> float:
    (found,) = frame[(frame["module"] == module) & (frame["quantity"] == quantity)]["value"]
    return found


def test_two_checkpoints_give_every_module_by_name(base, base_dir, tmp_path):
    tuned = tuned_from(base)
    reordered = dict(reversed(list(tuned.items())))
    spectra, _ = measure(base_dir, write(tmp_path / "tuned", reordered), tmp_path)
    assert set(spectra["module"]) == {
        name_of(layer, part).removesuffix(".weight") for layer in (0, 1) for part in PROJECTIONS
    }
    for name in (Q1, name_of(0, "mlp.down_proj")):
        expected = float((tuned[name].double() - base[name].double()).norm())
        assert value(spectra, name.removesuffix(".weight"), "frobenius_norm") == pytest.approx(expected)


def test_shards_on_either_side_change_nothing(base, base_dir, tmp_path):
    tuned = tuned_from(base)
    whole = measure(base_dir, write(tmp_path / "tuned", tuned), tmp_path)
    sharded = measure(
        write_sharded(tmp_path / "base_shards", base), write_sharded(tmp_path / "tuned_shards", tuned, 2), tmp_path
    )
    for one, other in zip(whole, sharded, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_sparsity_of_the_model_counts_every_parameter(base, base_dir, tmp_path):
    tuned = {**base, NORM: base[NORM] * 2, Q1: base[Q1].clone()}
    tuned[Q1][0, :4] += 1
    _, diagnostics = measure(base_dir, write(tmp_path / "tuned", tuned), tmp_path)
    parameters = sum(tensor.numel() for tensor in base.values())
    assert value(diagnostics, "model", "model_sparsity") == pytest.approx(1 - 12 / parameters)
    assert value(diagnostics, "model.norm", "rest_sparsity") == 0.0
    assert value(diagnostics, "model.embed_tokens", "rest_sparsity") == 1.0
    assert value(diagnostics, Q1.removesuffix(".weight"), "bf16_sparsity") == pytest.approx(1 - 4 / 48)


def test_a_peft_folder_is_a_pair_and_leaves_the_rest_unchanged(base, base_dir, tmp_path):
    spectra, diagnostics = measure(base_dir, write_adapter(tmp_path / "adapter"), tmp_path)
    module = Q1.removesuffix(".weight")
    assert set(spectra["module"]) == {module} and value(spectra, module, "rank_bound") == 2
    parameters = sum(tensor.numel() for tensor in base.values())
    changed = (1 - value(diagnostics, module, "bf16_sparsity")) * 48
    assert value(diagnostics, "model", "model_sparsity") == pytest.approx(1 - changed / parameters)
    run = write_adapter(tmp_path / "run" / "adapter").parent  # the same adapter as a run of ours
    pd.testing.assert_frame_equal(spectra, measure(base_dir, run, tmp_path)[0])


def test_a_low_rank_update_stored_in_bfloat16_shows_its_rounding_floor(base_dir, tmp_path):
    spectra, _ = measure(base_dir, write_adapter(tmp_path / "adapter", rank=1), tmp_path)
    module = Q1.removesuffix(".weight")
    assert value(spectra, module, "effective_rank") == pytest.approx(1.0)
    assert 1.0 < value(spectra, module, "bf16_effective_rank") < 1.1  # far above the floor: a little noise
    distance, floor = (value(spectra, module, name) for name in ("rounding_distance", "rounding_floor"))
    assert 0 < distance < 0.02 and distance == pytest.approx(floor, rel=0.5)


def test_a_tied_head_is_the_embedding_on_whichever_side_leaves_it_out(base, tmp_path):
    tied = {name: tensor for name, tensor in base.items() if name != HEAD}
    untied = {**tied, HEAD: base[EMBEDDING].clone()}
    untied[Q1] = base[Q1] + 1
    base_dir = write(tmp_path / "base", tied, tie_word_embeddings=True)
    _, diagnostics = measure(base_dir, write(tmp_path / "tuned", untied), tmp_path)
    assert value(diagnostics, "lm_head", "rest_sparsity") == 1.0
    _, diagnostics = measure(tmp_path / "tuned", base_dir, tmp_path)
    assert value(diagnostics, "lm_head", "rest_sparsity") == 1.0


def test_a_head_that_nothing_ties_is_missing_not_skipped(base, base_dir, tmp_path):
    tuned = tuned_from({name: tensor for name, tensor in base.items() if name != HEAD})
    with pytest.raises(InputError, match=r"'lm_head\.weight' is missing"):
        measure(base_dir, write(tmp_path / "tuned", tuned), tmp_path)


def test_only_the_selected_layers_are_decomposed(base, base_dir, tmp_path):
    paths = tmp_path / "spectra.parquet", tmp_path / "diagnostics.parquet"
    settings = DiagnosticsSettings(principal_rank=2, mask_share=0.5, top_directions=3, decomposed_depths=(1,))
    measure_pair(base_dir, write(tmp_path / "tuned", tuned_from(base)), "pair", settings, *paths)
    diagnostics = pd.read_parquet(paths[1])
    assert set(diagnostics[diagnostics["quantity"] == "mode_share"]["layer"]) == {1}
    assert set(diagnostics[diagnostics["quantity"] == "overlap_low"]["layer"]) == {0, 1}


def poisoned(number: float):
    def change(tensors):
        tensors[Q1] = tensors[Q1].clone()
        tensors[Q1][2, 3] = number

    return change


DAMAGES = {
    "NaN": (poisoned(float("nan")), "holds NaN or infinite"),
    "infinity": (poisoned(float("-inf")), "holds NaN or infinite"),
    "missing": (lambda tensors: tensors.pop(Q1), "is missing"),
    "wider": (lambda tensors: tensors.update({Q1: torch.ones(6, 9)}), "has shape"),
    "transposed": (lambda tensors: tensors.update({Q1: tensors[Q1].T.contiguous()}), "has shape"),
    "eight bits": (lambda tensors: tensors.update({Q1: tensors[Q1].to(torch.float8_e4m3fn)}), "stored as float8"),
    "flat": (lambda tensors: tensors.update({Q1: torch.ones(48)}), "has shape"),
}


@pytest.mark.parametrize("side", ["base", "tuned"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_on_either_side_names_the_tensor(base, tmp_path, side, damage):
    change, message = DAMAGES[damage]
    sides = {"base": dict(base), "tuned": tuned_from(base)}
    change(sides[side])
    folders = [write(tmp_path / name, tensors) for name, tensors in sides.items()]
    with pytest.raises(InputError, match=message) as caught:
        measure(*folders, tmp_path)
    assert Q1 in str(caught.value)


def test_a_matrix_that_only_the_tuned_side_has_is_not_skipped(base, base_dir, tmp_path):
    extra = name_of(2, "self_attn.q_proj")
    tuned = write(tmp_path / "tuned", {**tuned_from(base), extra: torch.ones(6, 8)})
    with pytest.raises(InputError, match=r"layers\.2\.self_attn\.q_proj\.weight' is missing"):
        measure(base_dir, tuned, tmp_path)


def test_an_embedding_that_grew_is_named(base, base_dir, tmp_path):
    tuned = write(tmp_path / "tuned", {**tuned_from(base), EMBEDDING: torch.ones(12, 8)})
    with pytest.raises(InputError, match=r"'model\.embed_tokens\.weight' has shape \(11, 8\)"):
        measure(base_dir, tuned, tmp_path)


@pytest.mark.parametrize("suffix", ["lora_embedding_A", "bias"])
def test_a_tensor_of_an_adapter_that_no_formula_uses_is_refused(base_dir, tmp_path, suffix):
    adapter = write_adapter(tmp_path / "adapter", **{suffix: torch.ones(3)})
    with pytest.raises(InputError, match=rf"q_proj\.{suffix}' would be ignored"):
        measure(base_dir, adapter, tmp_path)


def test_a_truncated_shard_names_the_tensor_that_it_cuts(base, tmp_path):
    folder = write_sharded(tmp_path / "base", base, 2)
    shard = folder / "model-00002-of-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"ends before the end of tensor '(?P<name>[\w.]+)'") as caught:
        TensorStore(folder)
    weight_map = json.loads((folder / "model.safetensors.index.json").read_text())["weight_map"]
    cut = str(caught.value).split("end of tensor '")[1].split("'")[0]
    assert weight_map[cut] == shard.name


@pytest.mark.parametrize("length", [0, 5, 60])
def test_a_file_whose_header_is_cut_is_named(base, tmp_path, length):
    folder = write(tmp_path / "base", base)
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(InputError, match=r"model\.safetensors: not a readable safetensors file"):
        TensorStore(folder)


def test_a_missing_shard_names_a_tensor_that_it_held(base, tmp_path):
    folder = write_sharded(tmp_path / "base", base)
    (folder / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(InputError, match=r"00002-of-00003.* this shard is missing, and with it tensor 'model\."):
        TensorStore(folder)


def test_a_tensor_that_the_index_promises_must_be_in_its_shard(base, tmp_path):
    folder = write_sharded(tmp_path / "base", base)
    index = folder / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    content["weight_map"]["model.layers.9.ghost.weight"] = "model-00001-of-00003.safetensors"
    index.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"'model\.layers\.9\.ghost\.weight' is missing"):
        TensorStore(folder)


def test_an_index_decides_which_files_are_the_model(base, tmp_path):
    """Some releases lie beside a second copy under other names."""
    folder = write_sharded(tmp_path / "base", base)
    save_file({"layers.0.attention.wq.weight": torch.ones(2, 2)}, folder / "consolidated.safetensors")
    assert TensorStore(folder).names == sorted(base)


def test_a_pair_without_any_matrix_or_with_nothing_in_the_folder_is_refused(base, base_dir, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no adapter_config\.json and no \*\.safetensors"):
        list(iterate_updates(base_dir, tmp_path / "empty"))
    only = {name: base[name] for name in (EMBEDDING, HEAD, NORM)}
    with pytest.raises(InputError, match="no weight in its decoder layers"):
        measure(write(tmp_path / "b", only), write(tmp_path / "t", only), tmp_path)


def test_large_modules_are_estimated_on_request(tmp_path):
    generator = torch.Generator().manual_seed(5)
    tensors = {Q1: torch.randn(600, 560, generator=generator), name_of(0, "mlp.down_proj"): torch.randn(40, 30)}
    base_dir = write(tmp_path / "large_base", tensors)
    tuned = {name: tensor + 0.01 * torch.randn(tensor.shape, generator=generator) for name, tensor in tensors.items()}
    tuned_dir = write(tmp_path / "large_tuned", tuned)
    (update,) = (update for update in iterate_updates(base_dir, tuned_dir) if update.projection == "q_proj")
    exact = {row["quantity"]: row for row in measure_update(update, update.matrices())}
    found = {row["quantity"]: row for row in measure_update(update, update.matrices(), estimated=True)}
    assert found.pop("rounding_floor")["value"] == pytest.approx(exact["rounding_floor"]["value"], rel=1e-5)
    assert {row["method"] for row in found.values()} == {"estimated"}
    for name in ("effective_rank", "participation_ratio", "attained_share"):
        error = abs(found[name]["value"] - exact[name]["value"])
        assert 0 < found[name]["std_error"] < 0.02 * exact[name]["value"]
        assert error < 4 * found[name]["std_error"]
    assert found["frobenius_norm"]["value"] == pytest.approx(exact["frobenius_norm"]["value"], rel=1e-5)
    (small,) = (update for update in iterate_updates(base_dir, tuned_dir) if update.projection == "down_proj")
    assert {row["method"] for row in measure_update(small, small.matrices(), estimated=True)} == {"exact"}


def test_a_run_that_trains_only_norms_has_no_spectrum_but_a_sparsity(base, base_dir, tmp_path):
    """LayerNorm tuning: an adapter, and the base with it merged in, whose matrices are all as they were."""
    run = tmp_path / "run"
    write_adapter(run / "adapter")
    write(run / "model", {**base, NORM: base[NORM] * 2})
    spectra, diagnostics = measure(base_dir, run, tmp_path)
    parameters = sum(tensor.numel() for tensor in base.values())
    assert spectra.empty and value(diagnostics, "model", "model_sparsity") == pytest.approx(1 - 8 / parameters)
    assert value(diagnostics, Q1.removesuffix(".weight"), "rest_sparsity") == 1.0


def test_large_finite_values_whose_sum_overflows_are_read(tmp_path):
    huge = torch.full((50,), 3e38, dtype=torch.float32)
    store = TensorStore(write(tmp_path / "base", {"x.weight": huge}))
    assert torch.equal(store.read("x.weight"), huge) and not torch.isfinite(huge.sum())


def test_the_rest_of_an_adapters_base_is_the_base(base, base_dir, tmp_path):
    adapter = write_adapter(tmp_path / "adapter")
    rest = list(iterate_rest(base_dir, adapter, {Q1.removesuffix(".weight")}))
    assert {pair.name for pair in rest} == set(base) - {Q1} and all(pair.same for pair in rest)


TOWER = "visual.blocks.0.attn.qkv.weight"
ENCODER = "vision_tower.vision_model.encoder.layers.7.self_attn.q_proj.weight"  # named like a decoder layer


def test_a_vision_tower_is_left_out_by_name_and_its_share_is_told(base, tmp_path):
    seeing = {**base, TOWER: torch.ones(4, 6), ENCODER: torch.ones(3, 3)}
    tuned = {**tuned_from(base), TOWER: torch.zeros(4, 6), ENCODER: torch.zeros(3, 3)}
    spectra, diagnostics = measure(write(tmp_path / "base", seeing), write(tmp_path / "tuned", tuned), tmp_path)
    assert spectra["layer"].max() == 1 and not spectra["module"].str.contains("vis").any()
    assert not diagnostics["module"].str.contains("vis").any()
    everything = sum(tensor.numel() for tensor in seeing.values())
    assert value(diagnostics, "model", "left_out_share") == pytest.approx(33 / everything)
    _, plain = measure(write(tmp_path / "text", base), write(tmp_path / "tuned_text", tuned_from(base)), tmp_path)
    assert value(plain, "model", "left_out_share") == 0.0
    assert value(plain, "model", "model_sparsity") == value(diagnostics, "model", "model_sparsity")
