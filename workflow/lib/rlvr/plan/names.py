"""Names are checked wherever one is written: a misspelt one would be ignored, or found by a job hours later."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.schemas import load_yaml
from rlvr.plan.declarations import declared_in
from rlvr.plan.fact_checks import PRINTED_COUNTS
from rlvr.plan.labels import display_names, read_labels
from rlvr.plan.method import FAMILIES
from rlvr.plan.named_options import check_evidence
from rlvr.plan.options import build
from rlvr.plan.outputs import Output
from rlvr.plan.outputs_file import ALL_STUDIES, Kinds
from rlvr.plan.scale import expand_ladders
from rlvr.plan.sources import Source
from rlvr.plan.study import Study

DEFAULT = "default"
NOT_AN_OUTPUT = ("parameters",)  # files of reported/ that belong to no table
ENTRY = re.compile(r"@\w+\{\s*([^,\s]+)\s*,")  # of a bibliography


@dataclass(frozen=True)
class Names:
    """Names that are known, of this scale or of another one.

    Attributes:
        models: Base models of any scale.
        datasets: Data sets of any scale.
        sources: Sources of the registry.
        templates: Prompt templates.
    """

    models: frozenset[str]
    datasets: frozenset[str]
    sources: Collection[str]
    templates: Collection[str]

    @classmethod
    def of(
        cls, scale: Mapping[str, Any], scales: Path, sources: Mapping[str, Source], templates: Collection[str]
    ) -> "Names":
        """The names of a scale and of its neighbours; a neighbour that cannot be read adds none."""
        found: dict[str, set[str]] = {part: set(scale[part]) for part in ("models", "datasets")}
        for path in sorted(scales.glob("*.yaml")):
            content = _lenient(path)
            found["models"] |= _model_names(content.get("models"), path)
            found["datasets"] |= set(content.get("datasets") or ())
        return cls(frozenset(found["models"]), frozenset(found["datasets"]), sources, templates)

    @property
    def facts(self) -> dict[str, frozenset[str]]:
        """Words by fact of a run that a condition may name although the grid has no such row yet."""
        return {"model": self.models, "dataset": self.datasets}


def check_known(name: str, known: Iterable[str], what: str, where: object) -> None:
    """Check one name.

    Raises:
        InputError: Names the known ones.
    """
    listed = sorted(map(str, known))
    if name not in listed:
        raise InputError(where, f"{what} '{name}' is not known.", f"Known: {', '.join(listed) or 'none'}.")


def check_scale_names(scale: Mapping[str, Any], names: Names, path: Path) -> None:
    """Check the names that a scale writes and that are declared elsewhere.

    Raises:
        InputError: Names the key and the name.
    """
    check_templates(scale, names, path)
    check_sources(scale, names, path)
    factors = scale["factors"]
    for key, rates in {"learning_rate": factors["learning_rate"], **factors.get("studies", {})}.items():
        for family in rates:
            check_known(family, (DEFAULT, *FAMILIES), "family", f"{path}, key 'factors', '{key}'")
    for benchmark in scale["sampling"]:
        check_known(benchmark, (DEFAULT, *scale["datasets"]), "benchmark", f"{path}, key 'sampling'")
    if first_steps := scale["spectra"].get("first_steps"):  # used by studies that have that benchmark
        check_known(first_steps["benchmark"], names.datasets, "benchmark", f"{path}, key 'spectra', 'first_steps'")
    for axes, dims in scale["quanta_dims"].items():
        if axes != len(dims):
            raise InputError(f"{path}, key 'quanta_dims'", f"{axes!r} has the dims {dims}.", "Give one for each axis.")
    for suite, members in scale["suites"].items():
        if suite in scale["datasets"] and suite not in members:
            raise InputError(path, f"suite '{suite}' is named like a data set that is not in it.", "Rename it.")


def check_scale_studies(
    scale: Mapping[str, Any], models: Collection[str], studies: Collection[str], path: Path
) -> None:
    """Check the studies and the models of other scales that a scale speaks of: what fits none would do nothing.

    Args:
        scale: Content of the scale.
        models: Models that grids name, and those of any scale.
        studies: Every study that there is.
        path: Its file, for messages.

    Raises:
        InputError: Names the key and the name.
    """
    for study in scale["factors"].get("studies", {}):
        check_known(study, studies, "study", f"{path}, key 'factors.studies'")
    for pattern in scale.get("absent", {}):
        if not any(fnmatchcase(model, pattern) for model in models):
            problem = f"'{pattern}' is no model of any scale."
            raise InputError(f"{path}, key 'absent'", problem, f"Known: {', '.join(sorted(models))}.")


def check_sources(scale: Mapping[str, Any], names: Names, path: Path) -> None:
    """Check the sources of the data sets of a scale, and the levels that a sample by strata names.

    Raises:
        InputError: Names the data set and the source or level.
    """
    for dataset, entry in scale["datasets"].items():
        for source in entry["sources"]:
            check_known(source, names.sources, "source", f"{path}, data set '{dataset}'")
        strata = entry.get("strata", {})
        for level in strata.get("unlabelled", {}).values():
            check_known(level, strata["levels"], "level", f"{path}, data set '{dataset}', key 'strata.unlabelled'")


def check_templates(scale: Mapping[str, Any], names: Names, path: Path) -> None:
    """Check the prompt templates of a scale and of its models.

    Raises:
        InputError: Names the template and who asks for it.
    """
    check_known(scale["template"], names.templates, "template", path)
    for model, entry in scale["models"].items():
        if "template" in entry:
            check_known(entry["template"], names.templates, "template", f"{path}, model '{model}'")


def check_study_names(study: Study, names: Names, bibliography: Path) -> None:
    """Check the names that a study's recipe, benchmarks and citation use.

    Raises:
        InputError: Names the key and the name.
    """
    path = study.folder / "study.yaml"
    for family in study.recipe["learning_rate"]:
        check_known(family, (DEFAULT, *FAMILIES), "family", f"{path}, key 'recipe.learning_rate'")
    trained_on = {row["dataset"] for row in study.rows.values()}
    for benchmark, how in study.benchmarks.items():
        check_known(benchmark, names.datasets, "benchmark", f"{path}, key 'benchmarks'")
        for dataset in how.get("out_of_distribution") or () if how.get("out_of_distribution") is not True else ():
            where = f"{path}, benchmark '{benchmark}', key 'out_of_distribution'"
            check_known(dataset, trained_on, "data set of the study's runs", where)
    entries = ENTRY.findall(bibliography.read_text(encoding="utf-8"))
    check_known(study.citation, entries, "citation", f"{path} ({bibliography})")


def check_output_names(outputs: Mapping[str, Output], study: Study, kinds: Kinds, names: Names) -> None:
    """Check benchmarks of columns, whatever options name, series of figures, and the files of printed numbers.

    Raises:
        InputError: Names the output and the name.
    """
    counted = [path.parts[-3] for path in study.folder.parent.glob(f"*/{PRINTED_COUNTS}")]
    known = {
        "model": names.models,
        "base": names.models,
        "dataset": names.datasets,
        "benchmark": study.benchmarks,
        "study": [ALL_STUDIES, *counted],
    }
    labels = study.folder / "labels.csv"
    for key, output in outputs.items():
        where = f"{declared_in(study.folder / 'outputs.yaml')}, output '{key}'"
        for column in output.columns:
            for benchmark in column.benchmarks:
                check_known(benchmark, study.benchmarks, "benchmark", f"{where}, column '{column.key}'")
        check_evidence(output, known, where)
        read_labels(labels if labels.is_file() else None, series_of(output, kinds), where)
    drawn = [series for output in outputs.values() for series in series_of(output, kinds)]
    for key in display_names(labels) if outputs else ():  # a study without outputs draws nothing yet
        check_known(key, {*drawn, *names.models}, "series or model", labels)
    for path in sorted((study.folder / "reported").glob("*.csv")):
        if path.stem not in (*outputs, *NOT_AN_OUTPUT):
            raise InputError(path, "belongs to no output.", f"Outputs: {', '.join(outputs)}.")


def series_of(output: Output, kinds: Kinds) -> list[str]:
    """Keys of ``labels.csv`` that a figure draws, or that the rows of a table share with one."""
    named = [row.series for row in output.rows if row.series]
    if output.is_table:
        return named
    options = build(kinds[output.kind], output.plot, output.key)
    return list(dict.fromkeys([*options.series(), *named]))


def _model_names(models: Any, path: Path) -> set[str]:
    """Names of a scale's models, ladders as their rungs; a table that is not in order adds what it names."""
    try:
        return set(expand_ladders(models or {}, path))
    except (InputError, TypeError, KeyError, AttributeError):
        return set(models or ())


def _lenient(path: Path) -> Mapping[str, Any]:
    try:
        content = load_yaml(path)
    except InputError:
        return {}
    return content if isinstance(content, Mapping) else {}
