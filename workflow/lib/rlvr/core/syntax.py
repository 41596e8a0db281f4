"""A digest of the code that makes a result, from syntax trees: what decides whether cheap rules run again."""

import ast
import hashlib
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from rlvr.core.io import atomic_path
from rlvr.core.provenance import LIBRARY

# What was found in a source, by the hash of its bytes: every call of snakemake, and every job on a cluster, asks for
# four hundred files, which take a second and a half to parse.
STORE = LIBRARY.parents[1] / ".cache" / "syntax.json"

Found = tuple[str, tuple[str, ...]]  # digest of the syntax tree, and the modules that it imports
_asked: dict[str, Found] = {}  # what this process wanted to know


def code_digest(script: str | Path) -> str:
    """Hash of the syntax trees of a script and of every ``rlvr`` module that it reaches by imports.

    Comments, docstrings, blank lines and time stamps do not change it; any other edit does. Rules that cost seconds
    carry it as a parameter, so that an edit of library code reruns exactly what uses it.
    """
    trees = {name: module_digest(path) for name, path in sorted(reachable_modules(Path(script)).items())}
    trees[""] = module_digest(Path(script))
    return hashlib.sha256(repr(sorted(trees.items())).encode()).hexdigest()[:16]


@cache
def reachable_modules(path: Path) -> dict[str, Path]:
    """Names and files of the ``rlvr`` modules that ``path`` imports, directly or not, also inside functions."""
    found: dict[str, Path] = {}
    waiting = [path]
    while waiting:
        for name in imported_names(waiting.pop()):
            file = module_file(name)
            if file is not None and name not in found:
                found[name] = file
                waiting.append(file)
    return found


@cache
def imported_names(path: Path) -> tuple[str, ...]:
    """Every ``rlvr`` module that a file may import; ``from a import b`` yields both ``a`` and ``a.b``.

    A package that finds its modules itself, with ``pkgutil``, imports all that lie beside its ``__init__``.
    """
    names = set(read_source(path)[1])
    if "pkgutil" in names and path.name == "__init__.py":
        package = ".".join(path.parent.relative_to(LIBRARY).parts)
        names.update(f"{package}.{module.stem}" for module in path.parent.glob("*.py") if module != path)
    return tuple(sorted(name for name in names if name.split(".")[0] == "rlvr"))


@cache
def module_file(name: str) -> Path | None:
    """The file of a module or package, or ``None`` when the name is an attribute, not a module."""
    stem = LIBRARY.joinpath(*name.split("."))
    for candidate in (stem.with_suffix(".py"), stem / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def module_digest(path: Path) -> str:
    """Hash of one file's syntax tree without docstrings."""
    return read_source(path)[0]


@cache
def read_source(path: Path) -> Found:
    """Digest of a file's syntax tree and the names that it imports, from the store where they are known."""
    source = path.read_bytes()
    key = hashlib.sha256(b"%d " % sys.hexversion + source).hexdigest()  # trees differ between versions of Python
    _asked[key] = _kept().get(key) or scan(source)
    return _asked[key]


def scan(source: bytes) -> Found:
    """Hash of the syntax tree of a source without docstrings, and the modules that it imports, sorted.

    ``from a import b`` yields both ``a`` and ``a.b``.
    """
    tree = ast.parse(source)
    names: set[str] = set()
    for node in statements(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(sorted(names))


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """A tree and every statement within it, also within handlers and cases; expressions hold none and are passed by.

    The body of a node is read before the node is handed out, which may change it.
    """
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, field, ())
            waiting.extend(inner if isinstance(inner, list) else ())
        yield node


@cache
def _kept() -> dict[str, Found]:
    """What earlier calls found; empty where the file is missing or is not what ``keep_found`` writes."""
    try:
        found = json.loads(STORE.read_text(encoding="utf-8"))
        return {str(key): (str(digest), tuple(map(str, names))) for key, (digest, names) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def keep_found() -> None:
    """Write what this process asked of sources for the next call, where that differs from what is kept; never fails."""
    if _asked == _kept():
        return
    try:
        with atomic_path(STORE) as path:
            path.write_text(json.dumps(_asked), encoding="utf-8")
    except OSError:
        return  # nothing but time is lost
