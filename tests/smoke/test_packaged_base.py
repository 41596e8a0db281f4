"""The real packaged model, where `make pocket-smoke` has fetched it: what traps a trainer, and what its weights are."""

import numpy as np
import pytest

from rlvr.bases.loading import check_base, load_base, load_tokenizer
from rlvr.bases.packaged_models import PackagedModel, cached_file, default_cache, fetch_packaged
from rlvr.core.io import read_json
from rlvr.core.schemas import load_yaml
from rlvr.evaluate.engines.transformers_engine import end_token_ids
from rlvr.plan.shapes import shape_of
from rlvr.prompts import render_prompt

pytestmark = pytest.mark.long
SCALE = load_yaml("workflow/scales/pocket.yaml")
NAME = "smollm2-135m-instruct"
MODEL = PackagedModel.of(SCALE["models"][NAME])


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The base as a run finds it."""
    if not (default_cache() / MODEL.sha256).is_dir():
        pytest.skip(f"{MODEL.requirement} is not in the cache; `make pocket-smoke` fetches it")
    folder = tmp_path_factory.mktemp("packaged") / NAME
    fetch_packaged(MODEL, folder)
    return folder


def test_template_is_what_the_chat_template_makes_of_example_and_question(base):
    said = [
        ("system", "Think, then box the result."),
        ("user", "What is 4 - 1?"),
        ("assistant", "<think>4 - 1 = 3</think>\\boxed{3}"),
        ("user", "Question?"),
    ]
    turns = [{"role": role, "content": content} for role, content in said]
    rendered = load_tokenizer(base).apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert render_prompt("Question?", SCALE["template"]) == rendered + "<think>"


def test_padding_and_end_are_one_token_and_no_token_is_added(base):
    tokenizer = load_tokenizer(base)
    assert tokenizer.pad_token_id == tokenizer.eos_token_id == 2 and tokenizer.padding_side == "left"
    assert end_token_ids(load_base(base).generation_config.eos_token_id, tokenizer.eos_token_id) == [2]
    prompt = render_prompt("What is 1 + 2?", SCALE["template"])
    ids = tokenizer(prompt)["input_ids"]
    assert tokenizer.decode(ids) == prompt and ids.count(2) == 4  # ends of system, both turns of the example, question


def test_shape_is_the_one_that_the_plan_reads(base):
    stated = read_json(f"data/configs/{NAME}.json")
    found = read_json(base / "config.json")
    assert {key: found[key] for key in stated if key != "source"} == {k: v for k, v in stated.items() if k != "source"}
    assert read_json(base / "model.json")["parameters"] == shape_of(stated).parameters == 134_515_008
    check_base(base)


def test_embeddings_are_tied_and_every_dims_fill_the_width(base):
    model = load_base(base)
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert {int(np.prod(dims)) for dims in SCALE["quanta_dims"].values()} == {model.config.hidden_size}


def test_weights_are_the_numbers_that_the_codes_stand_for(base):
    from gguf import GGUFReader
    from gguf.quants import dequantize

    codes = {tensor.name: tensor for tensor in GGUFReader(cached_file(MODEL, default_cache())).tensors}
    weights = load_base(base).state_dict()
    for coded, name in (("blk.7.ffn_down", "model.layers.7.mlp.down_proj"), ("token_embd", "model.embed_tokens")):
        tensor = codes[f"{coded}.weight"]
        expected = dequantize(tensor.data, tensor.tensor_type)
        assert np.array_equal(weights[f"{name}.weight"].numpy(), expected)
    assert read_json(base / "model.json")["dequantised_from"] == {"F32": 35136, "Q4_1": 106168320, "Q8_0": 28311552}
    levels = np.unique(weights["model.layers.7.mlp.down_proj.weight"].numpy()[0, :32])
    assert len(levels) <= 16  # a block of 32 numbers has four bits for each
