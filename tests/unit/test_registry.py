"""The registry of sources: what it holds, and what stops it."""

import csv
from pathlib import Path

import pytest

from rlvr.core.errors import InputError
from rlvr.data.readers import READERS
from rlvr.plan.sources import COLUMNS, UNPINNED, load_registry

REGISTRY = Path(__file__).resolve().parents[2] / "data/sources.csv"
# No source at hand states a commit of these: pinning one shortens the list, a new one needs a reason.
NOT_STATED = {"skywork-or1", "simplerl-level3to5", "amc-2023", "minerva", "enigmata-data", "enigmata-eval"}
GOOD_ROW = {
    "source": "toy",
    "repository": "owner/toy",
    "revision": "0" * 40,
    "file": "a.parquet;b.parquet",
    "split": "train",
    "reader": "math",
    "expected_rows": "12",
    "sha256": "",
    "licence": "MIT",
    "noncommercial": "no",
    "mirror_file": "",
    "mirror_reader": "",
    "mirror_rows": "",
    "url": "https://example.org",
}


def write_registry(path: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_shipped_registry_names_known_readers_and_pins_every_hub_source():
    sources = load_registry(REGISTRY)
    assert {"deepmath-103k", "deepmath-roll", "math", "math-500", "aime-2024", "aime-2025", "aime-2026"} <= set(sources)
    for source in sources.values():
        assert {source.reader, source.mirror_reader or source.reader} <= set(READERS)
        assert bool(source.repository) == bool(source.revision)
    assert {name for name, source in sources.items() if source.revision == UNPINNED} <= NOT_STATED
    deepmath = sources["deepmath-103k"]
    assert deepmath.revision == "5cf055d1fe3d7a2eb19719ac020211469736ae44"
    assert deepmath.expected_rows == 103_022
    assert len(deepmath.files) == 10


def test_cells_become_typed_values(tmp_path):
    source = load_registry(write_registry(tmp_path / "sources.csv", GOOD_ROW))["toy"]
    assert source.files == ("a.parquet", "b.parquet")
    assert source.sha256 == ()
    assert source.expected_rows == 12


def test_duplicate_source_is_refused_with_its_line(tmp_path):
    path = write_registry(tmp_path / "sources.csv", GOOD_ROW, GOOD_ROW | {"url": "https://example.org/2"})
    with pytest.raises(InputError, match=r"line 3.*'toy' is listed twice"):
        load_registry(path)


def test_other_columns_are_refused(tmp_path):
    path = write_registry(tmp_path / "sources.csv", GOOD_ROW, columns=COLUMNS[:-1])
    with pytest.raises(InputError, match=r"has the columns.*Expected: source, repository"):
        load_registry(path)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"absent\.csv: cannot be read"):
        load_registry(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "Toy Set"}, "is not a name"),
        ({"revision": "main"}, "is not a commit"),
        ({"revision": ""}, "is not a commit.*write 'unpinned'"),
        ({"mirror_rows": "-3"}, "mirror_rows '-3' is not a count"),
        ({"sha256": "0" * 64}, "one checksum for each file"),
        ({"sha256": "xyz;xyz"}, "one checksum for each file"),
        ({"expected_rows": "many"}, "expected_rows 'many' is not a count"),
        ({"noncommercial": "maybe"}, "Write one of yes, no, unclear"),
        ({"licence": ""}, "has no licence"),
        ({"reader": ""}, "has no reader"),
        ({"repository": "", "file": ""}, "names no files to read"),
        ({"file": ""}, "names no files to read"),
    ],
)
def test_malformed_cells_are_refused_with_their_line(tmp_path, change, message):
    path = write_registry(tmp_path / "sources.csv", GOOD_ROW | {"source": "first"}, GOOD_ROW | change)
    with pytest.raises(InputError, match=f"line 3: .*{message}"):
        load_registry(path)
