"""Tables and figures as data: what ``outputs.yaml`` and ``reported/*.csv`` of a study declare.

Light enough for the Snakefile, which asks :func:`required_inputs` what an output needs.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.schemas import check_against, load_yaml
from rlvr.plan.printed import parse_printed

SCORES = ("avg_at_k", "pass_at_k", "maj_at_k")
RATIOS = ("attained_share", "rounding_distance", "rounding_floor")
SPECTRAL = (
    "effective_rank", "participation_ratio", "stable_rank", "energy_rank_90", "energy_rank_95", "energy_rank_99",
    "frobenius_norm", "relative_norm", "bf16_effective_rank", "bf16_rank_gap", *RATIOS,
)  # fmt: skip
SHARES = (
    "model_sparsity", "bf16_sparsity", "overlap_principal", "chance_principal", "overlap_principal_not_low",
    "chance_principal_not_low", "overlap_low", "chance_low", "similarity_top", "similarity_bottom",
    "similarity_chance", "diagonal_share",
)  # fmt: skip
INITIAL_NORMS = ("initial_norm_lora", "initial_norm_pissa", "initial_norm_milora", "initial_norm_olora")
DIAGNOSTIC = (*SHARES, "normalised_spectral_shift", "tail_mean", *INITIAL_NORMS)
UNITS = {
    **dict.fromkeys((*SPECTRAL, *DIAGNOSTIC), "1"),
    **dict.fromkeys((*SCORES, *RATIOS, *SHARES), "%"),
    "trainable_parameters": "parameters",
}
READ_BY_CURVES = {"curve": "metrics", "heatmap": "spectra", "geometry": "diagnostics"}  # by kind of figure


@dataclass(frozen=True)
class Column:
    """One column of reproduced numbers.

    Attributes:
        key: Name in files and macros.
        header: One or two levels of heading.
        statistic: What a cell shows of one run: a score, ``trainable_parameters``, a spectral quantity or a scalar of
            the weight-space diagnostics.
        runs: Names of the row's selections that the cell is made from.
        reduce: How several runs become one number: ``only`` (exactly one run), ``mean``, ``std`` (n - 1), ``max``, or
            ``difference`` (largest of the first selection minus largest of the second).
        benchmark: Problems of a score.
        over_modules: ``mean`` or ``std`` of a spectral quantity over the adapted modules.
        printed: Column of the reported table that stands beside it; its own key unless two columns share one.
        decimals: Digits after the point where no printed number says.
    """

    key: str
    header: tuple[str, ...]
    statistic: str
    runs: tuple[str, ...]
    reduce: str = "only"
    benchmark: str | None = None
    over_modules: str = "mean"
    printed: str = ""
    decimals: int = 1

    @property
    def unit(self) -> str:
        """Unit of the cells: ``%``, ``parameters`` or ``1``."""
        return UNITS[self.statistic]


@dataclass(frozen=True)
class Row:
    """One row: its key, the texts of the label columns, its selections of run ids, and a plotted point's series."""

    key: str
    labels: tuple[str, ...]
    runs: Mapping[str, tuple[str, ...]]
    series: str = ""


@dataclass(frozen=True)
class Output:
    """A table or a figure.

    Attributes:
        key: ``tableN`` or ``figureN``, as the paper counts; ``tableSN`` or ``figureSN`` for one that it lacks.
        kind: ``table``; ``scatter`` (cells, plotted); ``decay`` (frozen spectra); ``curve`` (training metrics);
            ``difficulty`` and ``topics`` (a data card); ``heatmap`` (update spectra), ``geometry`` (diagnostics)
            and ``projections`` (summaries of frozen spectra).
        source: Where the paper prints it, or ``ours``.
        caption: In our own words.
        labels: Headings of the label columns.
        columns: Columns of cells.
        rows: Rows of cells.
        reported: Printed text by (row key, printed column).
        plot: What a figure's kind needs besides, as declared.
    """

    key: str
    kind: str
    source: str
    caption: str
    labels: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    reported: Mapping[tuple[str, str], str] = field(default_factory=dict)
    plot: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_cells(self) -> bool:
        """Whether it is made of cells, and so feeds numbers and claims."""
        return bool(self.columns)

    def printed(self, row: Row, column: Column) -> str | None:
        """The printed text beside a cell, if there is one."""
        return self.reported.get((row.key, column.printed or column.key))

    def cells(self) -> Iterable[tuple[Row, Column]]:
        """Every pair of row and column, row by row."""
        return ((row, column) for row in self.rows for column in self.columns)


@dataclass(frozen=True)
class Required:
    """What an output is made from; every field sorted and without repetition.

    Attributes:
        scores: (run id, benchmark).
        manifests: Run ids whose ``run.json`` is read.
        spectra: Run ids whose update spectra are read.
        metrics: Run ids whose training metrics are read.
        diagnostics: Run ids whose weight-space diagnostics are read.
        frozen: Models whose frozen spectra are read.
        decay: Models whose summary of frozen spectra is read.
        cards: Data sets whose card is read.
    """

    scores: tuple[tuple[str, str], ...] = ()
    manifests: tuple[str, ...] = ()
    spectra: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    diagnostics: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    decay: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()


def required_inputs(output: Output, available: Iterable[str], datasets: Iterable[str] = ()) -> Required:
    """What an output needs of the runs that exist in the selected tier; the others become "not run".

    Args:
        output: Declaration.
        available: Run ids of the selected tier.
        datasets: Data sets of the scale; a figure of another one says that it is not there.
    """
    known = frozenset(available)
    found: dict[str, set[Any]] = {name: set() for name in ("scores", *READ_BY_CURVES.values(), "manifests")}
    for row, column in output.cells():
        for run_id in known.intersection(selected_runs(row, column)):
            kind = _read_by(column.statistic)
            found[kind].add((run_id, column.benchmark) if kind == "scores" else run_id)
    curves = {curve["run"] for curve in output.plot.get("curves", ())}
    if curves:
        found[READ_BY_CURVES[output.kind]] |= curves & known
    models = {"decay" if output.kind == "projections" else "frozen": tuple(sorted(output.plot.get("models", ())))}
    cards = tuple(name for name in datasets if name == output.plot.get("dataset"))
    by_run = {name: tuple(sorted(values)) for name, values in found.items()}
    return Required(**by_run, cards=cards, **models)


def _read_by(statistic: str) -> str:
    """The kind of file that a statistic is read from."""
    if statistic in SCORES:
        return "scores"
    if statistic == "trainable_parameters":
        return "manifests"
    return "diagnostics" if statistic in DIAGNOSTIC else "spectra"


def selected_runs(row: Row, column: Column) -> list[str]:
    """Run ids behind a cell; empty where the row lacks a selection that the column asks for."""
    if any(name not in row.runs for name in column.runs):
        return []
    return [run_id for name in column.runs for run_id in row.runs[name]]


def load_outputs(path: str | Path, schema: str | Path | None = None) -> dict[str, Output]:
    """All outputs of a study, in the order of the file, with the printed numbers of ``reported/<output>.csv``.

    Args:
        path: ``outputs.yaml``.
        schema: JSON schema to check it against first.

    Raises:
        InputError: Names the output and the key, row or column that is wrong.
    """
    content = load_yaml(path)
    if schema is not None:
        check_against(content, schema, path)
    folder = Path(path).parent / "reported"
    return {key: _output(key, fields, folder / f"{key}.csv", path) for key, fields in content["outputs"].items()}


def check_outputs(outputs: Mapping[str, Output], known_runs: Iterable[str], path: str | Path) -> None:
    """Check that every run that an output names is a row of the grid, in any tier.

    Raises:
        InputError: Names the output, the row and the run.
    """
    known = frozenset(known_runs)
    for output in outputs.values():
        named = [(row.key, run_id) for row in output.rows for runs in row.runs.values() for run_id in runs]
        named += [(curve["series"], curve["run"]) for curve in output.plot.get("curves", ())]
        for row, run_id in named:
            if run_id not in known:
                problem = f"output '{output.key}', row '{row}' names run '{run_id}', which is not in the grid."
                raise InputError(path, problem, "Correct the name or add the row to grid.csv.")


def _output(key: str, fields: Mapping[str, Any], reported: Path, path: str | Path) -> Output:
    columns = tuple(_column(column) for column in fields.get("columns", ()))
    rows = tuple(_row(row) for row in fields.get("rows", ()))
    simple = {name: fields[name] for name in ("kind", "source", "caption")}
    output = Output(
        key, **simple, labels=tuple(fields.get("labels", ())), columns=columns, rows=rows,
        reported=read_reported(reported) if reported.is_file() else {}, plot=fields.get("plot", {}),
    )  # fmt: skip
    _check_output(output, f"{path}, output '{key}'", reported)
    return output


def _column(fields: Mapping[str, Any]) -> Column:
    return Column(**{**fields, "header": _texts(fields["header"]), "runs": _texts(fields["runs"])})


def _row(fields: Mapping[str, Any]) -> Row:
    runs = {name: _texts(run_ids) for name, run_ids in fields["runs"].items()}
    return Row(fields["key"], tuple(fields["labels"]), runs, fields.get("series", ""))


def _texts(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def read_reported(path: Path) -> dict[tuple[str, str], str]:
    """Printed numbers of a table, exactly as printed without the percent sign, by (row, column).

    Raises:
        InputError: Names line and column of a text that is no number.
    """
    found: dict[tuple[str, str], str] = {}
    with path.open(newline="") as stream:
        for number, line in enumerate(csv.DictReader(stream), start=2):
            row = line.pop("row")
            for column, text in line.items():
                if text:
                    parse_printed(text, f"{path}, line {number}, column '{column}'")
                    found[row, column] = text
    return found


def _check_output(output: Output, where: str, reported: Path) -> None:
    """What a JSON schema cannot say: keys are unique, columns fit their statistic, printed numbers have a cell."""
    for name, keys in (("row", [row.key for row in output.rows]), ("column", [col.key for col in output.columns])):
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        if repeated:
            raise InputError(where, f"{name} '{repeated[0]}' is there twice.", "Rename one of them.")
    for row in output.rows:
        if len(row.labels) != len(output.labels):
            problem = f"row '{row.key}' has {len(row.labels)} labels, the table {len(output.labels)} label columns."
            raise InputError(where, problem, "Give one label for each heading.")
    for column in output.columns:
        if (column.statistic in SCORES) != (column.benchmark is not None):
            remedy = "A score needs 'benchmark', every other statistic must not have it."
            raise InputError(where, f"column '{column.key}' shows '{column.statistic}'.", remedy)
    places = {(row.key, column.printed or column.key) for row, column in output.cells()}
    stray = sorted(set(output.reported) - places)
    if stray:
        raise InputError(reported, f"row '{stray[0][0]}', column '{stray[0][1]}' has no cell.", f"See {where}.")
