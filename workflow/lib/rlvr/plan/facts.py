"""Facts of a protocol: what a paper prints in words or numbers, beside what is configured and what runs record.

A study declares them in ``facts.yaml``, by output; printed texts stand in ``reported/<output>.csv``. Our values are
looked up by a path and never typed: ``recipe/...`` and ``benchmarks/...`` (the study), ``base/<model>/...``
(``data/configs``), ``scale/...`` (scale ``paper``), ``pins/<environment>/<package>`` (``envs``), ``targets/<set>``,
``grid/<column>`` (the distinct values of the runs that ``where`` selects).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rlvr.core.csvfile import read_csv
from rlvr.core.errors import InputError
from rlvr.core.io import read_json
from rlvr.core.schemas import check_against, load_yaml
from rlvr.plan.fact_checks import check_counted, check_recorded
from rlvr.plan.printed import parse_printed
from rlvr.plan.selection import Condition, Facts, check_condition, check_values, select
from rlvr.plan.targets import TARGET_SETS

Tree = Mapping[str, Any]
GRID = "grid"


@dataclass(frozen=True)
class Fact:
    """One line of a table of facts.

    Attributes:
        key: Name in files.
        labels: Texts of the label columns.
        printed: As the paper prints it; empty where it does not.
        means: What the printed text says, as a value of ours; ``None`` for a printed number, which is read as one.
        configured: Our value, looked up; ``None`` where nothing is configured.
        recorded: Path in ``run.json`` of the runs, parts separated by ``/``; empty for none.
        runs: Run ids whose manifests are asked.
        counted: Names of printed parameter counts (``output | label | model``); they are printed, configured and judged
            in one.
        tag: SOURCE, ASSUME or DEVIATION where the verdict alone would not say it; empty otherwise.
        why: Why ours is another one, or what the value rests on.
    """

    key: str
    labels: tuple[str, ...]
    printed: str = ""
    means: Any = None
    configured: Any = None
    recorded: str = ""
    runs: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    tag: str = ""
    why: str = ""


def load_facts(
    path: Path,
    schema: Path,
    candidates: Mapping[str, Facts],
    recipe: Tree,
    root: Path,
    benchmarks: Tree | None = None,
    words: Mapping[str, Collection[str]] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """The facts of every table of a study, their configured values looked up; nothing for a study without the file.

    Args:
        path: ``facts.yaml``; printed texts stand beside it in ``reported/``.
        schema: Its JSON schema.
        candidates: Facts of the runs of the grid, by run id.
        recipe: The study's recipe.
        root: Folder of the Snakefile, for what is configured elsewhere.
        benchmarks: The study's protocols of sampling.
        words: Values that a condition may name although nothing has them yet, by fact.

    Returns:
        For every output its facts as plain values, ready for :class:`Fact`.

    Raises:
        InputError: Names the fact and the path, condition or text that is wrong.
    """
    if not path.is_file():
        return {}
    content = load_yaml(path)
    check_against(content, schema, path)
    sources = value_sources(recipe, root) | {"benchmarks": benchmarks or {}}
    found: dict[str, list[dict[str, Any]]] = {}
    for output, entries in content.items():
        printed = read_texts(path.parent / "reported" / f"{output}.csv", [entry["key"] for entry in entries])
        found[output] = []
        for entry in entries:
            where = f"{path}, output '{output}', fact '{entry['key']}'"
            check_condition(entry.get("where", {}), candidates, where)
            check_values(entry.get("where", {}), candidates, where, words or {})
            check_counted(entry.get("counted", ()), path.parent, where)
            found[output].append(asdict(_fact(entry, printed, sources, candidates, where)))
    return found


def value_sources(recipe: Tree, root: Path) -> dict[str, Any]:
    """Everything that is configured anywhere, by the first part of a path."""
    configs = {path.stem: read_json(path) for path in sorted((root / "data" / "configs").glob("*.json"))}
    pins = {path.stem: read_pins(path) for path in sorted((root / "envs").glob("*.yaml"))}
    scale = load_yaml(root / "workflow" / "scales" / "paper.yaml")
    targets = {name: list(projections) for name, projections in TARGET_SETS.items()}
    return {"recipe": recipe, "base": configs, "scale": scale, "pins": pins, "targets": targets}


def read_pins(path: Path) -> dict[str, str]:
    """Pinned versions of an environment file, by package (without extras), and Python's."""
    found = {}
    for entry in load_yaml(path)["dependencies"]:
        for line in entry["pip"] if isinstance(entry, Mapping) else [entry]:
            name, _, version = line.replace("==", "=").partition("=")
            if version:
                found[name.partition("[")[0]] = version
    return found


def read_texts(path: Path, keys: Sequence[str]) -> dict[str, str]:
    """Printed texts by row key; a row that no fact has is refused.

    Raises:
        InputError: Names the row.
    """
    if not path.is_file():
        return {}
    found = {line["row"]: line["printed"] for _, line in read_csv(path, ("row", "printed"))}
    if stray := sorted(set(found) - set(keys)):
        raise InputError(path, f"row '{stray[0]}' belongs to no fact.", f"Facts: {', '.join(keys)}.")
    return found


def look_up(sources: Tree, path: str, where: str) -> Any:
    """The value at a path.

    Raises:
        InputError: Names the part that is not there and its neighbours.
    """
    value: Any = sources
    for part in path.split("/"):
        key = int(part) if isinstance(value, Mapping) and part.isdigit() and part not in value else part
        if not isinstance(value, Mapping) or key not in value:
            known = ", ".join(map(str, value)) if isinstance(value, Mapping) else "nothing below it"
            raise InputError(where, f"path '{path}' has no '{part}'.", f"Known there: {known}.")
        value = value[key]
    return value


def _fact(entry: Tree, printed: Mapping[str, str], sources: Tree, runs: Mapping[str, Facts], where: str) -> Fact:
    condition: Condition = entry.get("where", {})
    if "recorded" in entry:
        check_recorded(entry["recorded"], where)
    selected = select(runs, [condition])
    if not selected:
        raise InputError(where, f"no run of the grid meets {condition}.", "Correct 'where'.")
    text, path = printed.get(entry["key"], ""), entry.get("configured", "")
    configured = _configured(path, sources, [runs[name] for name in selected], where) if path else None
    if text and "means" not in entry and (path or entry.get("recorded")):
        parse_printed(text, f"{where}: without 'means' its printed text must be a number")
    labels = entry["labels"]
    return Fact(
        key=entry["key"],
        labels=(labels,) if isinstance(labels, str) else tuple(labels),
        printed=text,
        means=entry.get("means"),
        configured=configured,
        recorded=entry.get("recorded", ""),
        runs=tuple(selected),
        counted=tuple(entry.get("counted", ())),
        tag=entry.get("tag", ""),
        why=entry.get("why", ""),
    )


def _configured(path: str, sources: Tree, selected: Sequence[Facts], where: str) -> Any:
    first, _, column = path.partition("/")
    if first != GRID:
        return look_up(sources, path, where)
    if any(column not in facts for facts in selected):
        raise InputError(where, f"the grid has no column '{column}'.", f"Known: {', '.join(selected[0])}.")
    values = list(dict.fromkeys(facts[column] for facts in selected))
    numbers = all(isinstance(value, int | float) for value in values)
    values = sorted(values) if numbers else values
    return values[0] if len(values) == 1 else values
