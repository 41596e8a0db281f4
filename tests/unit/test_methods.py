"""The registry of methods: every setting is used or refused, targets are named, models end up as asked."""

import os
import subprocess
import sys

import pytest
import torch
from peft import PeftModel
from small_models import settings_of, small_model, token_batch

from rlvr.core.errors import InputError
from rlvr.core.provenance import LIBRARY
from rlvr.train.manifest import trainable_table
from rlvr.train.methods import METHODS, SETTINGS, check_method_settings
from rlvr.train.methods.linears import target_names
from rlvr.train.methods.targets import TARGET_SETS, resolve_targets

GOOD = {"rank": "8", "alpha": "16", "axes": "3", "target_modules": "all_linear"}
WHERE = "grid row 'x'"


def wanted(method):
    return {name: value for name, value in GOOD.items() if name in METHODS[method].takes}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_is_used_or_refused(method, setting):
    given = wanted(method)
    check_method_settings(WHERE, method, {**dict.fromkeys(SETTINGS), **given})
    if setting in METHODS[method].takes:
        del given[setting]
        with pytest.raises(InputError, match=rf"{WHERE}: method '{method}' needs '{setting}'"):
            check_method_settings(WHERE, method, given)
    else:
        with pytest.raises(InputError, match=rf"method '{method}' has no setting '{setting}'.*Leave it empty"):
            check_method_settings(WHERE, method, {**given, setting: GOOD[setting]})


def test_unknown_method_lists_the_known_ones():
    with pytest.raises(InputError, match=r"unknown method 'lorra'.*lora, dora, quanta, full"):
        check_method_settings(WHERE, "lorra", {})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rank": "0"}, "'rank'"),
        ({"rank": "1.5"}, "'rank'"),
        ({"rank": "eight"}, "'rank'"),
        ({"alpha": "-1"}, "'alpha'"),
        ({"target_modules": "all-linear"}, r"unknown target set 'all-linear'.*no_kv"),
    ],
)
def test_impossible_values_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        check_method_settings(WHERE, "lora", {**wanted("lora"), **changes})


def test_one_axis_is_no_pair():
    with pytest.raises(InputError, match="'axes' is '1'"):
        check_method_settings(WHERE, "quanta", {"axes": "1", "target_modules": "no_kv"})


def test_registry_needs_neither_torch_nor_peft():
    heavy = "{'torch', 'peft', 'pandas'} & sys.modules.keys()"
    code = f"import sys, rlvr.train.methods, rlvr.train.settings; print(*{heavy})"
    env = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == ""


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


@pytest.mark.parametrize("architecture", ["qwen3", "llama", "apertus"])
@pytest.mark.parametrize("method", METHODS)
def test_start_is_the_base_and_the_trainable_table_is_the_formula(method, architecture):
    settings, tokens = settings_of(method), token_batch()
    model = METHODS[method].load().attach(small_model(architecture), settings)
    with torch.no_grad():
        change = model.eval()(tokens).logits - small_model(architecture)(tokens).logits
    assert change.abs().max() < 1e-5
    found = {row["module"]: row["parameters"] for row in trainable_table(model)}
    base = small_model(architecture)
    if not isinstance(model, PeftModel):
        assert sum(found.values()) == sum(parameter.numel() for parameter in base.parameters())
        return
    shapes = {
        name: module.weight.shape
        for name, module in base.named_modules()
        if name.rpartition(".")[2] in target_names(base, settings.target_modules)
    }
    formula = {
        "lora": lambda rows, cols: settings.rank * (rows + cols),
        "dora": lambda rows, cols: settings.rank * (rows + cols) + rows,
        "quanta": lambda rows, cols: (4 * 2) ** 2 + (4 * 2) ** 2 + (2 * 2) ** 2,
    }[method]
    assert found == {name: formula(*shape) for name, shape in shapes.items()}
