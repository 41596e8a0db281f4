"""The registry of methods: every setting is used or refused, targets are named, models end up as asked."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import MissConfig
from peft.tuners.miss.layer import MissLinear
from small_models import settings_of, small_model, token_batch

from rlvr.adapters.linears import target_names
from rlvr.adapters.low_rank import lora_layers
from rlvr.adapters.methods import METHODS
from rlvr.core.errors import InputError
from rlvr.plan.method import SETTINGS, check_method_settings
from rlvr.plan.targets import TARGET_SETS, resolve_targets
from rlvr.train.manifest import check_method, trainable_table

GOOD = {
    "rank": "8", "alpha": "16", "axes": "3", "target_modules": "all_linear", "rate_ratio": "2", "density": "0.5",
    "block_size": "4", "butterfly_factors": "2",
}  # fmt: skip
WHERE = "grid row 'x'"
ROOT = Path(__file__).resolve().parents[2]


def wanted(method):
    return {name: value for name, value in GOOD.items() if name in METHODS[method].takes}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_is_used_or_refused(method, setting):
    given = wanted(method)
    check_method_settings(WHERE, method, {**dict.fromkeys(SETTINGS), **given}, METHODS)
    if setting in METHODS[method].takes:
        del given[setting]
        with pytest.raises(InputError, match=rf"{WHERE}: method '{method}' needs '{setting}'"):
            check_method_settings(WHERE, method, given, METHODS)
    else:
        with pytest.raises(InputError, match=rf"method '{method}' has no setting '{setting}'.*Leave it empty"):
            check_method_settings(WHERE, method, {**given, setting: GOOD[setting]}, METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_the_documentation_says_what_each_method_takes(method):
    lines = (ROOT / "docs/methods.md").read_text().splitlines()
    cells = next(line.split("|") for line in lines if line.startswith(f"| `{method}` |"))
    assert set(cells[2].split()) == METHODS[method].takes
    assert cells[3].strip() == METHODS[method].family


def test_unknown_method_lists_the_known_ones():
    with pytest.raises(InputError, match=r"unknown method 'lorra'.*adalora, boft, dora, full"):
        check_method_settings(WHERE, "lorra", {}, METHODS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rank": "0"}, "'rank'"),
        ({"rank": "1.5"}, "'rank'"),
        ({"rank": "eight"}, "'rank'"),
        ({"alpha": "-1"}, "'alpha'"),
        ({"alpha": "inf"}, "'alpha'"),
        ({"target_modules": "all-linear"}, r"unknown target set 'all-linear'.*no_kv"),
    ],
)
def test_impossible_values_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        check_method_settings(WHERE, "lora", {**wanted("lora"), **changes}, METHODS)


@pytest.mark.parametrize("density", ["0", "1.5", "half"])
def test_a_density_is_a_share(density):
    with pytest.raises(InputError, match="'density'"):
        check_method_settings(WHERE, "sparse-union", {**wanted("sparse-union"), "density": density}, METHODS)


def test_one_axis_is_no_pair():
    with pytest.raises(InputError, match="'axes' is '1'"):
        check_method_settings(WHERE, "quanta", {"axes": "1", "target_modules": "no_kv"}, METHODS)


def test_target_sets_leave_out_what_their_names_say():
    whole = set(TARGET_SETS["all_linear"])
    assert len(whole) == 7
    assert whole - set(TARGET_SETS["no_v_proj"]) == {"v_proj"}
    assert whole - set(TARGET_SETS["no_kv"]) == {"k_proj", "v_proj"}
    assert set(TARGET_SETS["attention"]) | set(TARGET_SETS["mlp"]) == whole


def test_apertus_has_no_gate_and_the_output_head_is_never_a_target():
    expected = {"qwen3": 7, "llama": 7, "apertus": 6}
    for architecture, count in expected.items():
        targets = target_names(small_model(architecture), "all_linear")
        assert len(targets) == count and "lm_head" not in targets


def test_a_missing_projection_is_refused():
    with pytest.raises(InputError, match=r"architecture 'llama': has no gate_proj \(mlp\).*up_proj"):
        resolve_targets("mlp", "llama", ["layers.0.mlp.up_proj", "layers.0.mlp.down_proj"])


def test_a_target_set_that_only_some_layers_have_is_refused_with_the_layers():
    names = [f"model.layers.{i}.mlp.up_proj" for i in range(12)] + ["model.layers.3.mlp.down_proj"]
    names += [f"model.layers.{i}.linear_attn.in_proj" for i in range(12)]
    message = r"architecture 'hybrid': 11 of 12 layers have no down_proj \(mlp\): 0, 1, 2, 4, 5, 6, 7, 8, \.\.\."
    with pytest.raises(InputError, match=message):
        resolve_targets("mlp", "hybrid", [*names, *(f"model.layers.{i}.mlp.gate_proj" for i in range(12))])
    whole = [f"model.layers.{i}.mlp.{name}" for i in range(2) for name in TARGET_SETS["mlp"]]
    assert resolve_targets("mlp", "hybrid", whole) == list(TARGET_SETS["mlp"])


def expected_table(method, architecture, settings):
    """Trainable parameters of every module: the method's formula on the bare base, or entries counted one by one."""
    base = small_model(architecture)
    formula = METHODS[method].trained_parameters(base, settings)
    return {
        name: masked_entries(base.get_submodule(name).weight, settings) if count is None else count
        for name, count in formula.items()
    }


def masked_entries(weight, settings):
    """Trained entries of a weight under the masks whose size depends on the values, counted one by one."""
    weight = weight.detach().double().numpy()
    low = np.abs(weight) < np.abs(weight).mean()
    if settings.method == "sparse-low-magnitude":
        return int(low.sum())
    left, values, right = np.linalg.svd(weight, full_matrices=False)
    score = np.abs(left[:, : settings.rank] * values[: settings.rank] @ right[: settings.rank])
    chosen = np.argsort(score, axis=None)[: round(score.size * (1 - settings.density))]
    union = low.flatten()
    union[chosen] = True
    return int(union.sum())


@pytest.mark.parametrize("architecture", ["qwen3", "llama", "apertus"])
@pytest.mark.parametrize("method", METHODS)
def test_start_is_the_base_and_the_trainable_table_is_the_formula(method, architecture):
    settings, tokens = settings_of(method), token_batch()
    model = METHODS[method].attach(small_model(architecture), settings)
    check_method(model, settings)
    with torch.no_grad():
        change = model.eval()(tokens).logits - small_model(architecture)(tokens).logits
    assert (change.abs().max() < 1e-5) == METHODS[method].exact_start
    found = {row["module"]: row["parameters"] for row in trainable_table(model)}
    assert found == expected_table(method, architecture, settings)


@pytest.mark.parametrize(
    ("method", "changes", "message"),
    [
        *((method, {"rank": 9}, r"module '.*k_proj': rank 9 is above .* 8 x 16.*at most 8")
          for method in ("lora", "dora", "rslora", "lora-plus", "lora-fa", "vera", "miss", "mora", "pissa", "lora-rlmo",
                         "dct-lora", "sparse-union")),
        ("mora", {"rank": 8}, r"module '.*k_proj': rank 8 makes a square matrix of side 14, its weight is 8 x 16"),
        ("adalora", {"rank": 6}, r"module '.*k_proj': rank 9 is above"),
        ("boft", {"block_size": 3}, r"module '.*q_proj': 2 butterfly factors of block size 3 .* 16 x 16.*even"),
        ("boft", {"block_size": 16}, r"module '.*q_proj': 2 butterfly factors of block size 16 .* 16 x 16"),
        ("quanta", {"dims": (4, 4, 2)}, r"module '.*q_proj': QuanTA dims \[4, 4, 2\] .* 16 x 16"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_module_and_shape(method, changes, message):
    settings = dataclasses.replace(settings_of(method), target_modules="all_linear", **changes)
    with pytest.raises(InputError, match=message):
        METHODS[method].attach(small_model(), settings)


def test_every_method_but_full_fine_tuning_refuses_an_unknown_target_set():
    for name, method in METHODS.items():
        if "target_modules" in method.takes:
            settings = dataclasses.replace(settings_of(name), target_modules="all-linear")
            with pytest.raises(InputError, match=r"target set 'all-linear': unknown.*no_kv"):
                method.attach(small_model(), settings)


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.has_dropout])
def test_dropout_acts_in_training_only_and_not_on_the_start(method):
    tokens, models = token_batch(), []
    for dropout in (0.0, 0.5):
        torch.manual_seed(0)
        settings = settings_of(method, dropout=dropout)
        models.append(METHODS[method].attach(small_model(), settings).train())
        check_method(models[-1], settings)
    plain, dropped = models
    with torch.no_grad():
        assert (dropped(tokens).logits - plain(tokens).logits).abs().max() < 1e-5
        for model in models:
            for number, parameter in enumerate(p for p in model.parameters() if p.requires_grad):
                generator = torch.Generator().manual_seed(number)
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
        assert not torch.equal(dropped(tokens).logits, dropped(tokens).logits)
        assert torch.equal(dropped.eval()(tokens).logits, plain.eval()(tokens).logits)


def test_rslora_divides_by_the_root_of_the_rank():
    layer = METHODS["rslora"].attach(small_model(), settings_of("rslora")).model.model.layers[0].mlp.up_proj
    assert layer.scaling["default"] == pytest.approx(4 / 2**0.5)


def test_vera_shares_two_projections_drawn_from_the_seed():
    def projections(seed):
        model = METHODS["vera"].attach(small_model(), dataclasses.replace(settings_of("vera"), seed=seed))
        layers = [module for module in model.modules() if hasattr(module, "vera_lambda_b")]
        assert len({layer.vera_A["default"].data_ptr() for layer in layers}) == 1
        return model.vera_A["default"], model.vera_B["default"]

    for one, same, other in zip(projections(1), projections(1), projections(2), strict=True):
        assert torch.equal(one, same) and not torch.equal(one, other)


def test_ia3_scales_the_inputs_of_down_proj_and_the_outputs_of_the_rest():
    model = METHODS["ia3"].attach(small_model(), settings_of("ia3", target_modules="all_linear"))
    found = {name.rpartition(".")[2]: m.is_feedforward for name, m in model.named_modules() if hasattr(m, "ia3_l")}
    assert found == {name: name == "down_proj" for name in TARGET_SETS["all_linear"]}


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.tuner])
def test_the_start_on_a_bfloat16_base_is_the_base_bit_for_bit(method, autocast):
    tokens, base = token_batch(), small_model(dtype=torch.bfloat16)
    model = METHODS[method].attach(small_model(dtype=torch.bfloat16), settings_of(method)).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        assert torch.equal(model(tokens).logits, base(tokens).logits) == METHODS[method].exact_start


def test_the_magnitudes_of_dora_are_norms_of_rows_in_float32_whatever_the_base():
    model = METHODS["dora"].attach(small_model(dtype=torch.bfloat16), settings_of("dora"))
    for _, layer in lora_layers(model):
        magnitude = layer.lora_magnitude_vector["default"].weight
        norms = torch.linalg.vector_norm(layer.base_layer.weight.double(), dim=1)
        assert magnitude.dtype == torch.float32 and magnitude.requires_grad
        torch.testing.assert_close(magnitude.double(), norms, rtol=2e-7, atol=0)


def test_a_zero_row_is_refused_under_dora_with_its_module():
    base = small_model()
    base.model.layers[1].self_attn.o_proj.weight.data[5] = 0.0
    with pytest.raises(InputError, match=r"module 'model\.layers\.1\.self_attn\.o_proj': row 5 of its weight is zero"):
        METHODS["dora"].attach(base, settings_of("dora"))
    METHODS["lora"].attach(base, settings_of("lora"))


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.tuner])
def test_adapters_are_float32_on_a_bfloat16_base(method):
    settings, tokens = settings_of(method), token_batch()
    model = METHODS[method].attach(small_model(dtype=torch.bfloat16), settings)
    check_method(model, settings)
    assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}
    logits = model(tokens).logits
    assert logits.dtype == torch.bfloat16
    logits.float().square().mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.requires_grad)


def test_boft_rotates_by_the_product_of_its_butterfly_factors_and_keeps_the_length_of_every_row():
    model = METHODS["boft"].attach(small_model(), settings_of("boft"))
    layer = model.model.model.layers[0].self_attn.q_proj
    torch.nn.init.normal_(layer.boft_R["default"], generator=torch.Generator().manual_seed(0))
    weight = layer.base_layer.weight.data.clone()
    rotation, gain = layer.get_delta_weight("default")
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(16), rtol=0, atol=1e-5)
    assert torch.equal(gain, torch.ones(16, 1))
    assert (rotation != 0).sum(dim=1).unique().tolist() == [8]  # one factor of blocks of 4 would reach 4 inputs
    layer.merge(safe_merge=True)
    torch.testing.assert_close(layer.base_layer.weight.norm(dim=1), weight.norm(dim=1))


@given(st.integers(1, 6), st.integers(1, 12), st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_miss_adds_one_matrix_to_every_block_of_columns(rank, rows, cols):
    rank = min(rank, cols)
    layer = MissLinear(torch.nn.Linear(cols, rows, bias=False), "default", MissConfig(r=rank), r=rank)
    block = torch.randn(rank, rows)
    layer.miss_block["default"].data = block
    expected = layer.base_layer.weight.detach() + torch.stack([block[i % rank] for i in range(cols)], dim=1)
    x = torch.randn(3, cols)
    torch.testing.assert_close(layer(x), x @ expected.T, rtol=1e-4, atol=1e-4)
    layer.merge(safe_merge=True)
    torch.testing.assert_close(layer.base_layer.weight.detach(), expected)
