"""Imports flow downwards only, read off the syntax trees."""

import ast
from functools import cache
from pathlib import Path

import pytest

from rlvr.core.syntax import statements

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "workflow" / "lib" / "rlvr"
HEAVY = {"torch", "transformers", "peft", "trl"}

# What each part of the library may import from the library, itself always included.
MAY_USE = {
    "core": set(),
    "plan": {"core"},
    "tables": set(),
    "prompts": {"core"},
    "synthetic": {"core"},
    "stats": {"core"},
    "weights": {"core"},
    "grading": {"core"},
    "rewards": {"core", "plan", "prompts", "grading"},
    "bases": {"core", "prompts", "synthetic"},
    "adapters": {"core", "plan", "weights"},
    "data": {"core", "plan", "tables", "prompts", "synthetic", "grading", "bases"},
    "train": {"core", "plan", "tables", "prompts", "grading", "rewards", "bases", "weights", "adapters"},
    "evaluate": {"core", "tables", "prompts", "stats", "grading", "bases", "weights", "data"},
    "spectra": {"core", "plan", "tables", "prompts", "bases", "weights", "adapters"},
    "report": {"core", "plan", "tables", "stats"},
}
MAY_USE["cli"] = {*MAY_USE} - {"synthetic", "stats"}  # on top of everything; it computes nothing of its own


@cache
def parts_imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in statements(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update([node.module] if node.module != "rlvr" else [f"rlvr.{alias.name}" for alias in node.names])
    return names


def modules() -> list[Path]:
    return sorted(path for path in LIBRARY.rglob("*.py") if path != LIBRARY / "__init__.py")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(LIBRARY)))
def test_module_imports_only_from_its_left(path: Path) -> None:
    part = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
    used = {name.split(".")[1] for name in parts_imported(path) if name.startswith("rlvr.")}
    assert used <= MAY_USE[part] | {part}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(LIBRARY)))
def test_library_knows_neither_snakemake_nor_the_configuration(path: Path) -> None:
    assert not any(name.split(".")[0] == "snakemake" for name in parts_imported(path))
    text = path.read_text()
    named = "config.yaml" in text and "config.yaml" in ast.dump(ast.parse(text))  # in a comment it does not count
    assert not named or path.name in {"schemas.py"}


@pytest.mark.parametrize("part", ["stats", "report"])
def test_reporting_never_loads_torch(part: str) -> None:
    for path in (LIBRARY / part).rglob("*.py"):
        assert not {name.split(".")[0] for name in parts_imported(path)} & HEAVY, path


@pytest.mark.parametrize("path", sorted((ROOT / "workflow/scripts").glob("*.py")), ids=lambda path: path.stem)
def test_adapters_are_thin(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 40
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While | ast.FunctionDef | ast.Try)]


def test_every_script_belongs_to_a_rule_of_its_name() -> None:
    rules = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    for script in (ROOT / "workflow/scripts").glob("*.py"):
        assert f"rule {script.stem}:" in rules, script.stem


def test_training_and_evaluation_share_grader_and_prompts() -> None:
    reached = {
        part: set().union(*(parts_imported(path) for path in (LIBRARY / part).rglob("*.py")))
        for part in ("train", "evaluate")
    }
    for part, names in reached.items():
        assert any(name.startswith("rlvr.grading") for name in names), part
        assert "rlvr.prompts" in names, part
    others = {path for path in modules() if path.name != "prompts.py" and "Assistant:" in path.read_text()}
    assert not others, "prompt text outside prompts.py"
