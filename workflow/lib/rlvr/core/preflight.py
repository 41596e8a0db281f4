"""Whether an environment has what its stages import, found out before anything waits in a queue for it."""

import ast
import importlib
import sys
import traceback
from collections.abc import Collection, Iterable
from importlib import metadata
from pathlib import Path

from rlvr.core.errors import InputError
from rlvr.core.io import write_json
from rlvr.core.provenance import package_versions
from rlvr.core.syntax import reachable_modules

OURS = ("rlvr", "snakemake")
ON_GPU_ONLY = frozenset({"vllm"})  # imported by code that every environment has and only the one of the GPU stages runs
GPU = "train-gpu"
REMEDY = (
    "On a cluster `make cluster-env` makes the environments of all stages; which way the profile takes "
    "(env-modules, conda, apptainer) is its line 'software-deployment-method', see docs/cluster.md."
)


def imported_packages(scripts: Iterable[str | Path]) -> set[str]:
    """Top-level names that scripts and the modules of this library behind them import, also inside functions.

    Imports of the standard library, of this library and for type checkers only are left out.
    """
    files = {Path(script) for script in scripts}
    for script in tuple(files):
        files.update(reachable_modules(script).values())
    found = {name for path in files for name in _imports(ast.parse(path.read_text(encoding="utf-8")))}
    return {name for name in found if name not in sys.stdlib_module_names and name not in OURS}


def check_environment(name: str, scripts: Collection[str | Path], record: str | Path) -> None:
    """Import in this process whatever the scripts of an environment's stages import, and record the versions.

    Args:
        name: Of the environment, a file of ``envs`` without its suffix.
        scripts: Adapters and command lines of the rules that run in it.
        record: Receives the interpreter, the packages that were imported, and versions; written last.

    Raises:
        InputError: Names what cannot be imported, the interpreter, and how environments are made.
    """
    wanted = imported_packages(scripts) - (frozenset() if name == GPU else ON_GPU_ONLY)
    broken = {package: reason for package in sorted(wanted) if (reason := _cannot_import(package))}
    if broken:
        listed = "; ".join(f"{package} ({reason})" for package, reason in broken.items())
        raise InputError(f"environment '{name}'", f"{sys.executable} cannot import {listed}.", REMEDY)
    content = {"environment": name, "python": sys.executable, "imported": sorted(wanted)}
    write_json({**content, "versions": package_versions(), "packages": len(list(metadata.distributions()))}, record)


def _cannot_import(package: str) -> str | None:
    try:
        importlib.import_module(package)
    except Exception as error:  # a package may fail on import with any error, a missing library of the system included
        return traceback.format_exception_only(error)[-1].strip().splitlines()[0]
    return None


def _imports(tree: ast.Module) -> set[str]:
    """Top-level names of every import of a file that is run, not only read by a type checker."""
    checked_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in checked_only:
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names
