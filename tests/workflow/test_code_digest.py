"""The digest that decides whether cheap rules rerun."""

import ast
from pathlib import Path

import pytest

from rlvr.core import syntax
from rlvr.core.syntax import code_digest, imported_names, module_file, reachable_modules, read_source, statements

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))


def write(path: Path, text: str) -> str:
    path.write_text(text)
    imported_names.cache_clear()
    reachable_modules.cache_clear()
    read_source.cache_clear()
    syntax._kept.cache_clear()
    syntax._asked.clear()
    return code_digest(path)


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"a": 1}', '{"a": ["b", null]}'])
def test_what_earlier_calls_found_is_taken_and_damage_costs_time_alone(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is keyed by content: an edit, or a store that is none, is read anew; nobody has to be able to write."""
    script = tmp_path / "script.py"
    expected = write(script, "from rlvr.core.seeds import make_rng\n")
    monkeypatch.setattr(syntax, "STORE", tmp_path / "cache" / "syntax.json")
    if text is not None:
        (tmp_path / "cache").mkdir()
        syntax.STORE.write_text(text)
    scanned: list[bytes] = []
    scan = syntax.scan
    monkeypatch.setattr(syntax, "scan", lambda source: scanned.append(source) or scan(source))
    assert write(script, script.read_text()) == expected and len(scanned) > 1
    syntax.keep_found()
    scanned.clear()
    assert write(script, script.read_text()) == expected and not scanned
    assert write(script, script.read_text() + "SETTING = 1\n") != expected and len(scanned) == 1
    monkeypatch.setattr(syntax, "STORE", script / "below a file" / "syntax.json")
    assert write(script, script.read_text()) != expected
    syntax.keep_found()


def test_statements_are_found_wherever_they_stand() -> None:
    tree = ast.parse("""
def f(x=lambda: 0):
    try:
        with x as y:
            import a
    except* ValueError:
        import b
    else:
        import c
    finally:
        import d
    match x:
        case 1 if (z := 2):
            import e
    for _ in x:
        while x:
            import f
        else:
            import g
    async def h():
        async with x:
            class C:
                import i
""")
    named = [node.names[0].name for node in statements(tree) if isinstance(node, ast.Import)]
    assert sorted(named) == list("abcdefgi")
    assert {id(node) for node in ast.walk(tree) if isinstance(node, ast.stmt)} <= {
        id(node) for node in statements(tree)
    }


def test_comments_and_docstrings_do_not_count(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    before = write(
        script, '"""One."""\nfrom rlvr.core.seeds import make_rng\n\ndef f():\n    """Doc."""\n    return 1\n'
    )
    remark = '"""Two."""\n# remark\nfrom rlvr.core.seeds import make_rng\n\n\ndef f():\n    return 1  # one\n'
    assert write(script, remark) == before
    assert write(script, remark.replace("return 1", "return 2")) != before


def test_a_change_of_an_imported_module_counts(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    first = write(script, "from rlvr.core.seeds import make_rng\n")
    assert first != write(script, "from rlvr.core.io import write_json\n")
    assert "rlvr.core.seeds" in reachable_modules(ROOT / "workflow/lib/rlvr/data/fetching.py")


def test_modules_that_a_package_finds_itself_count(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    write(script, "from rlvr.adapters.methods import METHODS\n")
    assert {"rlvr.adapters.methods.lora", "rlvr.adapters.butterfly"} <= set(reachable_modules(script))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_digest_reaches_everything_that_an_adapter_imports(script: Path) -> None:
    direct = {name for name in imported_names(script) if module_file(name)}
    assert direct <= set(reachable_modules(script))
    for name in direct:
        assert {inner for inner in imported_names(module_file(name)) if module_file(inner)} <= set(
            reachable_modules(script)
        )


def test_every_cheap_rule_carries_its_digest() -> None:
    """All rules with a script do, but those that need a GPU, or make what runs start from, or that a checksum pins.

    Rules that only print run whenever they are asked for, and what an environment can import is no matter of our code.
    """
    text = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    pinned = {
        "generate_samples",
        "sample_shard",
        "fetch_checkpoint",
        "pretrain_model",
        "install_model",
        "fetch_model",
        "write_spec",
    }
    pinned |= {"decompose_base", "rotate_model", "verify", "plan", "check_environment", "archive_study", "publish_run"}
    pinned |= {"install_folder", "merge_adapter", "convert_model", "tune_model"}
    for script in SCRIPTS:
        carries = f'adapter_code("{script.stem}")' in text
        assert carries == (script.stem not in pinned), script.stem
