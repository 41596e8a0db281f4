"""File shells of this package: read finished files, call the pure parts, write what the paper shows."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rlvr.core.csvfile import csv_text
from rlvr.core.io import atomic_path, check_table, read_json, sha256_file, write_json
from rlvr.core.provenance import repository_state
from rlvr.plan.outputs import Output
from rlvr.plan.table_kinds import CELLS, COUNTS, CRITERIA, FACTS, PREDICTORS, SAMPLES, SEPARATION
from rlvr.report.cells import ReportScope, build_cells
from rlvr.report.count_tables import tabulate_counts
from rlvr.report.criteria import with_criteria
from rlvr.report.evidence import InputPaths, all_paths, load_evidence
from rlvr.report.fact_tables import tabulate_facts
from rlvr.report.predictor_tables import tabulate_predictors
from rlvr.report.render import Table, compose, to_json, to_latex, to_markdown
from rlvr.report.sample_tables import tabulate_samples
from rlvr.report.separation import with_separation

# What differs between equal runs.
OF_THE_MACHINE = frozenset({"wall_time_s", "peak_memory_gib", "resumed_from_step", "decomposition"})
EMPTY_TEXTS = {"printed": "", "runs": "", "spread_from": ""}


@dataclass(frozen=True)
class TableFiles:
    """Where a table goes, in each format; the CSV is tidy, one cell (or fact, count, completion) per line."""

    csv: str
    md: str
    tex: str
    json: str


def tabulate_file(declaration: Mapping[str, Any], scope: ReportScope, inputs: InputPaths, files: TableFiles) -> None:
    """Make one table in every format.

    Args:
        declaration: The table, as :meth:`Output.declaration` gives it.
        scope: Scale and runs of the tier.
        inputs: Finished files, at least what ``required_inputs`` names.
        files: Where to write.
    """
    output = Output.read(declaration)
    frame, table = TABULATORS[output.kind](
        output, scope, inputs, provenance_lines(output.key, all_paths(inputs), scope)
    )
    write_text(csv_text(frame), files.csv)
    write_text(to_markdown(table), files.md)
    write_text(to_latex(table), files.tex)
    write_json(to_json(table), files.json)


def tabulate_cells(
    output: Output, scope: ReportScope, inputs: InputPaths, provenance: list[str]
) -> tuple[pd.DataFrame, Table]:
    """A table of cells: the cells (``tables.CELLS``) and their texts."""
    cells = make_cells(output, scope, inputs)
    return cells, compose(output, cells, scope, provenance)


def tabulate_criteria(
    output: Output, scope: ReportScope, inputs: InputPaths, provenance: list[str]
) -> tuple[pd.DataFrame, Table]:
    """A table of cells with columns of words; the words are in the texts only, since they follow from the cells."""
    cells = make_cells(output, scope, inputs)
    return cells, with_criteria(compose(output, cells, scope, provenance), cells)


def tabulate_separation(
    output: Output, scope: ReportScope, inputs: InputPaths, provenance: list[str]
) -> tuple[pd.DataFrame, Table]:
    """A table of cells with which rows are told apart; like a claim, that follows from draws and not from the cells."""
    cells = make_cells(output, scope, inputs)
    return cells, with_separation(compose(output, cells, scope, provenance), load_evidence(inputs), scope)


Tabulator = Callable[[Output, ReportScope, InputPaths, list[str]], tuple[pd.DataFrame, Table]]
TABULATORS: Mapping[str, Tabulator] = {
    CELLS: tabulate_cells,
    CRITERIA: tabulate_criteria,
    COUNTS: tabulate_counts,
    FACTS: tabulate_facts,
    PREDICTORS: tabulate_predictors,
    SAMPLES: tabulate_samples,
    SEPARATION: tabulate_separation,
}


def make_cells(output: Output, scope: ReportScope, inputs: InputPaths) -> pd.DataFrame:
    """Build the cells of an output and check them (``tables.CELLS``)."""
    from rlvr.tables import CELLS

    return check_table(build_cells(output, load_evidence(inputs), scope), output.key, CELLS)


def read_cells(paths: Sequence[str]) -> pd.DataFrame:
    """Cells of several outputs, one below the other (``tables.CELLS``)."""
    from rlvr.tables import CELLS

    texts = {"printed": str, "runs": str, "row": str, "spread_from": str}
    frames = [check_table(pd.read_csv(path, dtype=texts).fillna(EMPTY_TEXTS), path, CELLS) for path in paths]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(CELLS.columns))


def provenance_lines(output_id: str, inputs: Sequence[str], scope: ReportScope) -> list[str]:
    """Three lines that say where a generated file comes from; no time stamp, so that equal inputs give equal files."""
    state = repository_state()
    commit = state["commit"] or "not a git checkout"
    return [
        f"{output_id}: generated from the outputs of workflow/studies/{scope.study}; do not edit",
        f"commit {commit}{' with local changes' if state['dirty'] else ''}",
        f"sha256 of its {len(inputs)} input files: {digest_files(inputs)}",
    ]


def digest_files(paths: Sequence[str]) -> str:
    """One SHA-256 over the contents of several files, in any order."""
    return hashlib.sha256("".join(sorted(map(content_digest, paths))).encode()).hexdigest()


def content_digest(path: str) -> str:
    """SHA-256 of what a file says of a result: of manifests and metrics, without what differs between equal runs."""
    if Path(path).name == "run.json":
        kept = {name: value for name, value in read_json(path).items() if name not in OF_THE_MACHINE}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
    if Path(path).name == "metrics.parquet":
        kept_columns = pd.read_parquet(path).drop(columns="seconds")
        return hashlib.sha256(kept_columns.to_csv(index=False).encode()).hexdigest()
    return sha256_file(path)


def write_text(text: str, path: str | Path) -> None:
    """Write a text file, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
