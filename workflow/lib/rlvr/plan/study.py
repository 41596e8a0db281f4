"""A study bound to a scale: its grid, checked, with every run's resolved settings.

Read by the Snakefile at parse time, so it imports nothing heavy; whatever is wrong here stops the dry run.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.schemas import check_against, load_yaml
from rlvr.plan.method import POSITIVE, SETTINGS, SMALLEST, Method, check_method_settings
from rlvr.plan.settings import resolve_settings

PROTOCOL = ("samples_per_problem", "temperature", "top_p", "max_completion_tokens")
INTEGER_COLUMNS = (*SMALLEST, "completions_per_step", "seed")

BASE_SUFFIX = "_base"


@dataclass(frozen=True)
class Study:
    """One paper at one scale.

    Attributes:
        name: Folder under ``workflow/studies``.
        scale: Content of the scale file.
        protocols: How the paper samples each benchmark, what ``protocols.yaml`` holds; the scale's settings go before.
        grid: Every row of the grid by run id, typed, empty cells as ``None``.
        rows: The rows of the selected tier.
        specs: Resolved settings of the selected runs, what ``specs/<run_id>.json`` holds.
        methods: The registry of methods.
    """

    name: str
    scale: Mapping[str, Any]
    protocols: Mapping[str, Mapping[str, Any]]
    grid: Mapping[str, Mapping[str, Any]]
    rows: Mapping[str, Mapping[str, Any]]
    specs: Mapping[str, Mapping[str, Any]]
    methods: Mapping[str, Method]

    @property
    def bases(self) -> dict[str, str]:
        """Run id and model of every untrained base of the scale: ``<model>_base``."""
        return {f"{model}{BASE_SUFFIX}": model for model in self.scale["models"]}

    @property
    def trained_bases(self) -> list[str]:
        """Run ids of the untrained bases whose models the selected rows train."""
        used = {self.model_of(run_id) for run_id in self.rows}
        return [run_id for run_id, model in self.bases.items() if model in used]

    def model_of(self, run_id: str) -> str:
        """The base model of a run, or what stands in for it on the run's data set; an untrained base is its own."""
        if run_id in self.bases:
            return self.bases[run_id]
        row = self.rows[run_id]
        return self.scale["datasets"][row["dataset"]].get("stand_in_model", row["model"])

    def suites(self, run_id: str) -> list[str]:
        """Suites of a run: that of its data set's benchmark, then those of the out-of-distribution sets.

        An untrained base is evaluated on everything that the runs of its model are.
        """
        runs = [run_id] if run_id in self.rows else [name for name in self.rows if self._starts_from(name, run_id)]
        own = [self.benchmark_of(self.rows[name]["dataset"]) for name in runs]
        return list(dict.fromkeys(map(self.suite_of, [*own, *self.scale["out_of_distribution"]])))

    def benchmark_of(self, dataset: str) -> str:
        """What the runs of a data set are evaluated on: its own held-out problems, unless it names another set."""
        return self.scale["datasets"][dataset].get("benchmark", dataset)

    def suite_of(self, benchmark: str) -> str:
        """The suite that holds a benchmark; there is exactly one."""
        return next(name for name, members in self.scale["suites"].items() if benchmark in members)

    def models_of_kind(self, kind: str) -> list[str]:
        """Models of the scale that are ``pretrained`` here or come from the ``hub``."""
        return [name for name, model in self.scale["models"].items() if model["kind"] == kind]

    def is_decomposed(self, run_id: str) -> bool:
        """Whether a run's method starts from singular vectors of its base."""
        return self.methods[self.rows[run_id]["method"]].decomposes

    def decomposed_rank(self, model: str) -> int:
        """The most singular triples that a selected run of a model starts from, at each end; 0 if none does."""
        runs = [name for name in self.rows if self.model_of(name) == model and self.is_decomposed(name)]
        return max((self.specs[name]["rank"] for name in runs), default=0)

    def sampling(self, suite: str, engine: str) -> dict[str, dict[str, Any]]:
        """How each benchmark of a suite is sampled: its protocol, the engine, and the precision of the base."""
        common = {
            "batch_completions": self.scale["evaluate"]["batch_completions"],
            "seed": self.scale["evaluate"]["seed"],
            "template": self.scale["template"],
            "dtype": self.scale["train"]["base_dtype"],
            "device": "cuda" if self.scale["resources"]["sample"]["gpu"] else "cpu",
            "engine": engine,
        }
        return {name: {**self.protocol(name), **common} for name in self.scale["suites"][suite]}

    def protocol(self, benchmark: str) -> dict[str, Any]:
        """k, temperature, top-p and token limit of a benchmark: the scale's where it states them, else the paper's."""
        return {**self.protocols.get(benchmark, {}), **self.scale["benchmarks"][benchmark]}

    def _starts_from(self, run_id: str, base: str) -> bool:
        return self.model_of(run_id) == self.bases[base]


def load_study(
    name: str, tier: str, scale_path: Path, studies: Path, schemas: Path, methods: Mapping[str, Method]
) -> Study:
    """Load and check a study's grid and a scale.

    Args:
        name: Study, a folder of ``studies``.
        tier: ``core`` keeps the core rows, ``full`` keeps all.
        scale_path: Scale file.
        studies: Folder of all studies.
        schemas: Folder of the JSON schemas.
        methods: The registry of methods.

    Raises:
        InputError: Names the file and the row or key that is wrong.
    """
    scale = load_yaml(scale_path)
    check_against(scale, schemas / "scale.schema.yaml", scale_path)
    check_scale(scale, scale_path)
    grid_path = studies / name / "grid.csv"
    rows = read_grid(grid_path, schemas / "grid.schema.yaml")
    for row in rows.values():
        check_row(row, scale, f"{grid_path}, run '{row['run_id']}'", scale_path.stem, methods)
    selected = {run_id: row for run_id, row in rows.items() if tier == "full" or row["tier"] == tier}
    specs = {run_id: {"study": name, **resolve_settings(row, scale, grid_path)} for run_id, row in selected.items()}
    protocols = load_protocols(studies / name, schemas)
    study = Study(name, scale, protocols, rows, selected, specs, methods)
    check_protocols(study, scale_path)
    return study


def load_protocols(folder: Path, schemas: Path) -> dict[str, dict[str, Any]]:
    """How a paper samples each benchmark; empty for a study without ``protocols.yaml``.

    Raises:
        InputError: For a file that breaks ``protocols.schema.yaml``.
    """
    path = folder / "protocols.yaml"
    if not path.is_file():
        return {}
    protocols = load_yaml(path)
    check_against(protocols, schemas / "protocols.schema.yaml", path)
    return protocols["benchmarks"]


def check_protocols(study: Study, scale_path: Path) -> None:
    """Check that scale and study together say how each benchmark of the scale is sampled."""
    for name in study.scale["benchmarks"]:
        missing = sorted(set(PROTOCOL) - set(study.protocol(name)))
        if missing:
            remedy = f"Add it there or to the protocols.yaml of study '{study.name}'."
            raise InputError(scale_path, f"benchmark '{name}' lacks '{missing[0]}'.", remedy)


def read_grid(path: Path, schema: Path) -> dict[str, dict[str, Any]]:
    """Rows of a grid by run id; numbers as numbers, empty cells as ``None``.

    Raises:
        InputError: For a missing file, a repeated ``run_id``, an unknown column or a value of the wrong type.
    """
    if not path.is_file():
        known = sorted(entry.parent.name for entry in path.parents[1].glob("*/grid.csv"))
        raise InputError(path, "no such study.", f"Known studies: {', '.join(known)}.")
    rows: dict[str, dict[str, Any]] = {}
    with path.open(newline="") as stream:
        for number, raw in enumerate(csv.DictReader(stream), start=2):
            where = f"{path}, line {number}"
            row = {column: _typed(column, cell, where) for column, cell in raw.items()}
            check_against(row, schema, where)
            if row["run_id"] in rows:
                raise InputError(
                    where, f"run_id '{row['run_id']}' is there twice.", "Rename or remove one of the rows."
                )
            rows[row["run_id"]] = row
    return rows


def check_row(
    row: Mapping[str, Any], scale: Mapping[str, Any], where: str, scale_name: str, methods: Mapping[str, Method]
) -> None:
    """Check that the scale has what a row names and that its method takes the settings that it sets."""
    for column, known in (("model", scale["models"]), ("dataset", scale["datasets"])):
        if row[column] not in known:
            remedy = f"Scale '{scale_name}' has: {', '.join(known)}. Add it there or change the row."
            raise InputError(where, f"{column} '{row[column]}' is not in the scale.", remedy)
    given = {name: row.get(name) for name in SETTINGS if row.get(name) is not None}
    check_method_settings(where, row["method"], given, methods)


def check_scale(scale: Mapping[str, Any], path: Path) -> None:
    """Check what a JSON schema cannot: that the names within a scale point at each other."""
    for name in scale["out_of_distribution"]:
        if name not in scale["benchmarks"]:
            raise InputError(path, f"out_of_distribution names '{name}'.", "Add its protocol under 'benchmarks'.")
    for name, model in scale["models"].items():
        parent = scale["models"].get(model["from"]) if model["kind"] == "rotated" else None
        if model["kind"] == "rotated" and (parent is None or parent["kind"] == "rotated"):
            problem = f"model '{name}' is rotated from '{model['from']}', which is no other kind of model here."
            raise InputError(path, problem, "Name a pretrained or a hub model of the scale.")
    members = [name for suite in scale["suites"].values() for name in suite]
    for name in scale["benchmarks"]:
        if name not in scale["datasets"]:
            raise InputError(path, f"benchmark '{name}' has no problems.", "Add it under 'datasets'.")
        if members.count(name) != 1:
            raise InputError(path, f"benchmark '{name}' is in {members.count(name)} suites.", "Expected exactly one.")
    if unknown := sorted(set(members) - set(scale["benchmarks"])):
        raise InputError(path, f"a suite names '{unknown[0]}'.", "Add its protocol under 'benchmarks'.")
    check_datasets(scale, path)
    if "pretrain" not in scale and any(model["kind"] == "pretrained" for model in scale["models"].values()):
        raise InputError(path, "has pretrained models but no key 'pretrain'.", "Add it (see scale tiny).")


def check_datasets(scale: Mapping[str, Any], path: Path) -> None:
    """Check that what data sets of a scale name is there, and that synthetic ones have a size."""
    for name, dataset in scale["datasets"].items():
        for key, part in (("benchmark", "benchmarks"), ("stand_in_model", "models")):
            if dataset.get(key) not in {None, *scale[part]}:
                raise InputError(path, f"data set '{name}' names {key} '{dataset[key]}'.", f"Add it under '{part}'.")
        if dataset["origin"] == "synthetic" and "synthetic_rows" not in dataset:
            raise InputError(path, f"data set '{name}' is synthetic without a size.", "Add 'synthetic_rows'.")


def _typed(column: str, cell: str | None, where: str) -> Any:
    """A grid cell as integer, number, text or ``None`` for an empty one."""
    if column is None:
        raise InputError(where, f"has more cells than the header: {cell}.", "Remove the surplus commas.")
    if cell is None or cell.strip() == "":
        return None
    convert: type = int if column in INTEGER_COLUMNS else float if column in POSITIVE else str
    try:
        return convert(cell)
    except ValueError as error:
        raise InputError(where, f"column '{column}' holds '{cell}'.", "Expected a number or an empty cell.") from error
