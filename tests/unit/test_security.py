"""Nothing in data, checkpoints, caches or bases runs code, reads or removes foreign files, or exhausts the machine.

SECURITY.md names a test for each of its lines; the first test here sees to that.
"""

import json
import os
import pickle
import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_runs import write_inputs

from rlvr.bases.loading import load_base
from rlvr.core.errors import InputError
from rlvr.core.provenance import LIBRARY
from rlvr.core.schemas import load_yaml
from rlvr.grading.code.sandbox.launch import Cases, run_tests
from rlvr.grading.code.sandbox.limits import Limits
from rlvr.grading.grade_cache import cache_key, load_grades, store_grades
from rlvr.grading.verdicts import Grade
from rlvr.grading.workers import Asked
from rlvr.weights.tensors import TensorStore

ROOT = Path(__file__).resolve().parents[2]
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_line_of_the_security_page_has_a_test_that_exists():
    rows = [line for line in (ROOT / "SECURITY.md").read_text().splitlines() if line.startswith("| ")]
    rows = [row for row in rows if not row.startswith("| what ")]
    assert len(rows) > 12
    for row in rows:
        named = NAMED_TEST.findall(row)
        assert named, f"names no test: {row}"
        for path, name in named:
            assert f"def {name}(" in (ROOT / path).read_text(), f"{path} has no {name}"


class Hostile:
    """A pickle that leaves a mark when it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch '{self.mark}'",)


QUESTIONS = [Asked("math", str(number), "{}", "7") for number in range(3)]
GRADE = Grade("correct", "7", "match")


@pytest.fixture
def cache(tmp_path):
    """A cache of three grades, and its database."""
    folder = tmp_path / "cache"
    store_grades(folder, dict.fromkeys(QUESTIONS, GRADE))
    return folder


def change_row(folder: Path, question: Asked, **columns: object) -> None:
    """Write into the database as somebody does who hands a cache around."""
    with sqlite3.connect(folder / "cache.db") as database:
        for name, value in columns.items():
            done = database.execute(f"UPDATE Cache SET {name} = ? WHERE key = ?", (value, cache_key(question)))
            assert done.rowcount == 1


def test_a_pickle_in_the_cache_of_grades_is_not_opened(cache, tmp_path):
    mark, hostile = tmp_path / "mark", pickle.dumps(Hostile(tmp_path / "mark"))
    change_row(cache, QUESTIONS[0], value=hostile, mode=4)  # diskcache's MODE_PICKLE
    (cache / "hostile.val").write_bytes(hostile)
    change_row(cache, QUESTIONS[1], value=None, filename="hostile.val", mode=4)
    assert load_grades(cache, QUESTIONS) == {QUESTIONS[2]: GRADE}
    assert not mark.exists()
    pickle.loads(hostile)
    assert mark.exists(), "the pickle is harmless: this test could not fail"


def test_a_row_of_the_cache_removes_no_file_outside(cache, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("dear")
    change_row(cache, QUESTIONS[0], filename="../victim", expire_time=1.0)
    change_row(cache, QUESTIONS[1], filename="../victim")
    store_grades(cache, {QUESTIONS[1]: GRADE, Asked("math", "new", "{}", "7"): GRADE})
    assert victim.read_text() == "dear"
    assert QUESTIONS[1] in load_grades(cache, QUESTIONS)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return write_inputs(tmp_path_factory.mktemp("inputs"))


LOAD = "import sys; from rlvr.bases.loading import load_base, load_tokenizer; {}(sys.argv[1])"


def load_with_yes(loader: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Load a folder in a process of its own, with a "y" for whatever it asks."""
    command = [sys.executable, "-c", LOAD.format(loader), str(folder)]
    env = {**os.environ, "PYTHONPATH": str(LIBRARY), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, input="y\n" * 99, capture_output=True, text=True, check=False, env=env, timeout=300)


def copy_base(inputs: Path, folder: Path) -> Path:
    folder.mkdir()
    for path in (inputs / "base").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize(
    ("loader", "name", "changes"),
    [
        (
            "load_base",
            "config.json",
            {"model_type": "hostile", "auto_map": {"AutoConfig": "hostile.C", "AutoModelForCausalLM": "hostile.M"}},
        ),
        (
            "load_tokenizer",
            "tokenizer_config.json",
            {"tokenizer_class": "Hostile", "auto_map": {"AutoTokenizer": ["hostile.T", None]}},
        ),
    ],
)
def test_code_beside_a_base_does_not_run_whatever_stands_on_stdin(loader, name, changes, inputs, tmp_path):
    base, mark = copy_base(inputs, tmp_path / "base"), tmp_path / "mark"
    (base / "hostile.py").write_text(f"open({str(mark)!r}, 'w')\nC = M = T = None\n")
    content = json.loads((base / name).read_text())
    (base / name).write_text(json.dumps(content | changes))
    load_with_yes(loader, base)
    assert not mark.exists()


def test_a_pickle_beside_safetensors_is_not_opened_and_alone_it_is_refused(inputs, tmp_path):
    base, mark = copy_base(inputs, tmp_path / "base"), tmp_path / "mark"
    (base / "pytorch_model.bin").write_bytes(pickle.dumps(Hostile(mark)))
    done = load_with_yes("load_base", base)
    assert done.returncode == 0, done.stderr
    (base / "model.safetensors").unlink()
    done = load_with_yes("load_base", base)
    assert done.returncode != 0 and "safetensors" in done.stderr
    assert not mark.exists()


@pytest.mark.parametrize("place", ["../outside.safetensors", "/etc/passwd", "sub/../../outside.safetensors"])
def test_an_index_of_shards_cannot_leave_its_folder(place, inputs, tmp_path):
    base = copy_base(inputs, tmp_path / "base")
    (tmp_path / "outside.safetensors").write_bytes((base / "model.safetensors").read_bytes())
    index = {"metadata": {}, "weight_map": {"model.embed_tokens.weight": place}}
    (base / "model.safetensors.index.json").write_text(json.dumps(index))
    for opened in (TensorStore, load_base):
        with pytest.raises(InputError, match="outside"):
            opened(base)


LIMITS = Limits(wall_s=3.0, cpu_s=2)
BOMB = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
COUNT = (
    "import os, time\nn = 0\ntry:\n    while n < 50:\n        if os.fork() == 0: time.sleep(9)\n        n += 1\n"
    "except OSError: pass\nassert n < 8"
)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox needs Linux")
def test_a_fork_bomb_in_the_tests_of_a_data_row_is_bounded_in_time_and_processes():
    """A tame one first: the limit must hold before a bomb is lit."""
    try:
        counted = run_tests("x = 1", Cases((COUNT,)), LIMITS)
    except InputError as error:
        pytest.skip(str(error))
    assert counted.how == "passed", counted
    begun = time.monotonic()
    assert run_tests("x = 1", Cases((BOMB,)), LIMITS).how != "passed"
    assert time.monotonic() - begun < LIMITS.wall_s + 20
    assert run_tests("x = 1", Cases(("assert x == 1",)), LIMITS).how == "passed"


@pytest.mark.parametrize(
    "text",
    ["x: !!python/object/apply:os.system ['touch {mark}']", "x: !!python/name:os.system", "x: !!python/module:os"],
)
def test_a_file_of_configuration_runs_no_code(text, tmp_path):
    (tmp_path / "x.yaml").write_text(text.format(mark=tmp_path / "mark"))
    with pytest.raises(InputError, match="not valid YAML"):
        load_yaml(tmp_path / "x.yaml")
    assert not (tmp_path / "mark").exists()
