"""The base class of the methods: what a module of the registry may define, and what importing it must not do."""

import inspect
import os
import subprocess
import sys

import pytest
import torch
from peft.tuners.boft import layer as boft_layer
from peft.tuners.boft import model as boft_model
from small_models import settings_of, small_model

from rlvr.adapters.butterfly import ButterflyLinear
from rlvr.adapters.family import Family
from rlvr.adapters.methods import METHODS
from rlvr.adapters.methods.lora import LowRank
from rlvr.core.provenance import LIBRARY
from rlvr.plan.method import FAMILIES, check_method_settings

HOOKS = [name for name, hook in vars(Family).items() if inspect.isfunction(hook) and not name.startswith("_")]


def defined(text, namespace=None):
    """The class that a module of methods would define."""
    names = {"Family": Family, "LowRank": LowRank, **(namespace or {})}
    exec(text, names)
    return next(value for name, value in names.items() if name == "Own")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("def penaltty(self, model): ...", r"Own\.penaltty is not a hook of a method\. Hooks: attach, .*penalty"),
        ("def penalty(self): ...", r"Own\.penalty\(self\) cannot stand for penalty\(self, model"),
        ("def penalty(self, module): ...", r"Own\.penalty"),
        ("def penalty(self, *model): ...", r"Own\.penalty"),
        ("def callbacks(self, model, settings, extra=1): ...", r"Own\.callbacks"),
        ("def attach(self, base, settings): ...", r"Own\.attach\(self, base, settings\) cannot stand for attach"),
        ("def attach(self, base, settings, decomposition): ...", r"Own\.attach"),
        ("penalty = None", r"Own\.penalty is not an attribute"),
        ("exprots = True", r"Own\.exprots is not an attribute of a method"),
        ("exprots: bool = True", r"Own\.exprots is not an attribute of a method"),
        ("@property\n    def tunner(self): ...", r"Own\.tunner is not an attribute"),
        ("@staticmethod\n    def penalty(model): ...", r"Own\.penalty is not an attribute"),
    ],
)
def test_what_nobody_would_call_or_read_is_an_error_at_import(body, message):
    with pytest.raises(TypeError, match=message):
        defined(f"class Own(LowRank):\n    {body}")


def test_a_family_may_declare_attributes_for_its_members_and_helpers_for_itself():
    parent = defined("class Own(LowRank):\n    end: str\n    def _helper(self): return 1")
    made = defined("class Own(Parent):\n    name, source, end = 'own', 'here', 'leading'", {"Parent": parent})()
    assert made.end == "leading" and made._helper() == 1
    with pytest.raises(TypeError, match="Own lacks end"):
        defined("class Own(Parent):\n    name, source = 'own', 'here'", {"Parent": parent})()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("name = 'own'", "Own lacks .*source"),
        ("name, source, family = 'own', 'here', 'loras'", "family 'loras' is none of lora, "),
    ],
)
def test_a_declaration_is_whole(body, message):
    with pytest.raises(TypeError, match=message):
        defined(f"class Own(LowRank):\n    {body}")()


def test_a_method_says_how_it_is_attached_and_what_it_trains():
    whole = "name, family, takes, source, example = 'own', 'lora', frozenset(), 'here', {}"
    with pytest.raises(TypeError, match=r"abstract method '?attach"):
        defined(f"class Own(Family):\n    {whole}")()
    attach = "def attach(self, base, settings, decomposition=None): ..."
    with pytest.raises(TypeError, match="Own lacks count"):
        defined(f"class Own(Family):\n    {whole}\n    {attach}")()
    count = "def count(self, rows, cols, module, settings): ..."
    assert defined(f"class Own(Family):\n    {whole}\n    {attach}\n    {count}")().name == "own"


def test_the_hooks_of_a_method_that_says_nothing_change_nothing(tmp_path):
    method, settings = METHODS["lora"], settings_of("lora")
    model = method.attach(small_model(), settings)
    assert method.make_optimizer(model, settings, torch.optim.AdamW, {"lr": 1.0}) is None
    assert method.callbacks(model, settings) == [] and method.penalty(model) is None
    method.save_state(model, tmp_path)
    assert not list(tmp_path.iterdir()) and not method.load_state(model, tmp_path)


@pytest.mark.parametrize("hook", HOOKS)
def test_some_method_uses_every_hook(hook):
    assert any(getattr(type(method), hook) is not getattr(Family, hook) for method in METHODS.values())


def test_the_order_of_the_registry_is_that_of_the_modules_and_of_their_tuples():
    folder = LIBRARY / "rlvr/adapters/methods"
    modules = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    expected = [method for name in modules for method in sys.modules[f"rlvr.adapters.methods.{name}"].METHODS]
    assert list(METHODS.values()) == expected and [method.name for method in expected] == list(METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_an_example_sets_what_its_method_takes(method):
    check_method_settings(f"example of {method}", method, METHODS[method].example, METHODS)


def test_every_family_of_rates_has_a_method():
    assert {method.family for method in METHODS.values()} == FAMILIES.keys()


def test_a_module_that_is_put_into_the_folder_is_a_method(tmp_path):
    package = tmp_path / "rlvr"
    for path in (LIBRARY / "rlvr").rglob("*.py"):
        target = package / path.relative_to(LIBRARY / "rlvr")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text())
    text = "from rlvr.adapters.methods.lora import LowRank\n\n\nclass Own(LowRank):\n"
    (package / "adapters/methods/own.py").write_text(
        f"{text}    name, source = 'own', 'here'\n\n\nMETHODS = (Own(),)\n"
    )
    names = python("from rlvr.adapters.methods import METHODS; print(*METHODS)", tmp_path).split()
    assert [name for name in names if name != "own"] == list(METHODS)
    (package / "adapters/methods/more.py").write_text(
        f"{text}    name, source = 'lora', 'here'\n\n\nMETHODS = (Own(),)\n"
    )
    assert "Two methods are called 'lora'" in python("import rlvr.adapters.methods", tmp_path, check=False)


def test_importing_the_registry_loads_neither_torch_nor_peft():
    heavy = "{'torch', 'peft', 'transformers', 'trl', 'pandas', 'numpy'} & sys.modules.keys()"
    code = f"import sys, rlvr.adapters.methods, rlvr.plan.settings; print(*{heavy})"
    assert python(code, LIBRARY).strip() == ""


def python(code, library, check=True):
    """Run code in a fresh interpreter; its output, errors included."""
    env = {**os.environ, "PYTHONPATH": str(library)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=check, env=env)
    return done.stdout + done.stderr


def names_of_peft():
    """Everything that PEFT's BOFT modules and layers are made of."""
    parts = (boft_layer, boft_model, boft_layer.BOFTLayer, boft_layer.Linear, boft_model.BOFTModel)
    return [dict(vars(part)) for part in parts]


def test_no_method_changes_the_boft_of_peft():
    before = names_of_peft()
    for name in METHODS:
        METHODS[name].attach(small_model(), settings_of(name))
        assert names_of_peft() == before, name
    assert not boft_layer.FastBlockDiag.__module__.startswith("rlvr")


def test_the_boft_of_peft_is_whole_after_an_attachment_that_fails(monkeypatch):
    before = names_of_peft()
    monkeypatch.setattr(ButterflyLinear, "perm2mat", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        METHODS["boft"].attach(small_model(), settings_of("boft"))
    assert names_of_peft() == before
