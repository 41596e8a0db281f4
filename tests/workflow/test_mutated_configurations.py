"""Every key of every file of configuration is spoilt in turn: a message comes, or an equal program.

A value is dropped, takes another type, another name, NaN, or a huge number. Prose is named below.
"""

import copy
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from configured import FOLDER, TINY, Configured, copy_configuration

from rlvr.core.csvfile import read_csv
from rlvr.plan.printed import PRINTED

MOST = int(os.environ.get("MUTATIONS", "10"))  # of a file, evenly spread; a large number for every one
ROOT = Path(__file__).resolve().parents[2]
SHARED = f"{FOLDER}/outputs/shared.yaml"  # the anchors of the files beside it; spoilt where they are used
OUTPUTS = sorted({str(path.relative_to(ROOT)) for path in (ROOT / FOLDER / "outputs").glob("*.yaml")} - {SHARED})
YAML = ["config.yaml", TINY, f"{FOLDER}/study.yaml", *OUTPUTS, f"{FOLDER}/claims.yaml"]
CSV = [f"{FOLDER}/grid.csv", f"{FOLDER}/labels.csv", f"{FOLDER}/reported/table4.csv", "data/sources.csv"]
NIGHT = 1000  # from here on, files of every study and scale; tables, facts and claims by test_mutated_entries
if MOST >= NIGHT:
    YAML = ["config.yaml", *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("workflow/scales/*.yaml")))]
    YAML += [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("workflow/studies/*/study.yaml"))]
    CSV = ["data/sources.csv", *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("workflow/studies/*/*.csv")))]
    CSV = [path for path in CSV if Path(path).name not in ("statements.csv", "places.csv")]  # the audit reads them
    CSV += [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("workflow/studies/*/reported/*.csv"))]
DROP = object()
WRONG: tuple[Any, ...] = (DROP, {"no": {"such": "key"}}, "no-such-name", math.nan, 10.0**300, 10**400, -1, None, True)

Place = tuple[Any, ...]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Configured:
    """A copy of the files of configuration."""
    return copy_configuration(tmp_path_factory.mktemp("configuration"))


def reading(path: str) -> dict[str, Any]:
    """The configuration that reads a file: its scale, its study."""
    if path == "config.yaml":
        return {}
    parts = Path(path).parts
    study = parts[2] if parts[:2] == ("workflow", "studies") else FOLDER.rpartition("/")[2]
    scale = Path(path).stem if parts[:2] == ("workflow", "scales") else "pocket" if study == "pocket" else "tiny"
    if scale.startswith("pocket"):
        study = "pocket"
    return {"scale": scale, "studies": [] if scale == "realdata" else [study]}


def without_aliases(root: Path, path: str) -> Any:
    """The content of a file that may use the anchors of the study's shared entries."""
    before = (root / SHARED).read_text() if path in OUTPUTS else ""
    content = yaml.safe_load(before + (root / path).read_text())
    if before:
        del content["shared"]
    return content


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """Every key and every entry of a nested value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield (*path, key)
        yield from places(entry, (*path, key))


def spoilt(content: Any, place: Place, value: Any) -> Any:
    """The content with another value at a place."""
    changed = copy.deepcopy(content)
    block = changed
    for key in place[:-1]:
        block = block[key]
    if value is DROP:
        del block[place[-1]]
    else:
        block[place[-1]] = value
    return changed


def is_prose(place: Place) -> bool:
    """Whether any text may stand there: captions and headings, sentences, titles, the look-ups of YAML anchors."""
    last = next(key for key in reversed(place) if isinstance(key, str))
    return place[0] in ("shared", "stand_ins", "absent") or last in {
        "caption", "header", "labels", "source", "sentence", "where", "title", "grade_cache",
        "corpus", "pad_token", "package", "all_linear", "topics_left_out", "protocol",
        "name", "key", "text", "paper", "because", "at", "means", "why", "run_tag",
    }  # fmt: skip


def is_equal(one: Any, other: Any) -> bool:
    """Whether two workspaces would plan the same."""
    return all(
        getattr(one.program, part) == getattr(other.program, part) for part in ("scale", "specs", "suites", "pairs")
    ) and (one.outputs, one.claims, one.sources) == (other.outputs, other.claims, other.sources)


def must_be_refused(value: Any, place: Place) -> bool:
    """Whether a value can be right nowhere: a number that is none, a table of unknown keys, an unknown name."""
    unfinite = isinstance(value, float) and not math.isfinite(value)
    huge = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) > 2**53
    return unfinite or huge or (isinstance(value, dict | str) and not is_prose(place))


@pytest.mark.parametrize("path", YAML)
def test_every_key_of_a_yaml_file(files: Configured, path: str) -> None:
    content = without_aliases(files.root, path)
    with files.bytes_of(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True).encode()):
        good = files.load(**reading(path))
    passed = []
    cases = [(place, wrong) for place in places(content) for wrong in WRONG]
    for place, wrong in cases[:: max(len(cases) // MOST, 1)]:
        text = yaml.safe_dump(spoilt(content, place, wrong), sort_keys=False, allow_unicode=True)
        with files.bytes_of(path, text.encode()):
            message = files.refusal(**reading(path))  # anything but an InputError fails the test here
            if not message and must_be_refused(wrong, place) and not is_equal(files.load(**reading(path)), good):
                passed.append((place, wrong))
    assert not passed


@pytest.mark.parametrize("path", CSV)
def test_every_cell_of_a_csv_file(files: Configured, path: str) -> None:
    lines = read_csv(files.root / path)
    columns = list(lines[0][1])
    passed = []
    free = {
        "for", "source", "name", "licence", "url", "split", "repository", "file", "mirror_file", "mirror_rows", "row",
        "output", "label", *(column for column in columns if holds_words(path, [each[column] for _, each in lines])),
    }  # fmt: skip
    words = ("", "no such name", "nan", "1e400", "9" * 400, "-1", "\u0661", "a|", "a,b", '"')
    cases = [(number, column, wrong) for number in range(min(len(lines), 3)) for column in columns for wrong in words]
    for number, column, wrong in cases[:: max(len(cases) // MOST, 1)]:
        changed = [dict(each) for _, each in lines]
        changed[number][column] = wrong
        text = "\n".join([",".join(columns), *(",".join(map(quoted, each.values())) for each in changed)])
        with files.bytes_of(path, text.encode()):
            message = files.refusal(**reading(path))
            if not message and column not in free and wrong in ("no such name", "nan", "1e400", "\u0661"):
                passed.append((number, lines[number][1][column], column, wrong))
    assert not passed


def holds_words(path: str, cells: list[str]) -> bool:
    """Whether a paper prints words or marks in a column of a reported table, which are any text."""
    if Path(path).parent.name != "reported" or Path(path).stem == "parameters":
        return False
    return any(cell and not PRINTED.fullmatch(cell) for cell in cells)


def quoted(cell: str) -> str:
    """A cell as CSV; a lone quotation mark stays as a careless hand writes it."""
    return f'"{cell}"' if "," in cell and cell != "a,b" else cell
