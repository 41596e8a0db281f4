"""Tagged remarks: found wherever they stand, with file, line, subject and whole text."""

import json

import pytest

from rlvr.core.errors import InputError
from rlvr.plan.tags import TAG_COLUMNS, tag_rows, tags_of
from rlvr.report.assumptions import write_tags

YAML = """\
# A remark without a tag.
rate: 1.0e-5                  # SOURCE: table 9. ASSUME: for the others, too
text: "a # ASSUME: within quotes"  # ASSUME: behind quotes
words: the paper's own        # ASSUME: behind an apostrophe
long: 3                       # ASSUME: a remark that goes on
                              # below its value
other: 4
# DEVIATION: of the key below,
# over two lines
steps: {a: 1, b: 2}
list:
  - name: 5                   # ASSUME: of an entry
last: no#ASSUME: no comment
"""
PYTHON = '''"""A module.

ASSUME: of the module. It has
two lines.

Another paragraph.
"""

LIMIT = 8  # ASSUME: of a constant
TEXT = "ASSUME: within a string"  # an untagged comment


# DEVIATION from the original: of a function,
# over two lines
def act(x):
    """Act.

    SOURCE: table 3.
    """
    y = x  # the word ASSUME alone is no tag
    return y
'''


def found(name: str, text: str) -> list[tuple[str, int, str, str]]:
    return [(each.tag, each.line, each.subject, each.text) for each in tags_of(name, text)]


def test_comments_of_yaml() -> None:
    assert found("scale.yaml", YAML) == [
        ("SOURCE", 2, "rate: 1.0e-5", "table 9."),
        ("ASSUME", 2, "rate: 1.0e-5", "for the others, too"),
        ("ASSUME", 3, 'text: "a # ASSUME: within quotes"', "behind quotes"),
        ("ASSUME", 4, "words: the paper's own", "behind an apostrophe"),
        ("ASSUME", 5, "long: 3", "a remark that goes on below its value"),
        ("DEVIATION", 8, "steps", "of the key below, over two lines"),
        ("ASSUME", 12, "name: 5", "of an entry"),
    ]


def test_comments_and_docstrings_of_python() -> None:
    assert found("lib/module.py", PYTHON) == [
        ("ASSUME", 3, "module", "of the module. It has two lines."),
        ("ASSUME", 9, "LIMIT = 8", "of a constant"),
        ("DEVIATION", 13, "act", "from the original: of a function, over two lines"),
        ("SOURCE", 18, "act", "table 3."),
    ]


def test_every_line_that_looks_tagged_is_found_in_our_own_files(pytestconfig: pytest.Config) -> None:
    """A slow obvious count: lines of comments in YAML that hold a tag and a colon."""
    for path in (pytestconfig.rootpath / "workflow").glob("s*/**/*.yaml"):
        if path.parent.name == "schemas":
            continue
        text = path.read_text()
        expected = sum(
            line.partition("#")[2].count(f"{tag}:")
            for line in text.splitlines()
            for tag in ("SOURCE", "ASSUME", "DEVIATION")
        )
        colons = [each for each in tags_of(path.name, text) if not each.text.startswith("from ")]
        assert len(colons) == expected, path


def test_a_file_of_two_groups_counts_once(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text("x: 1  # ASSUME: one\n")
    groups = {"recipe": [tmp_path / "a.yaml"], "scale": [tmp_path / "a.yaml"]}
    (row,) = tag_rows(groups, tmp_path)
    assert row == {"tag": "ASSUME", "group": "recipe", "file": "a.yaml", "line": 1, "subject": "x: 1", "text": "one"}


def test_rows_are_written_for_documents_and_readers(tmp_path) -> None:
    row = dict.fromkeys(TAG_COLUMNS, "a, b")
    write_tags([row], str(tmp_path / "tags.json"), str(tmp_path / "tags.csv"))
    assert json.loads((tmp_path / "tags.json").read_text()) == [row]
    assert (tmp_path / "tags.csv").read_text().splitlines()[0] == ",".join(TAG_COLUMNS)


def test_a_broken_file_is_named() -> None:
    with pytest.raises(InputError, match=r"bad\.py"):
        tags_of("bad.py", "# ASSUME: x\ndef (")
