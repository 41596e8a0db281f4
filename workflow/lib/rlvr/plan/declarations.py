"""Files that declare a study's tables and figures: ``outputs.yaml``, or a folder ``outputs`` of such files.

Files of a folder have the names of outputs at their top. They are read as one text, ``shared.yaml`` first, so that each
may use the anchors of the files before it; names that two of them declare are refused with both.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rlvr.core.errors import InputError
from rlvr.core.schemas import check_against, load_yaml, parse_yaml, read_text

SHARED = "shared"
NAME = re.compile(r"""^(["']?)([A-Za-z0-9_-]+)\1\s*:""")
Declarations = dict[str, tuple[Mapping[str, Any], Path]]


def read_declarations(path: str | Path, schema: str | Path | None = None) -> Declarations:
    """Entries of every output with the file that declares it.

    Args:
        path: ``outputs.yaml``; without it, the files of the folder beside it that has its name are read.
        schema: JSON schema to check against.

    Returns:
        By name, in the order of a file; of a folder tables before figures, by number, the paper's before ours.

    Raises:
        InputError: If both or neither is there, a file cannot be read, or a name is declared twice.
    """
    path = Path(path)
    folder = path.with_suffix("")
    if not folder.is_dir():
        content = load_yaml(path)
        if schema is not None:
            check_against(content, schema, path)
        return {key: (fields, path) for key, fields in content["outputs"].items()}
    if path.is_file():
        raise InputError(path, f"stands beside the folder '{folder.name}'.", "Keep one of them.")
    return _read_folder(folder, schema)


def declared_in(path: str | Path) -> Path:
    """Where a study declares its outputs: ``path``, or the folder in its place."""
    folder = Path(path).with_suffix("")
    return folder if folder.is_dir() else Path(path)


def _read_folder(folder: Path, schema: str | Path | None) -> Declarations:
    files = sorted(folder.iterdir(), key=lambda file: (file.stem != SHARED, file.name))
    if not files:
        raise InputError(folder, "is empty.", "Declare outputs in *.yaml.")
    texts: dict[Path, str] = {}
    places: dict[str, Path] = {}
    for file in files:
        if file.suffix != ".yaml":
            raise InputError(file, "is no *.yaml.", "Rename it, or move it elsewhere.")
        texts[file] = read_text(file).rstrip("\n") + "\n"
        for name in _names(file, texts[file]):
            if name in places:
                also = "above" if places[name] == file else f"in {places[name].name}"
                raise InputError(file, f"declares '{name}', which is declared {also}, too.", "Remove one of them.")
            places[name] = file
    content = _parse(texts)
    if schema is not None:
        for file in files:
            own = {name: fields for name, fields in content.items() if places[name] == file}
            shared = {SHARED: own.pop(SHARED)} if SHARED in own else {}
            check_against({**shared, "outputs": own}, schema, file)
    content.pop(SHARED, None)
    return {name: (content[name], places[name]) for name in sorted(content, key=_order)}


def _names(file: Path, text: str) -> list[str]:
    """The names at the top of a file.

    Raises:
        InputError: If it begins in another way; its lines would become part of the file before it.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if lines and not NAME.match(lines[0]):
        raise InputError(file, f"begins with '{lines[0].strip()}'.", "Begin with the name of an output and a colon.")
    if marked := next((line for line in lines if line.startswith(("---", "..."))), ""):
        raise InputError(file, f"has the line '{marked}'.", "Files of the folder are parts of one document: remove it.")
    return [found[2] for line in lines if (found := NAME.match(line))]


def _parse(texts: Mapping[Path, str]) -> dict[str, Any]:
    try:
        return dict(parse_yaml("".join(texts.values())) or {})
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        where = _line_of(texts, 0 if mark is None else mark.line)
        problem = f"not valid YAML ({getattr(error, 'problem', None) or error})."
        raise InputError(where, problem, "Correct this line, or the end of the file before.") from error


def _line_of(texts: Mapping[Path, str], line: int) -> str:
    """File and line, counted from one, of a line of all texts together, counted from zero."""
    file = next(iter(texts))
    for file, text in texts.items():
        if line < text.count("\n"):
            return f"{file}, line {line + 1}"
        line -= text.count("\n")
    return f"{file}, at its end"


def _order(name: str) -> tuple[bool, bool, int, str]:
    number = re.sub(r"\D", "", name)
    return (not name.startswith("table"), "S" in name, int(number or 0), name)
