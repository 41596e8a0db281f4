"""Outputs as declared: conditions on the grid become rows of runs, printed numbers come from ``reported/``."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.plan.declarations import read_declarations
from rlvr.plan.figure_options import FigureOptions
from rlvr.plan.named_options import check_named
from rlvr.plan.options import build
from rlvr.plan.outputs import SEED_MEANS, Column, Output, Row, selected_runs
from rlvr.plan.reported import check_reported, read_reported
from rlvr.plan.selection import (
    BASE,
    Condition,
    Facts,
    by_setting,
    check_condition,
    check_values,
    differ_in_seed_only,
    distinct,
    fill_in,
    select,
    single_values,
    text_of,
)  # fmt: skip
from rlvr.plan.statistics import PAIR_KINDS, SCORE, find_statistic
from rlvr.plan.table_kinds import CELLS, CRITERIA, FACTS, TABLE_KINDS, CriteriaOptions

Kinds = Mapping[str, type[FigureOptions]]
NOWHERE = "none"  # for `printed`: the column stands beside no printed one, although one has its key
ALL_STUDIES = "all"  # key of the counts at real size, which one file holds for all studies


def load_outputs(
    path: str | Path,
    candidates: Mapping[str, Facts],
    kinds: Kinds,
    schema: str | Path | None = None,
    words: Mapping[str, Collection[str]] | None = None,
    facts: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> dict[str, Output]:
    """All outputs of a study as declared, with the printed numbers of ``reported/``.

    Args:
        path: ``outputs.yaml``; where a folder ``outputs`` stands instead, its files.
        candidates: Facts of what can be selected, by run id or name of a pair, in the order of the grid; of all tiers.
        kinds: Options of every kind of figure, by kind.
        schema: JSON schema to check it against first.
        words: Values that a condition may name although nothing has them yet, by fact; without them
            values of conditions are not checked.
        facts: Facts of its tables of facts, by output, as :func:`rlvr.plan.facts.load_facts` reads them.

    Raises:
        InputError: Names the output and the key, row or column that is wrong.
    """
    folder = Path(path).parent / "reported"
    found: dict[str, Output] = {}
    files: dict[Path, list[str]] = {}  # of printed numbers, with the outputs that show them
    for key, (fields, file) in read_declarations(path, schema).items():
        reported = folder / f"{fields.get('reported', key)}.csv"
        declared = Declared(key, fields, candidates, f"{file}, output '{key}'", words)
        if declared.kind == FACTS:
            found[key] = declared.facts((facts or {}).get(key, ()))
            continue
        printed = read_reported(reported, declared.words_printed) if reported.is_file() else {}
        found[key] = declared.output(kinds, printed)
        if reported.is_file():
            files.setdefault(reported, []).append(key)
        elif "reported" in fields:
            raise InputError(reported, "no such file.", f"See {declared.where}, key 'reported'.")
    for reported, keys in files.items():
        check_reported([found[key] for key in keys], reported, f"{path}, output '{', '.join(keys)}'")
    if stray := sorted(key for key in facts or {} if key not in found or found[key].kind != FACTS):
        raise InputError(
            path, f"has no table of kind '{FACTS}' named '{stray[0]}'.", "Declare it, or remove its facts."
        )
    return found


class Declared:
    """One entry of ``outputs.yaml`` beside what it can select from."""

    def __init__(
        self,
        key: str,
        fields: Mapping[str, Any],
        candidates: Mapping[str, Facts],
        where: str,
        words: Mapping[str, Collection[str]] | None,
    ) -> None:
        """Keep them; ``where`` opens every message."""
        self.key, self.fields, self.candidates, self.where, self.words = key, fields, candidates, where, words
        self.common: Condition = fields.get("where", {})
        if self.common:
            self._check_condition(self.common, where)
        for name, texts in fields.get("words", {}).items():
            known = {text_of(facts.get(name)) for facts in candidates.values()}
            if unknown := sorted(set(texts) - known):
                problem = f"'words' writes '{name}: {unknown[0]}', which no row of the grid has."
                raise InputError(where, problem, f"Values of '{name}': {', '.join(sorted(known))}.")

    @property
    def kind(self) -> str:
        """The kind of table or of figure.

        Raises:
            InputError: If a figure does not say, or says that it is a table, or the other way round.
        """
        is_table = self.key.startswith("table")
        kind = str(self.fields.get("kind", CELLS if is_table else ""))
        if (kind in TABLE_KINDS) != is_table or not kind:
            remedy = f"A table has one of {', '.join(TABLE_KINDS)}, and a figure one of the kinds of figures."
            raise InputError(self.where, f"kind '{kind}' does not fit its name.", remedy)
        return kind

    @property
    def words_printed(self) -> list[str]:
        """Keys of its criteria: what is printed there are marks or words."""
        if self.kind != CRITERIA:
            return []
        return [each.key for each in build(CriteriaOptions, self.fields.get("plot", {}), self.where).criteria]

    def output(self, kinds: Kinds, reported: Mapping[str, Mapping[str, str]]) -> Output:
        """The entry with every condition turned into runs."""
        columns: tuple[Column, ...] = ()
        for column in self.fields.get("columns", ()):
            columns = (*columns, self._column(column, columns))
        rows = tuple(row for fields in self.fields.get("rows", ()) for row in self._rows(fields, columns))
        plot = self._with_runs(self.fields.get("plot", {}))
        options = self._options(kinds, plot, columns)
        reads = {kind: tuple(names) for kind, names in options.evidence().items()}
        named = {name for row in rows for column in columns for name in selected_runs(row, column)}
        named |= {name for kind in PAIR_KINDS for name in reads.get(kind, ())}
        output = Output(
            key=self.key,
            kind=self.kind,
            source=self.fields.get("source", source_of(self.key)),
            caption=self.fields["caption"],
            labels=tuple(self.fields.get("labels", ())),
            columns=columns,
            rows=rows,
            reported=reported,
            plot=plot,
            reads=reads,
            pairs=tuple(sorted(filter(self._is_pair, named))),
            lines=tuple(options.lines()),
            overview=options.overview,
        )
        self._check(output)
        self._check_printed(reported)
        check_named(options, output, self.where)
        return output

    def facts(self, entries: Sequence[Mapping[str, Any]]) -> Output:
        """The entry as a table of facts.

        Raises:
            InputError: If it has no facts, or one with other labels than the table has headings.
        """
        labels = tuple(self.fields.get("labels", ()))
        if not entries:
            raise InputError(
                self.where, f"kind '{FACTS}' has no facts.", "Add them to facts.yaml, by the output's name."
            )
        for entry in entries:
            if len(entry["labels"]) != len(labels):
                problem = f"fact '{entry['key']}' has {len(entry['labels'])} labels, the table {len(labels)} headings."
                raise InputError(self.where, problem, "Give one label for each heading.")
        runs = dict.fromkeys(run_id for entry in entries if entry["recorded"] for run_id in entry["runs"])
        reads: dict[str, tuple[str, ...]] = {"manifests": tuple(runs)}
        if any(entry["counted"] for entry in entries):
            reads["counts"] = (ALL_STUDIES,)
        source = self.fields.get("source", source_of(self.key))
        overview = TABLE_KINDS[FACTS].overview
        plot = {"facts": list(entries)}
        return Output(
            self.key, FACTS, source, self.fields["caption"], labels, plot=plot, reads=reads, overview=overview
        )

    def _options(self, kinds: Kinds, plot: Mapping[str, Any], columns: Sequence[Column]) -> FigureOptions:
        """The options of a figure, checked; those of a table are empty."""
        kind, known_kinds = self.kind, {**TABLE_KINDS, **kinds}
        if kind not in known_kinds:
            raise InputError(self.where, f"kind '{kind}' is not known.", f"Known: {', '.join(known_kinds)}.")
        options = build(known_kinds[kind], plot, self.where)
        if options.cells != bool(columns):
            needs = "needs" if not columns else "has no"
            raise InputError(self.where, f"kind '{kind}' {needs} labels, columns and rows.", "Add or remove them.")
        return options

    def _column(self, fields: Mapping[str, Any], before: Sequence[Column]) -> Column:
        where = f"{self.where}, column '{fields['key']}'"
        statistic = find_statistic(fields["statistic"], where)
        ((reduce, over),) = fields.get("reduce", {"only": "runs"}).items()
        condition = fields.get("where", {})
        self._check_condition(condition, where)
        own = _texts(fields.get("benchmarks", fields.get("benchmark", ())))
        benchmarks = own or _texts(self.fields.get("benchmark", ()))
        if (statistic.source == SCORE) != bool(benchmarks if statistic.source == SCORE else own):
            remedy = "A score needs 'benchmark' or 'benchmarks', every other statistic must not have it."
            raise InputError(where, f"shows '{statistic.name}'.", remedy)
        kept = {name: fields[name] for name in ("over_modules", "last_steps", "divided_by") if name in fields}
        column = Column(
            fields["key"], _texts(fields["header"]), statistic.name, condition, reduce,
            over=str(over), benchmarks=benchmarks if statistic.source == SCORE else (),
            printed=fields.get("printed", fields["key"]), decimals=fields.get("decimals", statistic.decimals), **kept,
        )  # fmt: skip
        return _as_difference(column, over, before, where) if reduce == "difference" else column

    def _rows(self, fields: Mapping[str, Any], columns: Sequence[Column]) -> list[Row]:
        """One row, or one for each combination of the values of ``each``."""
        where = f"{self.where}, row '{fields['key']}'"
        own: Condition = fields.get("where", {})
        self._check_condition(own, where)
        each = fields.get("each", ())
        check_condition(dict.fromkeys(each), self.candidates, where)
        met = select(self.candidates, [self.common, own])
        found = [name for name in met if set(each) <= set(self.candidates[name])]
        if not found:
            remedy = "Correct 'where' of the row or of the output, or add a row to grid.csv."
            raise InputError(where, "no run of the grid meets its conditions.", remedy)
        return [
            self._row(fields, columns, {**single_values([self.common, own]), **values}, [own, values], where)
            for values in distinct(self.candidates, found, each)
        ]

    def _row(
        self, fields: Mapping[str, Any], columns: Sequence[Column], facts: Facts, own: Sequence[Condition], where: str
    ) -> Row:
        words = self.fields.get("words", {})
        key = fill_in(fields["key"], facts, {}, where).replace("_", "-")
        labels = tuple(fill_in(text, facts, words, where) for text in fields["labels"])
        if len(labels) != len(self.fields["labels"]):
            heads = len(self.fields["labels"])
            problem = f"row '{key}' has {len(labels)} labels, the table {heads} label columns."
            raise InputError(self.where, problem, "Give one label for each heading.")
        runs = {column.key: self._sides(column, own) for column in columns}
        return Row(key, labels, runs, fields.get("series", ""))

    def _sides(self, column: Column, own: Sequence[Condition]) -> tuple[tuple[str, ...], ...]:
        """Runs of a cell: a group per setting of a largest mean, those of both parts of a difference, one otherwise."""
        if column.parts:
            return tuple(side for part in column.parts for side in self._sides(part, own))
        runs = self._selected([*own, column.condition], column)
        return tuple(by_setting(self.candidates, runs)) if column.over == SEED_MEANS else (runs,)

    def _selected(self, conditions: Sequence[Condition], column: Column) -> tuple[str, ...]:
        """The runs of a cell; an untrained base has scores and what is measured of bases only."""
        found = select(self.candidates, [self.common, *conditions])
        if column.is_score:
            return found
        return tuple(name for name in found if self._is_base(name) == column.is_of_bases)

    def _with_runs(self, value: Any) -> Any:
        """Options with ``runs`` in the place of every ``where``."""
        if isinstance(value, list):
            return [self._with_runs(entry) for entry in value]
        if not isinstance(value, Mapping):
            return value
        found = {name: self._with_runs(entry) for name, entry in value.items() if name != "where"}
        if "where" in value:
            self._check_condition(value["where"], self.where)
            runs = select(self.candidates, [self.common, value["where"]])
            if not runs:
                raise InputError(self.where, f"no run of the grid meets {value['where']}.", "Correct the condition.")
            found["runs"] = list(runs)
        return found

    def _check_condition(self, condition: Condition, where: str) -> None:
        check_condition(condition, self.candidates, where)
        if self.words is not None:
            check_values(condition, self.candidates, where, self.words)

    def _is_base(self, name: str) -> bool:
        return bool(self.candidates[name].get("method") == BASE)

    def _is_pair(self, name: str) -> bool:
        return "pair" in self.candidates[name]

    def _check_printed(self, reported: Mapping[str, Mapping[str, str]]) -> None:
        known = dict.fromkeys(column for texts in reported.values() for column in texts)
        for column in self.fields.get("columns", ()):
            if column.get("printed", NOWHERE) not in (*known, NOWHERE):
                problem = f"column '{column['key']}' stands beside the printed column '{column['printed']}'."
                raise InputError(
                    self.where, problem, f"Printed there: {', '.join(known) or 'nothing'}; '{NOWHERE}' for none."
                )

    def _check(self, output: Output) -> None:
        """Check what a JSON schema cannot: keys are unique, and the runs of a cell fit the way they become a number."""
        for name, keys in (("row", [row.key for row in output.rows]), ("column", [col.key for col in output.columns])):
            repeated = sorted({key for key in keys if keys.count(key) > 1})
            if repeated:
                raise InputError(self.where, f"{name} '{repeated[0]}' appears twice.", "Rename one of them.")
        filled = [cell for cell in output.cells() if selected_runs(*cell) or output.printed(*cell)]
        empty = [("row", row.key) for row in output.rows if all(of is not row for of, _ in filled)]
        empty += [("column", column.key) for column in output.columns if all(of is not column for _, of in filled)]
        for name, key in empty:
            remedy = f"Correct 'where', or remove the {name}."
            raise InputError(self.where, f"{name} '{key}' selects no run and prints no number.", remedy)
        for row, column in output.cells():
            runs, place = selected_runs(row, column), f"{self.where}, row '{row.key}', column '{column.key}'"
            if column.reduce == "only" and len(runs) > 1:
                remedy = "Narrow 'where', or say with 'reduce' how they become one number."
                raise InputError(place, f"shows one run and selects {len(runs)}: {', '.join(runs)}.", remedy)
            if column.over == "seeds" and runs and not differ_in_seed_only(self.candidates, runs):
                remedy = "Narrow 'where' until only the seed differs."
                raise InputError(place, f"is over seeds, and other settings differ: {', '.join(runs)}.", remedy)
            unfit = [name for name in runs if self._is_pair(name) and column.shown.source not in PAIR_KINDS]
            if unfit:
                raise InputError(place, f"pair '{unfit[0]}' has no {column.statistic}.", "Only spectra are measured.")


def _as_difference(column: Column, names: Sequence[str], before: Sequence[Column], where: str) -> Column:
    """A column that is the difference of two columns before it.

    Raises:
        InputError: If one of them is not before it, is a difference or a deviation itself, or shows something else.
    """
    known = {each.key: each for each in before if each.reduce not in ("difference", "std")}
    for name in names:
        if name not in known:
            remedy = f"Columns before it, differences and deviations excepted: {', '.join(known) or 'none'}."
            raise InputError(where, f"is a difference with column '{name}', which is none of those.", remedy)
    parts = tuple(known[name] for name in names)
    shown = {(each.statistic, each.benchmarks, each.over_modules) for each in (column, *parts)}
    if column.condition or len(shown) > 1:
        remedy = "Both columns have its statistic and its problems, and say with 'where' which runs they show."
        raise InputError(where, "is a difference of other things than it shows, or narrows their runs.", remedy)
    over = SEED_MEANS if all(part.over in (SEED_MEANS, "seeds") for part in parts) else "runs"
    return replace(column, parts=parts, over=over)


def source_of(key: str) -> str:
    """Where the paper prints an output of this name.

    >>> source_of("table10"), source_of("figureS2")
    ('table 10', 'ours')
    """
    word, supplement, number = re.fullmatch(r"(table|figure)(S?)(\d+)", key).groups()  # type: ignore[union-attr]
    return "ours" if supplement else f"{word} {number}"


def _texts(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
