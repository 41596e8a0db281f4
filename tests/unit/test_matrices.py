"""One matrix, made once: what measuring a module reads and computes, counted."""

from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from rlvr.core.errors import InputError
from rlvr.core.io import write_json
from rlvr.spectra.measure import measure_pair
from rlvr.spectra.settings import DiagnosticsSettings
from rlvr.weights import matrices, updates
from rlvr.weights.linear_maps import dora_map
from rlvr.weights.matrices import ModuleUpdate, dora_update
from rlvr.weights.quanta_gates import parameter_count
from rlvr.weights.tensors import TensorStore

ROWS, COLS, RANK, DIMS = 12, 8, 2, [4, 2]
MODULES = [f"model.layers.{layer}.self_attn.{name}" for layer in (0, 1) for name in ("q_proj", "v_proj")]
FORMULAS = {"lora": "multiply_factors", "dora": "dora_update", "quanta": "update_matrix", "full": "subtract"}


def gaussian(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def write_pair(folder: Path, family: str) -> tuple[Path, Path]:
    """A base of four modules, and an adapter or a model tuned from it."""
    base = {f"{module}.weight": gaussian(ROWS, COLS) for module in MODULES}
    (folder / "base").mkdir()
    save_file(base, folder / "base" / "model.safetensors")
    tuned = folder / "tuned"
    tuned.mkdir()
    if family == "full":
        save_file({name: weight + 0.1 for name, weight in base.items()}, tuned / "model.safetensors")
        return folder / "base", tuned
    tensors: dict[str, torch.Tensor] = {}
    for module in MODULES:
        name = f"base_model.model.{module}"
        if family == "quanta":
            start = gaussian(parameter_count(DIMS))
            tensors |= {f"{name}.quanta_theta_0": start, f"{name}.quanta_theta": start + 0.1}
            continue
        tensors |= {f"{name}.lora_A.weight": gaussian(RANK, COLS), f"{name}.lora_B.weight": gaussian(ROWS, RANK)}
        if family == "dora":
            tensors[f"{name}.lora_magnitude_vector"] = torch.ones(ROWS)
    save_file(tensors, tuned / "adapter_model.safetensors")
    kind = {"peft_type": "QUANTA", "dims": DIMS} if family == "quanta" else {"peft_type": "LORA", "lora_alpha": 2}
    write_json({**kind, "use_dora": family == "dora"}, tuned / "adapter_config.json")
    return folder / "base", tuned


@pytest.fixture
def counted(monkeypatch):
    """Count how often each tensor is read and each formula of a family is computed."""
    reads: Counter[tuple[str, str]] = Counter()
    computed: Counter[str] = Counter()
    read = TensorStore.read

    def counting_read(store: TensorStore, name: str) -> torch.Tensor:
        reads[store.folder.name, name] += 1
        return read(store, name)

    def count(place, name: str) -> None:
        formula = getattr(place, name)

        def counting(*arguments, **named):
            computed[name] += 1
            return formula(*arguments, **named)

        monkeypatch.setattr(place, name, counting)

    monkeypatch.setattr(TensorStore, "read", counting_read)
    for place, name in ((matrices, "multiply_factors"), (updates, "dora_update"), (updates, "update_matrix")):
        count(place, name)
    count(matrices, "subtract")
    return reads, computed


@pytest.mark.parametrize("family", FORMULAS)
def test_a_decomposed_module_reads_its_base_once_and_computes_its_update_once(tmp_path, counted, family):
    """With every layer decomposed, which asks for base, tuned weight and update more often than anything else."""
    base_dir, tuned_dir = write_pair(tmp_path, family)
    settings = DiagnosticsSettings(principal_rank=2, mask_share=0.5, top_directions=2)
    measure_pair(base_dir, tuned_dir, "pair", settings, tmp_path / "spectra.parquet", tmp_path / "diagnostics.parquet")
    reads, computed = counted
    assert {reads["base", f"{module}.weight"] for module in MODULES} == {1}
    assert set(reads.values()) == {1}
    assert computed[FORMULAS[family]] == len(MODULES)


def test_what_is_made_is_kept_with_the_matrices_and_not_with_the_module():
    reads: list[int] = []

    def read_base() -> torch.Tensor:
        reads.append(1)
        return torch.ones(3, 2)

    module = ModuleUpdate("m.q_proj", 0, "q_proj", 3, 2, 2, read_base, change=lambda base: 2.0 * base.double())
    made = module.matrices()
    assert not reads
    assert torch.equal(made.tuned, 3 * torch.ones(3, 2)) and made.tuned is made.tuned and made.update is made.update
    assert len(reads) == 1
    assert torch.equal(module.dense(), 2 * torch.ones(3, 2, dtype=torch.float64)) and len(reads) == 2


def test_a_module_without_update_or_tuned_weight_is_an_error():
    module = ModuleUpdate("m.q_proj", 0, "q_proj", 3, 2, 2, lambda: torch.ones(3, 2))
    with pytest.raises(ValueError, match="q_proj has neither"):
        module.dense()


def test_dora_of_a_row_that_is_zero_is_refused_by_row():
    base = gaussian(4, 3)
    base[2] = 0.0
    parts = {"factors": (torch.zeros(4, 2), gaussian(2, 3)), "magnitude": torch.ones(4)}
    left, right = parts["factors"]
    made = ModuleUpdate(
        "m.q_proj", 0, "q_proj", 4, 3, 3, lambda: base,
        change=lambda weight: dora_update(weight, **parts),
        make_map=lambda weight: dora_map(weight, left, right, parts["magnitude"]),
    ).matrices()  # fmt: skip
    with pytest.raises(InputError, match=r"q_proj, row 2 of .* is zero"):
        _ = made.update
    with pytest.raises(InputError, match=r"q_proj, row 2 of .* is zero"):
        made.linear_map()
