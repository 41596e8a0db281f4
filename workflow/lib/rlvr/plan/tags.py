"""What the files of a reproduction say about their own origin: every SOURCE, ASSUME and DEVIATION, with its place.

Tags stand in comments of YAML and Python files and in docstrings; strings and code do not count.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.syntax import statements

TAG = re.compile(r"\b(SOURCE|ASSUME|DEVIATION)(?::|(?= from\b))\s*")
TAG_COLUMNS = ("tag", "group", "file", "line", "subject", "text")
LONGEST_SUBJECT = 60  # characters; what a comment stands behind may be a whole row of a table
YAML_COMMENT = re.compile(r"""^((?:"[^"]*"|(?<![^\s\[{,:(])'[^']*'|[^"#]|(?<=\S)#)*?)(?:(?<=\s)|^)#\s?(.*)$""")


@dataclass(frozen=True)
class Tagged:
    """One tagged remark.

    Attributes:
        tag: SOURCE, ASSUME or DEVIATION.
        file: Path below the repository's root.
        line: Line on which the tag stands, from 1.
        subject: What the remark is about: the setting in front of a comment or below it, a function, a module.
        text: The remark up to the end of its paragraph or the next tag.
    """

    tag: str
    file: str
    line: int
    subject: str
    text: str


@dataclass(frozen=True)
class Block:
    """A paragraph of comment or docstring, as numbered lines, and what it is about."""

    lines: tuple[tuple[int, str], ...]
    subject: str


def tag_rows(groups: Mapping[str, Iterable[Path]], root: Path) -> Iterator[dict[str, Any]]:
    """Every tagged remark of several groups of files, as rows of ``TAG_COLUMNS``.

    Args:
        groups: Paths by the name of their group, e.g. ``recipe``; a file that stands in two is read in the first.
        root: The repository's root; files are named relative to it.
    """
    seen: set[Path] = set()
    for group, paths in groups.items():
        for path in paths:
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            name = path.resolve().relative_to(root.resolve()).as_posix()
            yield from ({**asdict(found), "group": group} for found in tags_of(name, path.read_text(encoding="utf-8")))


def tags_of(name: str, text: str) -> list[Tagged]:
    """The tagged remarks of one file, from top to bottom.

    Args:
        name: Path of the file; its ending says how it is read (``.py``, ``.yaml``, ``.yml``).
        text: What it holds.

    Raises:
        InputError: If a Python file cannot be parsed.
    """
    if not TAG.search(text):
        return []
    blocks = _python_blocks(name, text) if name.endswith(".py") else _yaml_blocks(text)
    return sorted((found for block in blocks for found in _tags_of_block(name, block)), key=lambda each: each.line)


def _tags_of_block(name: str, block: Block) -> Iterator[Tagged]:
    text = "\n".join(line for _, line in block.lines)
    marks = list(TAG.finditer(text))
    for mark, following in zip(marks, [*marks[1:], None], strict=False):
        remark = " ".join(text[mark.end() : following.start() if following else len(text)].split())
        line = block.lines[text.count("\n", 0, mark.start())][0]
        yield Tagged(mark[1], name, line, block.subject, remark)


def _yaml_blocks(text: str) -> Iterator[Block]:
    """Comments of a YAML file: one behind a value with the lines that go on below it, or full lines in a row."""
    lines = text.splitlines()
    parsed = [YAML_COMMENT.match(line) for line in lines]
    place = 0
    while place < len(lines):
        comment = parsed[place]
        if comment is None:
            place += 1
            continue
        code, end = comment[1].strip(), place + 1
        column = len(comment[1])
        while end < len(lines) and (below := parsed[end]) and not below[1].strip():
            if code and len(below[1]) < column:  # a full line that starts further left is a remark of its own
                break
            end += 1
        numbered = tuple((number + 1, parsed[number][2]) for number in range(place, end))  # type: ignore[index]
        subject = code or next((line for line in lines[end:] if line.strip()), "")
        yield Block(numbered, _short(_setting(subject)))
        place = end


def _setting(line: str) -> str:
    """The code of a YAML line without its comment and its list dash; a table in braces keeps its key only."""
    comment = YAML_COMMENT.match(line)
    code = (comment[1] if comment else line).strip().removeprefix("- ").strip()
    key, _, value = code.partition(":")
    return key if not value.strip() or value.strip().startswith(("{", "[", "&", "*", ">")) else code


def _python_blocks(name: str, text: str) -> Iterator[Block]:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise InputError(name, f"is no Python ({error}).", "Correct the file.") from error
    yield from _docstring_blocks(tree, Path(name).stem)
    yield from _comment_blocks(text)


def _docstring_blocks(tree: ast.Module, module: str) -> Iterator[Block]:
    """Paragraphs of every docstring, each about its function, class or module."""
    for node in statements(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node) is None:
            continue
        first = node.body[0]
        assert isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        subject = getattr(node, "name", module)
        paragraph: list[tuple[int, str]] = []
        for number, line in enumerate(str(first.value.value).splitlines(), start=first.lineno):
            if line.strip():
                paragraph.append((number, line))
            elif paragraph:
                yield Block(tuple(paragraph), subject)
                paragraph = []
        if paragraph:
            yield Block(tuple(paragraph), subject)


def _comment_blocks(text: str) -> Iterator[Block]:
    """Comments of Python code: one behind code, or full lines in a row, which are about the code below them."""
    lines = text.splitlines()
    tokens = [each for each in tokenize.generate_tokens(io.StringIO(text).readline) if each.type == tokenize.COMMENT]
    comments = {each.start[0]: (each.start[1], each.string.lstrip("# ")) for each in tokens}
    place = 0
    numbers = sorted(comments)
    while place < len(numbers):
        first = numbers[place]
        code = lines[first - 1][: comments[first][0]].strip()
        run = [first]
        while run[-1] + 1 in comments and not code and not lines[run[-1]][: comments[run[-1] + 1][0]].strip():
            run.append(run[-1] + 1)
        below = next((line for line in lines[run[-1] :] if line.strip()), "")
        yield Block(tuple((number, comments[number][1]) for number in run), _short(_name_of(code or below)))
        place += len(run)


def _name_of(code: str) -> str:
    """What a line of Python defines or sets: ``LIMIT = 8`` as it stands, ``def f(...)`` as ``f``."""
    code = code.split("  #")[0].strip().rstrip("({[")
    defined = re.match(r"(?:async )?(?:def|class) (\w+)", code)
    return defined[1] if defined else code


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_SUBJECT else f"{text[: LONGEST_SUBJECT - 1].rstrip()}…"
