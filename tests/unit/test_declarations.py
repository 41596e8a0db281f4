"""Outputs in one file or in a folder of files: what is read, in which order, and what is refused."""

from pathlib import Path

import pytest

from rlvr.core.errors import InputError
from rlvr.plan.declarations import declared_in, read_declarations

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
SCHEMA, STUDIES = WORKFLOW / "schemas/outputs.schema.yaml", WORKFLOW / "studies"
FILES = {
    "shared.yaml": "shared:\n  lora: &lora {method: lora}\n",
    "figures.yaml": "figure10: {caption: Ten.}\nfigureS1: {caption: Ours.}\nfigure2: {caption: Two.}",  # no line break
    "a_tables.yaml": (
        "# Of the paper\n\ntableS3: {caption: Ours., where: *lora}\ntable4:\n  caption: Four.\n  where: *lora\n"
    ),
}


def folder_of(root: Path, **changes: str) -> Path:
    """A folder of outputs, with other files; the path that a study names."""
    (root / "outputs").mkdir()
    for name, text in {**FILES, **{key.replace("__", "."): value for key, value in changes.items()}}.items():
        (root / "outputs" / name).write_text(text)
    return root / "outputs.yaml"


def test_files_of_a_folder_are_one_text_with_the_anchors_of_the_shared_file_first(tmp_path: Path) -> None:
    path = folder_of(tmp_path)
    found = read_declarations(path, SCHEMA)
    assert list(found) == ["table4", "tableS3", "figure2", "figure10", "figureS1"]
    assert found["table4"] == ({"caption": "Four.", "where": {"method": "lora"}}, tmp_path / "outputs/a_tables.yaml")
    assert found["figure10"][1].name == "figures.yaml"
    assert declared_in(path) == tmp_path / "outputs"


def test_a_single_file_keeps_its_order(tmp_path: Path) -> None:
    path = tmp_path / "outputs.yaml"
    path.write_text("outputs:\n  figure1: {caption: One.}\n  table1: {caption: First.}\n")
    assert list(read_declarations(path, SCHEMA)) == ["figure1", "table1"]
    assert declared_in(path) == path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"more__yaml": "table4: {caption: Again.}\n"},
            r"more\.yaml: declares 'table4', which is declared in a_tables\.yaml",
        ),
        (
            {"more__yaml": "table7: {caption: A.}\n'table7': {caption: B.}\n"},
            r"more\.yaml: .*'table7'.* declared above",
        ),
        ({"more__yaml": "shared: {x: &other {method: lora}}\n"}, r"'shared', which is declared in shared\.yaml"),
        ({"more__yaml": "  plot: {models: [a]}\n"}, r"more\.yaml: begins with 'plot: \{models"),
        ({"more__yaml": "- table7\n"}, r"more\.yaml: begins with '- table7'"),
        ({"more__yaml": "table7: {caption: A.}\n---\ntable8: {caption: B.}\n"}, "parts of one document"),
        (
            {"more__yaml": "table7: {caption: A.}\ntable8: {caption: *lore}\n"},
            r"more\.yaml, line 2: .*undefined alias",
        ),
        ({"more__yaml": "table7: {caption: A, caption: B}\n"}, r"more\.yaml, line 1: .*'caption' appears twice"),
        ({"figures__yaml": "figure1: {caption: [Ten}\n"}, r"figures\.yaml, line 1: not valid YAML"),
        ({"zz__yaml": "table7: {caption: [A.\n"}, "not valid YAML"),
        ({"more__yaml": "table7: {captoin: A.}\n"}, r"more\.yaml: key 'outputs\.table7'.*captoin"),
        ({"more__yaml": "tabel7: {caption: A.}\n"}, r"more\.yaml: key 'outputs'.*tabel7"),
        ({"notes__txt": ""}, r"notes\.txt: is no \*\.yaml"),
    ],
)
def test_what_is_refused(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_declarations(folder_of(tmp_path, **changes), SCHEMA)


def test_one_place_only(tmp_path: Path) -> None:
    path = folder_of(tmp_path)
    path.write_text("outputs: {}\n")
    with pytest.raises(InputError, match=r"outputs\.yaml: stands beside the folder 'outputs'"):
        read_declarations(path)
    path.unlink()
    for file in (tmp_path / "outputs").iterdir():
        file.unlink()
    with pytest.raises(InputError, match="is empty"):
        read_declarations(path)
    (tmp_path / "outputs").rmdir()
    with pytest.raises(InputError, match="no such file"):
        read_declarations(path)


@pytest.mark.parametrize("study", sorted(path.name for path in STUDIES.iterdir() if path.is_dir()))
def test_no_column_has_the_name_of_an_end_of_anothers_interval(study: str) -> None:
    """Numbers are LaTeX commands: of a column `x` also `x, low` and `x, high`, spelt like a column `x_low`."""
    for name, (output, _) in read_declarations(STUDIES / study / "outputs.yaml").items():
        keys = {column["key"] for column in output.get("columns", ())}
        ends = {f"{key}_{end}" for key in keys for end in ("low", "high", "printed")}
        assert not ends & keys, f"{name}: {ends & keys}"
