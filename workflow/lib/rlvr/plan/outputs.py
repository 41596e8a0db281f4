"""Tables and figures as data: rows and columns of reproduced numbers, and the files that they are made from.

Light enough for the Snakefile, which asks :func:`required_inputs` what an output needs. How a study declares them is
read by :mod:`rlvr.plan.outputs_file`; a job gets the finished declaration of its output and needs neither that file nor
the grid.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rlvr.plan.statistics import ANSWERS, EVIDENCE, FIRST_STEPS, PAIR_KINDS, SCORE, STATISTICS, Statistic
from rlvr.plan.table_kinds import TABLE_KINDS

SEED_MEANS = "seed_means"
Key = tuple[str, ...]  # of a file: a value for each wildcard of its path
Sides = tuple[tuple[str, ...], ...]  # runs of a cell, in groups
Required = dict[str, tuple[Key, ...]]  # by kind of evidence


@dataclass(frozen=True)
class Column:
    """One column of reproduced numbers.

    Attributes:
        key: Name in files and macros.
        header: One or two levels of heading.
        statistic: What a cell shows of one run, a name of ``STATISTICS``.
        condition: Which of a row's runs the cell is made from.
        reduce: How several runs become one number: ``only`` (exactly one run), ``mean``, ``std``, ``max``,
            ``min``, or ``difference`` (of the two columns in ``parts``).
        over: Over what it goes: ``seeds`` (the runs differ in nothing else), ``runs``, or ``seed_means`` (the runs of
            each setting become a mean over seeds first).
        benchmarks: Problems of a score; several make a macro average.
        over_modules: ``mean``, ``std``, ``min`` or ``max`` of a spectral quantity over the modules.
        printed: Column of the reported table that stands beside it.
        decimals: Digits after the point where no printed number says.
        last_steps: Steps at the end of training that a metric is averaged over.
        divided_by: What a standard deviation of n values divides by: ``n - 1``, or ``n`` as some papers do.
        parts: Of a difference, the column that it starts from and the one that is taken off.
    """

    key: str
    header: tuple[str, ...]
    statistic: str
    condition: Mapping[str, Any] = field(default_factory=dict)
    reduce: str = "only"
    over: str = "runs"
    benchmarks: tuple[str, ...] = ()
    over_modules: str = "mean"
    printed: str = ""
    decimals: int = 1
    last_steps: int = 10
    divided_by: str = "n - 1"
    parts: tuple["Column", ...] = ()

    @property
    def shown(self) -> Statistic:
        """The statistic with all that is known of it."""
        return STATISTICS[self.statistic]

    def deviation_factor(self, count: int) -> float:
        """What turns a standard deviation with n - 1 of so many values into this column's."""
        return ((count - 1) / count) ** 0.5 if self.divided_by == "n" else 1.0

    @property
    def unit(self) -> str:
        """Unit of the cells."""
        return self.shown.unit

    @property
    def is_of_bases(self) -> bool:
        """Whether its cells show untrained bases alone."""
        return self.shown.source == FIRST_STEPS

    @property
    def is_score(self) -> bool:
        """Whether its cells are shares of solved problems."""
        return self.shown.source == SCORE


@dataclass(frozen=True)
class Row:
    """One row: its key, the texts of the label columns, the runs of each cell by column, and a point's series.

    The runs of a cell are in groups: one per setting for a largest mean, those of both parts for a difference, one
    otherwise.
    """

    key: str
    labels: tuple[str, ...]
    runs: Mapping[str, Sides]
    series: str = ""


@dataclass(frozen=True)
class Output:
    """A table or a figure.

    Attributes:
        key: ``tableN`` or ``figureN``, as the paper counts; ``tableSN`` or ``figureSN`` for one that it lacks.
        kind: A kind of table (``rlvr.plan.table_kinds``) or of figure (a module of ``rlvr.report.figures``).
        source: Where the paper prints it, or ``ours``.
        caption: In our own words.
        labels: Headings of the label columns.
        columns: Columns of cells.
        rows: Rows of cells.
        reported: Printed text by row key and printed column.
        plot: Options of the kind, with run ids where conditions stood; of a table of facts, its facts.
        reads: Keys of the files that it reads beside its cells, by kind of evidence: a name, or a tuple of names.
        pairs: Which of its runs are pairs of checkpoints from elsewhere.
        lines: Lines of its CSV that a claim may read as curves.
        overview: Whether it looks at every run, as its kind says.
    """

    key: str
    kind: str
    source: str
    caption: str
    labels: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    reported: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    plot: Mapping[str, Any] = field(default_factory=dict)
    reads: Mapping[str, tuple[str | Key, ...]] = field(default_factory=dict)
    pairs: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    overview: bool = False

    @property
    def has_cells(self) -> bool:
        """Whether it is made of cells, and so feeds numbers and claims."""
        return bool(self.columns)

    @property
    def is_table(self) -> bool:
        """Whether it is a table, not a figure."""
        return self.kind in TABLE_KINDS

    @property
    def full_caption(self) -> str:
        """The caption, and where the paper has what it shows."""
        place = "" if self.source == "ours" else f" The paper's {self.source}."
        return f"{self.caption.rstrip()}{place}"

    def printed(self, row: Row, column: Column) -> str | None:
        """The printed text beside a cell, if there is one."""
        return self.reported.get(row.key, {}).get(column.printed or column.key)

    def cells(self) -> Iterator[tuple[Row, Column]]:
        """Every pair of row and column, row by row."""
        return ((row, column) for row in self.rows for column in self.columns)

    def declaration(self) -> dict[str, Any]:
        """Plain values that travel to a job as a parameter; :meth:`read` makes an output of them again."""
        return asdict(self)

    @classmethod
    def read(cls, declaration: Mapping[str, Any]) -> "Output":
        """The output of a declaration."""
        columns = tuple(Column(**_tuples(column)) for column in declaration["columns"])
        rows = tuple(Row(**_tuples(row)) for row in declaration["rows"])
        rest = {name: tuple(declaration[name]) for name in ("labels", "pairs", "lines")}
        return cls(**{**declaration, **rest, "columns": columns, "rows": rows})


def required_inputs(
    output: Output,
    runs: Mapping[str, str],
    datasets: Iterable[str] = (),
    pairs: Iterable[str] = (),
    relatives: Mapping[str, Iterable[str]] | None = None,
    shapes: Iterable[str] = (),
    models: Iterable[str] | None = None,
) -> Required:
    """List the files that an output needs of the runs in the selected tier; other runs become "not run".

    Args:
        output: Declaration.
        runs: Base model of every run of the selected tier, by run id.
        datasets: Data sets of the scale; a figure of another one says that it is not there.
        pairs: Pairs of checkpoints that the scale measures; others become "not run".
        relatives: Runs of the tier that are read beside a run of a cell, to know how far its seeds lie apart.
        shapes: Weights that the tier measures starts of; a figure leaves others out.
        models: Models of the scale; a figure leaves others out. All count by default.

    Returns:
        Keys of files for every kind of evidence, sorted and without repetition.
    """
    found: dict[str, set[Key]] = {kind: set() for kind in EVIDENCE}
    measured = frozenset(pairs).intersection(output.pairs)
    for row, column in output.cells():
        selected = selected_runs(row, column)
        beside = [(relatives or {}).get(name, ()) for name in selected if name in runs]
        groups = {id(group): group for group in beside}.values()  # those of one setting share theirs
        for name in dict.fromkeys((*selected, *(each for group in groups for each in group))):
            for kind, key in _keys(name, column, runs, measured):
                found[kind].add(key)
    known = {"run_id": frozenset(runs), "dataset": frozenset(datasets), "shape": frozenset(shapes)}
    known |= {} if models is None else {"model": frozenset(models)}
    for kind, names in output.reads.items():
        wildcard, keys = EVIDENCE[kind].wildcards[0], list(map(_key, names))
        found[kind] |= {key for key in keys if wildcard not in known or key[0] in known[wildcard]}
        found[PAIR_KINDS.get(kind, kind)] |= {key for key in keys if key[0] in measured}
    return {kind: tuple(sorted(keys)) for kind, keys in found.items()}


def selected_runs(row: Row, column: Column) -> list[str]:
    """Names of the runs behind a cell, all sides together."""
    return [name for side in row.runs.get(column.key, ()) for name in side]


def used_runs(outputs: Iterable[Output]) -> set[str]:
    """Every run that an output shows anything of; claims read cells of outputs only.

    An overview, such as a table of facts, looks at every run: that is no reason to have one.
    """
    found: set[str] = set()
    for output in (output for output in outputs if not output.overview):
        found |= {name for row, column in output.cells() for name in selected_runs(row, column)}
        for kind, names in output.reads.items():
            found |= {_key(name)[0] for name in names} if EVIDENCE[kind].wildcards[0] == "run_id" else set()
    return found


def _key(name: str | Key) -> Key:
    return (name,) if isinstance(name, str) else tuple(name)


def _keys(name: str, column: Column, runs: Mapping[str, str], pairs: Collection[str]) -> list[tuple[str, Key]]:
    """The files that a column reads of one run, or of one pair."""
    if name in pairs:
        return [(PAIR_KINDS[kind], (name,)) for kind in column.shown.evidence]
    if name not in runs:
        return []
    found: list[tuple[str, Key]] = []
    for kind in column.shown.evidence:
        if kind == SCORE:
            found += [(each, (name, benchmark)) for each in (SCORE, ANSWERS) for benchmark in column.benchmarks]
        else:
            found.append((kind, (runs[name] if EVIDENCE[kind].wildcards == ("model",) else name,)))
    return found


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a column or row with tuples where JSON has lists."""
    found = {name: tuple(value) if isinstance(value, list | tuple) else value for name, value in fields.items()}
    if "parts" in fields:
        found["parts"] = tuple(Column(**_tuples(part)) for part in fields["parts"])
    if "runs" in fields:
        found["runs"] = {key: tuple(map(tuple, sides)) for key, sides in fields["runs"].items()}
    return found
