"""Where a result came from: package versions, commit, and a digest of the code that made it."""

import ast
import hashlib
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[2]  # the folder that holds the package `rlvr`
RECORDED_PACKAGES = (
    "torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "safetensors",
    "math-verify", "numpy", "pandas", "pyarrow", "vllm",
)  # fmt: skip


def package_versions() -> dict[str, str]:
    """Installed versions of the packages that can change a result; missing ones are left out."""
    found = {"python": platform.python_version()}
    for name in RECORDED_PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def repository_state() -> dict[str, str | bool | None]:
    """Commit of the workflow and whether the tree differed from it; ``None`` outside a git checkout."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(LIBRARY), *words], capture_output=True, encoding="utf-8", errors="replace", check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    commit = git("rev-parse", "HEAD")
    return {"commit": commit, "dirty": None if commit is None else bool(git("status", "--porcelain"))}


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
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    if "pkgutil" in names and path.name == "__init__.py":
        package = ".".join(path.parent.relative_to(LIBRARY).parts)
        names.update(f"{package}.{module.stem}" for module in path.parent.glob("*.py") if module != path)
    return tuple(sorted(name for name in names if name.split(".")[0] == "rlvr"))


def module_file(name: str) -> Path | None:
    """The file of a module or package, or ``None`` when the name is an attribute, not a module."""
    stem = LIBRARY.joinpath(*name.split("."))
    for candidate in (stem.with_suffix(".py"), stem / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def module_digest(path: Path) -> str:
    """Hash of one file's syntax tree without docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
