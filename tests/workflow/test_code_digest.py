"""The digest that decides whether cheap rules rerun."""

from pathlib import Path

import pytest

from rlvr.core.provenance import code_digest, imported_names, module_file, reachable_modules

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))


def write(path: Path, text: str) -> str:
    path.write_text(text)
    imported_names.cache_clear()
    reachable_modules.cache_clear()
    from rlvr.core.provenance import module_digest

    module_digest.cache_clear()
    return code_digest(path)


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
