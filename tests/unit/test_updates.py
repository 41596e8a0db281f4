"""Updates read from files against PEFT's own merge, and what damaged files lead to."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from rlvr.core.errors import InputError
from rlvr.weights.updates import iterate_updates, tuned_state_dict

MODULE = "model.layers.1.self_attn.q_proj"


@pytest.fixture(scope="module")
def qwen():
    """A random Qwen3 of 2 layers with tied embeddings."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    sizes = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, head_dim=4)
    return Qwen3ForCausalLM(Qwen3Config(vocab_size=32, num_key_value_heads=2, tie_word_embeddings=True, **sizes))


@pytest.fixture(scope="module")
def base_dir(qwen, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    qwen.save_pretrained(folder)
    return folder


def train_adapter(model, config, run_dir: Path) -> dict[str, torch.Tensor]:
    """Save an adapter with random values under ``run_dir/adapter``; the state that PEFT merges it to."""
    import copy

    from peft import get_peft_model

    tuned = get_peft_model(copy.deepcopy(model), config)
    generator = torch.Generator().manual_seed(1)
    for parameter in tuned.parameters():
        if parameter.requires_grad:
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    tuned.save_pretrained(run_dir / "adapter")
    return tuned.merge_and_unload().state_dict()


@pytest.mark.parametrize("options", [{}, {"use_dora": True}, {"use_rslora": True}], ids=["lora", "dora", "rslora"])
def test_merge_equals_peft(qwen, base_dir, tmp_path, options):
    from peft import LoraConfig

    targets = ["q_proj", "v_proj", "gate_proj", "down_proj"]
    config = LoraConfig(r=3, lora_alpha=7, target_modules=targets, **options)
    expected = train_adapter(qwen, config, tmp_path)
    merged = tuned_state_dict(base_dir, tmp_path)
    assert merged.keys() == expected.keys()
    for name in expected:
        torch.testing.assert_close(merged[name], expected[name], rtol=0, atol=1e-6)
    updates = list(iterate_updates(base_dir, tmp_path))
    assert len(updates) == 8
    assert all(torch.linalg.matrix_rank(update.dense()) <= update.bound for update in updates)
    assert {update.bound for update in updates} == ({3} if not options.get("use_dora") else {8, 16})


def test_quanta_merge_equals_our_tuner(qwen, base_dir, tmp_path):
    from rlvr.adapters.quanta import QuantaConfig

    config = QuantaConfig(dims=[2, 2, 4], target_modules=["q_proj", "v_proj", "down_proj"])
    expected = train_adapter(qwen, config, tmp_path)
    merged = tuned_state_dict(base_dir, tmp_path)
    for name in expected:
        torch.testing.assert_close(merged[name], expected[name], rtol=0, atol=1e-6)
    updates = {update.projection: update for update in iterate_updates(base_dir, tmp_path)}
    assert {name: update.bound for name, update in updates.items()} == {"q_proj": 16, "v_proj": 8, "down_proj": 16}
    assert float(updates["down_proj"].dense()[:, 16:].abs().max()) == 0.0  # inputs beyond the product of the dims


def test_factors_multiply_to_the_dense_update(qwen, base_dir, tmp_path):
    from peft import LoraConfig

    train_adapter(qwen, LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj"]), tmp_path)
    for update in iterate_updates(base_dir, tmp_path):
        left, right = update.factors
        assert left.shape == (update.rows, 2) and right.shape == (2, update.cols)
        torch.testing.assert_close(left @ right, update.dense())


@pytest.mark.parametrize("family", ["lora", "dora", "quanta"])
def test_products_with_the_linear_map_are_products_with_the_update(qwen, base_dir, tmp_path, family):
    from peft import LoraConfig

    from rlvr.adapters.quanta import QuantaConfig

    targets = ["q_proj", "v_proj", "down_proj"]
    config = LoraConfig(r=3, lora_alpha=7, target_modules=targets, use_dora=family == "dora")
    if family == "quanta":
        config = QuantaConfig(dims=[2, 2, 4], target_modules=targets)
    train_adapter(qwen, config, tmp_path)
    for update in iterate_updates(base_dir, tmp_path):
        dense, found = update.dense().float(), update.matrices().linear_map()
        assert (update.make_map is not None) == (family != "lora")
        torch.testing.assert_close(found.multiply(torch.eye(update.cols)), dense.T, rtol=0, atol=1e-5)
        torch.testing.assert_close(found.multiply_transposed(torch.eye(update.rows)), dense, rtol=0, atol=1e-5)
        assert found.squared_norm == pytest.approx(float(dense.square().sum()), rel=1e-4)


def test_full_update_is_tuned_minus_base(base_dir, tmp_path):
    tensors = load_file(base_dir / "model.safetensors")
    moved = {name: tensor + 0.5 if "q_proj" in name else tensor for name, tensor in tensors.items()}
    write_full(tmp_path, moved)
    updates = {update.module: update for update in iterate_updates(base_dir, tmp_path)}
    assert len(updates) == 14  # 7 projections x 2 layers, neither norms nor embeddings
    torch.testing.assert_close(
        updates[MODULE].dense(), torch.full((16, 16), 0.5, dtype=torch.float64), atol=1e-6, rtol=0
    )
    assert float(updates["model.layers.0.mlp.up_proj"].dense().abs().max()) == 0.0
    assert updates[MODULE].layer == 1 and updates[MODULE].projection == "q_proj"
    merged = tuned_state_dict(base_dir, tmp_path)
    assert torch.equal(merged["lm_head.weight"], merged["model.embed_tokens.weight"])


def test_a_sharded_base_reads_the_same(qwen, base_dir, tmp_path):
    qwen.save_pretrained(tmp_path / "sharded", max_shard_size="4KB")
    assert len(list((tmp_path / "sharded").glob("*.safetensors"))) > 1
    write_full(tmp_path, load_file(base_dir / "model.safetensors"))
    whole, sharded = (list(iterate_updates(base, tmp_path)) for base in (base_dir, tmp_path / "sharded"))
    assert [update.module for update in whole] == [update.module for update in sharded]


def write_full(run_dir: Path, tensors: dict[str, torch.Tensor]) -> None:
    (run_dir / "model").mkdir()
    save_file(tensors, run_dir / "model" / "model.safetensors")


def write_lora(run_dir: Path, change=lambda tensors: None, **config) -> None:
    """A hand-written adapter of rank 2 on one module."""
    (run_dir / "adapter").mkdir()
    settings = {"peft_type": "LORA", "lora_alpha": 4, "r": 2, **config}
    (run_dir / "adapter" / "adapter_config.json").write_text(json.dumps(settings))
    name = f"base_model.model.{MODULE}"
    tensors = {f"{name}.lora_A.weight": torch.ones(2, 16), f"{name}.lora_B.weight": torch.ones(16, 2)}
    change(tensors)
    save_file(tensors, run_dir / "adapter" / "adapter_model.safetensors")


def drop_b(tensors):
    tensors.pop(f"base_model.model.{MODULE}.lora_B.weight")


def poison(tensors):
    tensors[f"base_model.model.{MODULE}.lora_A.weight"][0, 0] = float("nan")


def widen(tensors):
    tensors[f"base_model.model.{MODULE}.lora_A.weight"] = torch.ones(2, 17)


def regrade(tensors):
    tensors[f"base_model.model.{MODULE}.lora_A.weight"] = torch.ones(3, 16)


@pytest.mark.parametrize(
    ("change", "config", "message"),
    [
        (drop_b, {}, f"'{MODULE}.lora_B.weight' is missing"),
        (poison, {}, f"'{MODULE}.lora_A.weight' holds NaN"),
        (widen, {}, f"'{MODULE}.weight' has shape"),
        (regrade, {}, f"'{MODULE}.lora_B.weight' has shape"),
        (lambda tensors: None, {"peft_type": "VERA"}, "peft_type 'VERA' is not supported"),
        (lambda tensors: None, {"alpha_pattern": {"q_proj": 8}}, "alpha_pattern"),
        (lambda tensors: None, {"use_dora": True}, "lora_magnitude_vector' is missing"),
        (lambda tensors: None, {"init_lora_weights": "pissa_niter_4"}, "init_lora_weights 'pissa_niter_4' subtracts"),
    ],
)
def test_damaged_adapters_name_the_tensor(base_dir, tmp_path, change, config, message):
    write_lora(tmp_path, change, **config)
    with pytest.raises(InputError, match=message.replace(".", r"\.")):
        [update.dense() for update in iterate_updates(base_dir, tmp_path)]


def test_a_full_model_that_lacks_a_tensor_is_refused(base_dir, tmp_path):
    tensors = load_file(base_dir / "model.safetensors")
    tensors.pop(f"{MODULE}.weight")
    write_full(tmp_path, tensors)
    with pytest.raises(InputError, match=rf"'{MODULE}\.weight' is missing"):
        list(iterate_updates(base_dir, tmp_path))


def test_a_truncated_file_and_an_empty_run_are_refused(base_dir, tmp_path):
    with pytest.raises(InputError, match="neither 'adapter/' nor 'model/'"):
        list(iterate_updates(base_dir, tmp_path))
    write_lora(tmp_path)
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(InputError, match="not a readable safetensors file"):
        list(iterate_updates(base_dir, tmp_path))


def test_the_base_files_never_change(qwen, base_dir, tmp_path):
    before = (base_dir / "model.safetensors").read_bytes()
    write_lora(tmp_path)
    tuned_state_dict(base_dir, tmp_path)
    assert (base_dir / "model.safetensors").read_bytes() == before
