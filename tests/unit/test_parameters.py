"""Parameter counts at real size: closed forms, the layer-by-layer count, and the verdicts on what the papers print."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from bound_rows import SCALES, SCHEMAS, STUDIES, bind_row
from transformers import AutoModelForCausalLM, PretrainedConfig

from rlvr.adapters.methods import METHODS
from rlvr.core.errors import InputError
from rlvr.plan.memory import RESERVE
from rlvr.plan.real_size import check_printed_counts, load_printed_counts, real_size_rows
from rlvr.plan.scale import load_scale
from rlvr.plan.settings import TrainSettings
from rlvr.report.parameter_tables import judge_count, tabulate_printed
from rlvr.train import footprint as counting
from rlvr.train.footprint import count_parameters, count_rows, measure_footprint, read_architecture
from rlvr.train.run import attach_adapter

ROOT = Path(__file__).resolve().parents[2]
SCALE = load_scale("paper", SCALES, SCHEMAS)
CONFIGS = {path.stem: read_architecture(path) for path in (ROOT / "data/configs").glob("*.json")}
TOTALS = {  # SOURCE: the sizes that the model cards state, in billions
    "qwen3-8b": 8.19,
    "llama-3.1-8b": 8.03,
    "apertus-8b": 8.05,
    "deepseek-r1-distill-qwen-1.5b": 1.78,
    "deepseek-r1-distill-qwen-7b": 7.62,
    "qwen2.5-7b": 7.62,
    "llama-3.2-3b": 3.21,
}
LORA = {"method": "lora", "rank": 16, "alpha": 32, "target_modules": "all_linear"}
DORA = {**LORA, "method": "dora"}


def settings(model: str = "qwen3-8b", **cells: Any) -> TrainSettings:
    row = {"run_id": "r", "model": model, "dataset": "d", "seed": 0, **cells}
    return TrainSettings.from_json(bind_row(row, SCALE))


def linear_shapes(config: PretrainedConfig) -> list[tuple[int, int]]:
    """Rows and columns of the seven projections of a layer with a gated MLP, written out."""
    hidden, inner, head = config.hidden_size, config.intermediate_size, config.head_dim
    queries, keys = config.num_attention_heads * head, config.num_key_value_heads * head
    attention = [(queries, hidden), (keys, hidden), (keys, hidden), (hidden, queries)]
    return [*attention, (inner, hidden), (inner, hidden), (hidden, inner)]


@pytest.mark.parametrize("model", TOTALS)
def test_the_bases_have_their_stated_size(model: str) -> None:
    base, trainable, saved = count_parameters(CONFIGS[model], settings(model, method="full"))
    assert base == trainable == saved
    assert round(base / 1e9, 2) == TOTALS[model]


@pytest.mark.parametrize("model", ["qwen3-8b", "llama-3.1-8b", "llama-3.2-3b"])
@pytest.mark.parametrize("cells", [LORA, DORA])
def test_low_rank_counts_follow_their_closed_form(model: str, cells: dict[str, Any]) -> None:
    config = CONFIGS[model]
    layer = sum(16 * (rows + cols) + (rows if cells is DORA else 0) for rows, cols in linear_shapes(config))
    assert count_parameters(config, settings(model, **cells))[1] == config.num_hidden_layers * layer


@pytest.mark.parametrize(
    "cells", [LORA, {"method": "ln-tuning"}, {"method": "vera", "rank": 8, "target_modules": "all_linear"}]
)
def test_two_layers_tell_the_count_of_five(cells: dict[str, Any]) -> None:
    config = type(CONFIGS["qwen3-8b"])(**{**CONFIGS["qwen3-8b"].to_dict(), "num_hidden_layers": 5, "layer_types": None})
    chosen = settings(**cells)
    with torch.device("meta"):
        model = attach_adapter(AutoModelForCausalLM.from_config(config), chosen)
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    assert count_parameters(config, chosen)[1] == trained


def test_memory_adds_up_for_an_adapter_and_for_full_fine_tuning() -> None:
    config = CONFIGS["qwen3-8b"]
    adapter, full = measure_footprint(config, settings(**LORA)), measure_footprint(config, settings(method="full"))
    assert adapter.saved_bytes == 4 * adapter.trainable_parameters == adapter.optimizer_bytes / 2
    passes = full.gpu_bytes - (4 + 4 + 8 + 4) * full.base_parameters  # weights, gradients, moments, DDP's buckets
    assert 8 * 2**30 < passes < 12 * 2**30, "activations of 2 x 8,192 tokens, a tile of the head, and the reserve"
    merged = 2 * sum(rows * cols for rows, cols in linear_shapes(config)) * config.num_hidden_layers
    always = 2 * adapter.base_parameters + (4 + 8) * adapter.trainable_parameters
    assert adapter.gpu_bytes == always + merged + RESERVE, "the copies for rollouts are larger than a backward pass"


@pytest.mark.parametrize(
    ("cells", "extra"),
    [
        ({"method": "quanta", "axes": 3, "target_modules": "no_kv"}, lambda base, trained: 4 * trained),  # as drawn
        ({**LORA, "method": "pissa"}, lambda base, trained: 4 * trained),  # twice the rank, on the original base
        ({"method": "ln-tuning"}, lambda base, trained: 4 * base),  # the merged model
    ],
)
def test_what_a_run_keeps_is_more_than_what_it_trains(cells: dict[str, Any], extra: Callable[[int, int], int]) -> None:
    found = measure_footprint(CONFIGS["qwen3-8b"], settings(**cells))
    beside = found.saved_bytes - 4 * found.trainable_parameters
    assert beside == extra(found.base_parameters, found.trainable_parameters)


def test_the_printed_counts_are_judged_as_they_deserve() -> None:
    study = ROOT / "workflow/studies/structure-over-scale/reported/parameters.csv"
    rows = real_size_rows([study], [], CONFIGS, SCALES, STUDIES, SCHEMAS, METHODS)
    table = tabulate_printed(count_rows(rows, CONFIGS))
    differing = table[table["verdict"] == "differs"]
    assert set(differing["row"]) == {"DoRA r = 32", "DoRA r = 64"}
    assert len(table) == 33
    assert (table[table["row"] == "LoRA r = 16"]["verdict"] == "agrees").all()


@pytest.mark.parametrize(
    ("printed", "unit", "trainable", "verdict"),
    [
        ("43.6M", "parameters", 43_646_976, "agrees"),
        ("87.2M", "parameters", 87_293_952, "agrees within 1 %"),
        ("90.0M", "parameters", 88_694_784, "differs"),
        ("~700M", "parameters", 698_351_616, "agrees"),
        ("1.5", "percent", 154, "agrees"),
        ("1.55", "percent", 208, "differs"),
    ],
)
def test_verdicts(printed: str, unit: str, trainable: int, verdict: str) -> None:
    assert judge_count(printed, unit, trainable, 10_000) == verdict


def test_a_model_without_configuration_is_refused_with_the_file_to_add() -> None:
    with pytest.raises(InputError, match=r"data/configs/gpt-2\.json"):
        count_rows([{"model": "gpt-2", "settings": settings(**LORA).to_json()}], CONFIGS)


def test_settings_that_do_not_fit_are_refused_with_module_and_shape() -> None:
    with pytest.raises(InputError, match=r"q_proj.*1536 x 1536"):
        count_parameters(
            CONFIGS["deepseek-r1-distill-qwen-1.5b"], settings(method="quanta", axes=3, target_modules="no_kv")
        )


def test_butterfly_factors_are_counted_without_their_dense_permutations() -> None:
    cells = {"method": "boft", "block_size": 8, "butterfly_factors": 2, "target_modules": "all_linear"}
    config = CONFIGS["qwen3-8b"]
    expected = config.num_hidden_layers * sum(2 * cols * 8 for _, cols in linear_shapes(config))
    assert count_parameters(config, settings(**cells))[1] == expected


def test_a_masked_run_keeps_moments_of_the_masked_matrices_and_saves_the_model() -> None:
    cells = {"method": "sparse-union", "rank": 16, "density": 0.5, "target_modules": "all_linear"}
    config = CONFIGS["qwen3-8b"]
    footprint = measure_footprint(config, settings(**cells))
    expected = config.num_hidden_layers * sum(rows * cols for rows, cols in linear_shapes(config))
    assert footprint.trainable_parameters == expected and footprint.optimizer_bytes == 2 * 4 * expected
    assert footprint.saved_bytes == 2 * (footprint.base_parameters - expected) + 4 * expected


def test_a_tuner_that_needs_storage_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def attach_by_value(base: torch.nn.Module, _: TrainSettings) -> torch.nn.Module:
        next(base.parameters()).sum().item()
        return base

    monkeypatch.setattr(counting, "attach_adapter", attach_by_value)
    with pytest.raises(InputError, match="method 'lora': cannot be built without storage"):
        count_parameters(CONFIGS["qwen3-8b"], settings(**LORA))


def test_rows_that_differ_in_any_setting_are_counted_apart() -> None:
    cells = {"model": "qwen3-8b", "method": "boft", "butterfly_factors": 1, "target_modules": "mlp"}
    rows = [{"model": "qwen3-8b", "settings": settings(**cells, block_size=size).to_json()} for size in (4, 8)]
    one, two = count_rows(rows, CONFIGS)
    assert two["trainable_parameters"] == 2 * one["trainable_parameters"]


def test_a_count_that_a_table_prints_is_looked_up_there(tmp_path: Path) -> None:
    path = tmp_path / "reported" / "parameters.csv"
    path.parent.mkdir()
    head = "output,label,model,method,unit,printed\n"
    (path.parent / "table4.csv").write_text("row,parameters,x\nlora,22M,\n")
    path.write_text(f"{head}table 4,l,m,lora,parameters,[table4 lora parameters]\n")
    assert load_printed_counts(path)[0]["printed"] == "22M"
    for place in ("table4 dora parameters", "table4 lora counts", "table4 lora x"):
        path.write_text(f"{head}table 4,l,m,lora,parameters,[{place}]\n")
        with pytest.raises(InputError, match=rf"line 2: \[{place}\] names no printed cell"):
            load_printed_counts(path)


def test_an_unknown_unit_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "reported" / "parameters.csv"
    path.parent.mkdir()
    path.write_text("output,label,model,method,unit,printed\nt,l,m,lora,furlongs,3M\n")
    with pytest.raises(InputError, match="line 2: unit 'furlongs'"):
        load_printed_counts(path)


def test_a_printed_count_of_a_model_that_no_scale_has_is_refused(tmp_path):
    path = tmp_path / "study/reported/parameters.csv"
    path.parent.mkdir(parents=True)
    path.write_text("label,model,method,rank,alpha,target_modules,printed,unit\nL,lama,lora,8,16,qkvo,1M,parameters\n")
    with pytest.raises(InputError, match=r"row 'L': model 'lama' is not known\. Known: llama"):
        check_printed_counts(path, METHODS, ["llama"])
    check_printed_counts(tmp_path / "other.csv", METHODS, ["llama"])
