"""Memory by arithmetic: against bytes that torch really holds, against counts on real modules, and by hand."""

import json
from pathlib import Path

import pytest
import torch
from bound_rows import SCALES, SCHEMAS, bind_row
from small_models import CONFIGS, SIZES, settings_of, small_model, token_batch

from rlvr.adapters.methods import METHODS
from rlvr.core.errors import InputError
from rlvr.plan.memory import (
    GIB,
    IMPORTED,
    RESERVE,
    Load,
    card_bytes,
    check_memory,
    host_bytes,
    may_be_divided,
    memory_row,
    run_load,
)
from rlvr.plan.memory_table import memory_rows
from rlvr.plan.scale import load_scale
from rlvr.plan.settings import TrainSettings
from rlvr.plan.shapes import shape_of
from rlvr.train.footprint import count_parameters, read_architecture

ROOT = Path(__file__).resolve().parents[2]
SCALE = load_scale("paper", SCALES, SCHEMAS)
REAL = sorted((ROOT / "data/configs").glob("*.json"))
QWEN = shape_of(json.loads((ROOT / "data/configs/qwen3-8b.json").read_text()))
LORA = {"method": "lora", "rank": 16, "alpha": 32, "target_modules": "all_linear"}


def at_real_size(model="qwen3-8b", **cells):
    row = {"run_id": "r", "model": model, "dataset": "d", "seed": 0, **cells}
    return TrainSettings.from_json(bind_row(row, SCALE))


def bytes_of(tensors):
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors if tensor is not None)


def shape_of_small(architecture):
    extra = {"head_dim": 4} if architecture == "qwen3" else {}
    return shape_of({"model_type": architecture, **SIZES, **extra, "tie_word_embeddings": False})


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_closed_forms_are_the_counts_of_the_modules(path):
    shape, config = shape_of(json.loads(path.read_text())), read_architecture(path)
    for cells in ({"method": "full"}, LORA, {"method": "ln-tuning"}):
        settings = at_real_size(path.stem, **cells)
        load, counts = run_load(shape, settings, METHODS[settings.method]), count_parameters(config, settings)
        assert (load.base, load.trained) == (counts.base, counts.trainable)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("architecture", CONFIGS)
@pytest.mark.parametrize("method", METHODS)
def test_weights_gradients_and_moments_are_what_torch_holds(method, architecture, dtype):
    settings = settings_of(method, base_dtype=dtype)
    model = METHODS[method].attach(small_model(architecture, dtype=getattr(torch, dtype)), settings).train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-3)
    model(token_batch(), labels=token_batch()).loss.backward()
    for parameter in trained:  # AdaLoRA's and BOFT's parts that one pass leaves out get theirs later
        parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    optimizer.step()
    shape = shape_of_small(architecture)
    found = card_bytes(run_load(shape, settings, METHODS[method]), shape, settings)
    held = [state for entry in optimizer.state.values() for name, state in entry.items() if name != "step"]
    assert found.gradients == bytes_of(parameter.grad for parameter in trained)
    assert found.moments == bytes_of(held)
    frozen = bytes_of(parameter for parameter in model.parameters() if not parameter.requires_grad)
    permutations = bytes_of(buffer for name, buffer in model.named_buffers() if "boft_P" in name)
    held = frozen + bytes_of(trained) + permutations
    assert 0.7 * held < found.weights <= held, "a method may hold frozen factors of its own (VeRA, LoRA-FA, residuals)"
    if method in ("lora", "dora", "rslora", "lora-plus", "full", "sparse-union", "sparse-principal"):
        assert found.weights == held


@pytest.mark.parametrize("trained", ["float32", "stored"])
def test_stored_weights_are_trained_as_they_lie(trained):
    settings = settings_of("full", base_dtype="bfloat16", trained_dtype=trained)
    model = METHODS["full"].attach(small_model(dtype=torch.bfloat16), settings).train()
    model(token_batch(), labels=token_batch()).loss.backward()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    optimizer.step()
    shape = shape_of_small("qwen3")
    found = card_bytes(run_load(shape, settings, METHODS["full"]), shape, settings)
    held = [state for entry in optimizer.state.values() for name, state in entry.items() if name != "step"]
    assert (found.weights, found.moments) == (bytes_of(model.parameters()), bytes_of(held))
    assert found.gradients == bytes_of(parameter.grad for parameter in model.parameters())


def test_the_shardings_by_hand():
    settings = at_real_size(method="full")
    load = Load(base=800, trained=800, adapted=800, of_base=True)
    found = {name: card_bytes(load, QWEN, settings, 0, name) for name in ("ddp", "zero2", "fsdp2")}
    ddp, zero2, fsdp2 = found.values()
    assert (ddp.weights, ddp.masters, ddp.gradients, ddp.moments, ddp.buckets) == (3200, 0, 3200, 6400, 3200)
    assert (zero2.weights, zero2.masters, zero2.gradients, zero2.moments) == (1600, 800, 400, 1600)
    assert (fsdp2.weights, fsdp2.gradients, fsdp2.moments) == (800, 800, 1600)
    alone = card_bytes(load, QWEN, TrainSettings.from_json({**settings.to_json(), "devices": 1}), 0, "ddp")
    assert alone.buckets == 0 and alone.total < ddp.total
    always = ddp.weights + ddp.moments + RESERVE
    assert ddp.total == always + ddp.gradients + ddp.buckets + ddp.activations + ddp.head


def test_what_is_gathered_is_two_layers_and_the_head_with_its_gradient():
    settings = at_real_size(method="full")
    parts = card_bytes(run_load(QWEN, settings, METHODS["full"]), QWEN, settings, 62.7, "fsdp2")
    head = 151936 * 4096  # SOURCE: data/configs/qwen3-8b.json: vocabulary and width
    layers = 2 * (QWEN.parameters - head) // 36
    assert parts.buckets == (layers + head) * 2 + head * (2 + 4)  # computed in bfloat16, reduced in float32
    awake = parts.weights + parts.moments + RESERVE + parts.engine
    training = parts.gradients + parts.buckets + parts.activations + parts.head
    assert parts.total == awake - parts.engine + max(training, parts.engine), "vLLM sleeps while this run trains"


def test_the_memory_of_a_node_by_hand():
    settings, base = at_real_size(method="full"), 1000
    load = Load(base, base, base, of_base=True)
    # four processes read float32 weights; one has what it writes, a model to write it from, and the copies
    assert host_bytes(load, settings, "fsdp2") == 4 * IMPORTED + 4 * 4 * base
    assert host_bytes(load, settings, "ddp") == 4 * IMPORTED + 4 * (2 + 4) * base + 4 * base
    adapter = Load(base, 10, base, of_base=False)
    assert host_bytes(adapter, settings, "ddp") == 4 * IMPORTED + 4 * 2 * base
    alone = TrainSettings.from_json({**at_real_size(**LORA).to_json(), "devices": 1})
    assert host_bytes(adapter, alone, "ddp", exports=True) == IMPORTED + 4 * base


def test_rollouts_that_are_merged_cost_a_copy_when_gradients_do_not():
    settings = at_real_size(**LORA)
    found = card_bytes(Load(10**9, 1000, 9 * 10**8, of_base=False), QWEN, settings, 64, "ddp")
    assert found.merged == 2 * 9 * 10**8 and found.engine == round(0.35 * 64 * GIB)
    large = card_bytes(Load(10**9, 1000, 9 * 10**9, of_base=False), QWEN, settings, 64, "ddp")
    assert large.total - large.merged == found.total - (
        found.gradients + found.buckets + found.activations + found.head
    )


@pytest.mark.parametrize("checkpointing", [True, False])
def test_activations_grow_with_tokens_and_shrink_by_checkpointing(checkpointing):
    kept = {}
    for size in (2, 4):
        changes = {"micro_batch_completions": size, "gradient_checkpointing": checkpointing}
        settings = TrainSettings.from_json({**at_real_size(**LORA).to_json(), **changes})
        kept[size] = card_bytes(run_load(QWEN, settings, METHODS["lora"]), QWEN, settings).activations
    assert kept[4] == 2 * kept[2]
    tokens = 2 * (settings.max_prompt_tokens + settings.max_completion_tokens)
    inside = 10 * 4096 + 3 * 12288
    assert kept[2] == tokens * 2 * ((36 * 4096 + inside) if checkpointing else 37 * inside)


def test_eight_billion_parameters_on_four_cards_of_64_gb():
    rows = {name: memory_row(QWEN, at_real_size(**cells), METHODS[cells["method"]], 62.7) for name, cells in {
        "lora": LORA, "full": {"method": "full"}, "stored": {"method": "full", "trained_dtype": "stored"},
    }.items()}  # fmt: skip
    assert rows["lora"]["fits"] == "ddp" and rows["full"]["fits"] == rows["stored"]["fits"] == "fsdp2"
    assert rows["full"]["ddp"] > 150 and rows["full"]["fsdp2"] < 62.7
    # SOURCE: 8.19e9 parameters x 2 bytes, in GiB
    assert rows["stored"]["weights"] == rows["stored"]["gradients"] == 15.3 and rows["stored"]["moments"] == 30.5


def specs(**cells):
    return {name: at_real_size(**row).to_json() for name, row in cells.items()}


def test_a_run_that_fits_in_no_way_is_refused_with_its_numbers_or_left_out():
    given = specs(small=LORA, large={"method": "full"}), {"q": QWEN}, {"small": "q", "large": "q"}, METHODS
    node, given[0]["alone"], given[2]["alone"] = {"mem_mb": 256000}, given[0]["large"] | {"devices": 1}, "q"
    with pytest.raises(InputError, match=r"1 runs do not fit; 'alone' needs 15\d.* of 62.7 GiB .*weights 30.5.*FSDP2"):
        check_memory(*given, {"card_gib": 62.7, **node}, "paper.yaml")
    unfit, divided = check_memory(*given, {"card_gib": 62.7, "unfit": "leave-out", **node}, "paper.yaml")
    assert (list(unfit), divided) == (["alone"], {"large"})
    assert check_memory(*given, {"card_gib": 300, **node}, "x") == check_memory(*given, {}, "x") == ({}, frozenset())
    unknown = check_memory(given[0], {}, given[2], METHODS, {"card_gib": 1, **node}, "x")
    assert unknown == ({}, frozenset()), "a base that is not known yet"
    del given[0]["alone"]
    with pytest.raises(InputError, match=r"'large' needs 138\.\d GiB of its node's memory, mem_mb gives 125"):
        check_memory(*given, {"card_gib": 62.7, "mem_mb": 128000}, "x")


@pytest.mark.parametrize(("method", "changes", "divided"), [
    ("full", {}, True), ("full", {"devices": 1}, False), ("sparse-union", {}, False), ("adalora", {}, False),
    ("lora", {}, False), ("lora", {"generation": "transformers"}, True),
])  # fmt: skip
def test_who_may_be_divided(method, changes, divided):
    settings = settings_of(method, **{"devices": 4, "micro_batch_completions": 2, "generation": "vllm"} | changes)
    assert may_be_divided(settings, METHODS[method]) == divided


def test_the_table_joins_runs_that_cost_the_same():
    rows = [{"run_id": f"r{i}", "model": "qwen3-8b", "settings": at_real_size(**LORA).to_json()} for i in range(3)]
    rows += [{"label": "printed", "model": "qwen3-8b", "settings": at_real_size(**LORA).to_json()}]
    configs = {"qwen3-8b": json.loads((ROOT / "data/configs/qwen3-8b.json").read_text())}
    (found,) = memory_rows(rows, configs, METHODS, 62.7)
    assert found["runs"] == 3 and found["for example"] == "r0" and found["fits"].startswith("ddp")
