"""Bases that were tuned before: their chat template, what tuning changes, and ladders of pre-training."""

import json

import pytest

from rlvr.bases.chat import PROBE, check_chat, set_chat_template
from rlvr.bases.loading import load_base, load_tokenizer
from rlvr.bases.pretrain import PretrainSettings, make_batch, pretrain_base
from rlvr.bases.tokenizer import build_tokenizer
from rlvr.bases.tuning import TuneSettings, tune_base
from rlvr.core.errors import InputError
from rlvr.core.seeds import make_rng
from rlvr.plan.scale import expand_ladders, load_scale, origin_of_model
from rlvr.plan.shapes import model_shapes
from rlvr.prompts import TEMPLATES, render_prompt

TUNE = TuneSettings(2, "chat", 1, sequences_per_step=8, peak_learning_rate=1e-3, wrong_answer_share=0.0,
                    incomplete_format_share=0.0)  # fmt: skip
PRETRAIN = PretrainSettings("qwen3", 2, "compact", sequences_per_step=8, peak_learning_rate=1e-3,
                            wrong_answer_share=0.3, incomplete_format_share=0.5, seed=3)  # fmt: skip
CHATS = [name for name, template in TEMPLATES.items() if template.chat]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base") / "model"
    pretrain_base(PRETRAIN, folder)
    return folder


def test_a_tuned_base_carries_its_template_and_says_where_it_is_from(base, tmp_path):
    tune_base(base, TUNE, tmp_path / "one")
    tune_base(base, TUNE, tmp_path / "two")
    one, two = (json.loads((tmp_path / name / "model.json").read_text()) for name in ("one", "two"))
    before = json.loads((base / "model.json").read_text())
    assert one == two and one["weights_sha256"] != before["weights_sha256"] == one["from"]
    tokenizer = load_tokenizer(tmp_path / "one")
    check_chat(tokenizer, "chat", "here")
    own = tokenizer.apply_chat_template([{"role": "user", "content": "Reverse 12."}], tokenize=False)
    assert own == render_prompt("Reverse 12.", "chat")
    assert load_base(tmp_path / "one").num_parameters() == one["parameters"]


@pytest.mark.parametrize("template", CHATS)
def test_a_template_is_what_the_tokenizer_makes_of_the_question(template):
    tokenizer = build_tokenizer()
    set_chat_template(tokenizer, template)
    if TEMPLATES[template].instruction:
        message = [{"role": "user", "content": PROBE}]
        assert tokenizer.apply_chat_template(message, tokenize=False) == render_prompt(PROBE, template)
    else:
        check_chat(tokenizer, template, "here")


def test_another_template_is_refused_with_both_texts():
    tokenizer = build_tokenizer()
    with pytest.raises(InputError, match="has no chat template"):
        check_chat(tokenizer, "chat", "here")
    check_chat(tokenizer, "compact", "here")
    tokenizer.chat_template = "{% for message in messages %}Question: {{ message['content'] }}{% endfor %}"
    with pytest.raises(InputError, match=r"gives .*Q: How much.*its own chat template .*Question: How much"):
        check_chat(tokenizer, "chat", "here")
    with pytest.raises(InputError, match="is no chat template"):
        set_chat_template(tokenizer, "compact")


def test_a_ladder_reads_one_stream_as_far_as_its_budgets_go():
    tokenizer = build_tokenizer()
    streams = [[make_batch(tokenizer, PRETRAIN, rng)[0].tolist() for _ in range(steps)]
               for steps in (2, 4) for rng in [make_rng(PRETRAIN.seed, "corpus")]]  # fmt: skip
    assert streams[0] == streams[1][:2]


def test_rungs_are_models_of_their_own(pytestconfig):
    root = pytestconfig.rootpath / "workflow"
    scale = load_scale("tiny", root / "scales", root / "schemas")
    rungs = {name: model for name, model in scale["models"].items() if name.startswith("maturity-")}
    assert len({model["steps"] for model in rungs.values()}) >= 5 and len({m["seed"] for m in rungs.values()}) >= 3
    assert all(name == f"maturity-t{model['steps']}-p{model['seed']}" for name, model in rungs.items())
    ladder = {"kind": "ladder", "architecture": "qwen3", "steps": [5], "seeds": [1]}
    with pytest.raises(InputError, match="'m-t5-p1' is declared twice"):
        expand_ladders({"m-t5-p1": {"kind": "hub"}, "m": ladder}, "scale")


@pytest.mark.parametrize("scale", ["tiny", "paper"])
def test_every_model_of_the_studies_is_there_with_its_shape(pytestconfig, scale):
    from rlvr.bases.architectures import tiny_shapes

    root = pytestconfig.rootpath
    models = load_scale(scale, root / "workflow/scales", root / "workflow/schemas")["models"]
    wanted = {
        "deepseek-r1-distill-qwen-1.5b", "deepseek-r1-distill-qwen-7b", "llama-3.2-3b-instruct",
        "qwen2.5-1.5b-instruct",
        "qwen2.5-7b-instruct", "qwen3-4b-base", "qwen2.5-math-7b",
    }  # fmt: skip
    shapes = model_shapes(models, tiny_shapes(), root / "data/configs")
    assert wanted <= shapes.keys()
    for name in wanted:
        assert shapes[name] == shapes[origin_of_model(name, models)]
    if scale == "paper":
        billions = {name: shapes[name].parameters / 1e9 for name in wanted}
        assert billions["qwen3-4b-base"] == pytest.approx(4.02, abs=0.01)
        assert billions["llama-3.2-3b-instruct"] == pytest.approx(3.21, abs=0.01)
        assert billions["qwen2.5-1.5b-instruct"] == pytest.approx(1.54, abs=0.01)
        assert billions["qwen2.5-7b-instruct"] == billions["qwen2.5-math-7b"] == pytest.approx(7.62, abs=0.01)
