"""What an environment is asked for before a GPU is, and what jobs on a node may do."""

import json
from pathlib import Path

import pytest

from rlvr.core.errors import InputError
from rlvr.core.nodes import prepare_node, use_hub_cache
from rlvr.core.preflight import check_environment, imported_packages

SCRIPT = """
import json
from typing import TYPE_CHECKING
import yaml
if TYPE_CHECKING:
    import only_for_types
def later():
    from no_such_package.inner import thing
    import rlvr.core.errors
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "stage.py"
    path.write_text(SCRIPT)
    return path


def test_imports_are_found_wherever_they_stand(script: Path) -> None:
    assert imported_packages([script]) == {"yaml", "no_such_package"}


def test_a_missing_package_is_named_with_its_environment_and_what_to_do(script: Path, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    with pytest.raises(InputError, match=r"environment 'train'.*no_such_package.*make cluster-env") as caught:
        check_environment("train", [script], record)
    assert "yaml" not in caught.value.problem
    assert not record.exists()


def test_what_is_there_is_recorded(script: Path, tmp_path: Path) -> None:
    script.write_text(SCRIPT.replace("no_such_package.inner", "jsonschema"))
    check_environment("train", [script], tmp_path / "record.json")
    assert json.loads((tmp_path / "record.json").read_text())["imported"] == ["jsonschema", "yaml"]


def test_only_the_environment_of_the_gpu_stages_needs_vllm(tmp_path: Path) -> None:
    script = tmp_path / "stage.py"
    script.write_text("import vllm, yaml\n")
    check_environment("train", [script], tmp_path / "record.json")
    assert json.loads((tmp_path / "record.json").read_text())["imported"] == ["yaml"]


def test_a_node_downloads_nothing_and_compiles_on_its_own_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_DISK", "/fast")
    environment = {"TRITON_CACHE_DIR": "/mine", "HF_HUB_OFFLINE": "0"}
    prepare_node("$NODE_DISK/x", environment)
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["TRITON_CACHE_DIR"] == "/mine"
    assert environment["VLLM_CACHE_ROOT"].startswith("/fast/x/")


def test_a_variable_that_is_not_set_on_a_node_names_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_DISK", raising=False)
    environment: dict[str, str] = {}
    prepare_node("$NO_SUCH_DISK", environment)
    assert "$" not in environment["TRITON_CACHE_DIR"]


def test_the_cache_of_downloads_is_where_the_configuration_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORK", "/wide")
    environment: dict[str, str] = {}
    use_hub_cache("", environment)
    assert environment == {}
    use_hub_cache("$WORK/hub", environment)
    assert environment == {"HF_HOME": "/wide/hub"}
