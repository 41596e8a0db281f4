"""Rotated values and permuted heads: other weights, the same function, on every architecture with grouped heads."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import CONFIGS, SIZES, token_batch
from transformers import AutoModelForCausalLM, Qwen2Config

from rlvr.bases.symmetry import (
    Heads,
    Symmetry,
    draw_permutation,
    draw_rotation,
    permute_heads,
    read_heads,
    rotate_values,
    transform_base,
    transform_tensor,
)
from rlvr.bases.tokenizer import build_tokenizer
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, write_json

EIGHT_HEADS = {"hidden_size": 32, "num_attention_heads": 8, "num_key_value_heads": 4}
BOTH = Symmetry(rotated_layers=[0, 1], permuted_layers=[1], seed=3)


def grouped_model(architecture):
    """A random float32 model of two layers with 8 query and 4 key-value heads; Qwen2 with random biases."""
    torch.manual_seed(0)
    kinds = {**CONFIGS, "qwen2": Qwen2Config}
    extra = {"head_dim": 6} if architecture == "qwen3" else {}
    model = AutoModelForCausalLM.from_config(kinds[architecture](**SIZES | EIGHT_HEADS, **extra)).eval()
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter)
    return model


@pytest.mark.parametrize(
    "symmetry", [Symmetry([1], [], 0), Symmetry([], [0, 1], 0), BOTH], ids=["V/O", "heads", "both"]
)
@pytest.mark.parametrize("architecture", ["qwen2", "qwen3", "llama", "apertus"])
def test_the_model_computes_what_it_computed(architecture, symmetry):
    model = grouped_model(architecture)
    heads, tokens = read_heads(model.config.to_dict()), token_batch()
    with torch.no_grad():
        expected = model(tokens).logits
        before = {name: value.clone() for name, value in model.state_dict().items()}
        after = {name: transform_tensor(name, value, symmetry, heads) for name, value in before.items()}
        model.load_state_dict(after)
        torch.testing.assert_close(model(tokens).logits, expected, rtol=0, atol=1e-5)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    touched = {layer: {"v_proj", "o_proj"} for layer in symmetry.rotated_layers}
    touched |= {layer: {"q_proj", "k_proj", "v_proj", "o_proj"} for layer in symmetry.permuted_layers}
    weights = {f"model.layers.{i}.self_attn.{name}.weight" for i, names in touched.items() for name in names}
    assert {name for name in changed if name.endswith("weight")} == weights
    assert all(name.replace("bias", "weight") in weights for name in changed)


@given(st.integers(1, 4), st.integers(1, 3), st.integers(2, 6), st.integers(1, 9), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_rotation_is_the_block_matrix_of_the_paper(key_value, repeats, size, hidden, seed):
    heads, rotation = Heads(key_value * repeats, key_value, size), draw_rotation(size, seed)
    values, output = torch.randn(key_value * size, hidden).double(), torch.randn(hidden, heads.query * size).double()
    blocks = {count: torch.block_diag(*[rotation] * count) for count in (key_value, heads.query)}
    torch.testing.assert_close(rotate_values("v_proj", values, rotation, heads), (values.T @ blocks[key_value]).T)
    torch.testing.assert_close(rotate_values("o_proj", output, rotation, heads), output @ blocks[heads.query])
    bias = values[:, 0]
    torch.testing.assert_close(rotate_values("v_proj", bias, rotation, heads), bias @ blocks[key_value])
    for name in ("q_proj", "k_proj"):
        assert rotate_values(name, values, rotation, heads) is values
    spectra = (
        np.linalg.svd(part, compute_uv=False) for part in (values, rotate_values("v_proj", values, rotation, heads))
    )
    np.testing.assert_allclose(*spectra, atol=1e-10)


def test_a_permutation_moves_queries_with_the_keys_that_they_read():
    heads, order = Heads(query=6, key_value=3, size=2), torch.tensor([2, 0, 1])
    queries, keys = torch.arange(12.0)[:, None], torch.arange(6.0)[:, None]
    assert permute_heads("q_proj", queries, order, heads).flatten().tolist() == [8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7]
    assert permute_heads("k_proj", keys, order, heads).flatten().tolist() == [4, 5, 0, 1, 2, 3]
    output = torch.arange(12.0)[None]
    assert permute_heads("o_proj", output, order, heads).flatten().tolist() == [8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("size", [1, 2, 128])
def test_rotations_are_orthogonal_and_drawn_from_the_seed(size):
    rotation = draw_rotation(size, 0)
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(size).double())
    assert torch.equal(rotation, draw_rotation(size, 0)) and (
        size == 1 or not torch.equal(rotation, draw_rotation(size, 1))
    )


def test_permutations_are_never_the_identity_and_need_two_heads():
    assert all(draw_permutation(2, seed).tolist() == [1, 0] for seed in range(20))
    with pytest.raises(InputError, match="permuted_layers: the model has one key-value head"):
        draw_permutation(1, 0)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A base on disk, in two files of weights."""
    folder, tokenizer = tmp_path_factory.mktemp("base"), build_tokenizer()
    grouped_model("llama").save_pretrained(folder, max_shard_size="30KB")
    tokenizer.save_pretrained(folder)
    write_json({"kind": "pretrained", "architecture": "llama", "parameters": 1}, folder / "model.json")
    assert len(list(folder.glob("*.safetensors"))) > 1
    return folder


def test_a_base_on_disk_is_changed_file_by_file(base, tmp_path):
    transform_base(base, BOTH, tmp_path / "rotated")
    old, new = (AutoModelForCausalLM.from_pretrained(path).eval() for path in (base, tmp_path / "rotated"))
    with torch.no_grad():
        torch.testing.assert_close(new(token_batch()).logits, old(token_batch()).logits, rtol=0, atol=1e-5)
    assert not torch.equal(new.model.layers[1].self_attn.q_proj.weight, old.model.layers[1].self_attn.q_proj.weight)
    made = read_json(tmp_path / "rotated/model.json")
    assert made["kind"] == "rotated" and made["rotated_layers"] == [0, 1] and made["permuted_layers"] == [1]
    assert made["parent"]["kind"] == "pretrained" and len(made["weights_sha256"]) > 1


def test_an_architecture_whose_norms_may_differ_by_head_is_refused():
    with pytest.raises(InputError, match=r"architecture 'olmo2': may not survive.*qwen3"):
        read_heads({"model_type": "olmo2", "num_attention_heads": 4})


def test_a_layer_that_is_not_there_is_refused_and_nothing_is_left(base, tmp_path):
    with pytest.raises(InputError, match=r"has no k_proj in layer 2.*rotated_layers"):
        transform_base(base, Symmetry([2], [], 0), tmp_path / "rotated")
    assert not (tmp_path / "rotated").exists()
