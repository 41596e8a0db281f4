"""The program of a call: the selected studies bound to a scale, with the resolved settings of every run.

Models, data, training, evaluation and spectra are shared between studies: a run that two grids hold is trained once.
Read by the Snakefile at parse time; whatever is wrong here stops the dry run.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.failures import failed_files
from rlvr.plan.binding import bind, merge_specs, rename_runs, why_absent
from rlvr.plan.kept_steps import kept_ids, kept_rows
from rlvr.plan.method import Methods
from rlvr.plan.selection import BASE_SUFFIX
from rlvr.plan.study import Study, is_public
from rlvr.plan.suites import Suite, bare_suites, make_suites

WORDS_OF_ROWS = ("core", "seeds", "full")  # every word of the column `tier`: what tier `all` takes
FINISHED = "finished"  # the tier of what was trained so far


@dataclass(frozen=True)
class Program:
    """Selected studies at one scale.

    Attributes:
        scale_name: Stem of the scale's file.
        scale: Its content.
        tier: ``core`` or ``full``, which take the rows that the scale says, ``all``, or ``finished``.
        methods: The registry of methods.
        studies: Selected studies by name.
        specs: Resolved settings of every row of their grids, of any tier, by run id.
        suites: What is sampled together, by name.
        unfit: Why a run that does not fit a card of the scale is left out, by run id; no tier has it.
        divided: Ids of the runs that no card holds by itself: their weights are divided among their cards.
        finished: Ids of the runs that were trained so far; tier ``finished`` takes them.
        kept: Run of each step that is kept on the way of one, by the id of the step (``<run_id>_t<printed step>``);
            ``specs`` has its settings, no row of a tier is one.
    """

    scale_name: str
    scale: Mapping[str, Any]
    tier: str
    methods: Methods
    studies: Mapping[str, Study]
    specs: Mapping[str, Mapping[str, Any]]
    suites: Mapping[str, Suite]
    unfit: Mapping[str, str] = field(default_factory=dict)
    divided: frozenset[str] = frozenset()
    finished: frozenset[str] = frozenset()
    kept: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def rows(self) -> dict[str, Mapping[str, Any]]:
        """Rows of the selected tier, of all studies, by run id."""
        return {run_id: row for study in self.studies for run_id, row in self.rows_of(study).items()}

    @property
    def pairs(self) -> dict[str, Mapping[str, str]]:
        """Pairs of public checkpoints that the selected studies name, by name; none at a scale that fetches none."""
        if not self.scale.get("public_pairs", False):
            return {}
        known = {name: pair for study in self.studies.values() for name, pair in study.pairs.items()}
        return {name: pair for name, pair in known.items() if is_public(pair)}

    def rows_of(self, study: str) -> dict[str, Mapping[str, Any]]:
        """Rows of one study in the selected tier, by run id."""
        return self._selected_rows[study]

    @cached_property
    def _selected_rows(self) -> dict[str, dict[str, Mapping[str, Any]]]:
        return {name: self._select(study.rows) for name, study in self.studies.items()}

    def _select(self, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        if self.tier == FINISHED:
            return {run_id: row for run_id, row in rows.items() if run_id in self.finished}
        taken = self.scale["tiers"].get(self.tier, WORDS_OF_ROWS)
        kept = {run_id: row for run_id, row in rows.items() if row["tier"] in taken and run_id not in self.unfit}
        return {run_id: row for run_id, row in kept.items() if row["model"] in self.scale["models"]}

    @property
    def absent(self) -> dict[str, str]:
        """Why the scale does without the model of a run, by run id; no tier has it."""
        rows = {run_id: row for study in self.studies.values() for run_id, row in study.rows.items()}
        found = {run_id: why_absent(row["model"], self.scale) for run_id, row in rows.items()}
        return {run_id: why for run_id, why in found.items() if why}

    def kept_of(self, study: str) -> dict[str, dict[str, Any]]:
        """Kept steps of one study's runs in the selected tier, by their ids: the rows of these runs with ``step``."""
        return kept_rows(self.rows_of(study), self.specs)

    @cached_property
    def kept_here(self) -> list[str]:
        """Ids of the kept steps of all runs of the selected tier."""
        return list(dict.fromkeys(name for study in self.studies for name in self.kept_of(study)))

    @cached_property
    def bases(self) -> dict[str, str]:
        """Run id and model of every untrained base of the scale: ``<model>_base``."""
        return {f"{model}{BASE_SUFFIX}": model for model in self.scale["models"]}

    @cached_property
    def trained_bases(self) -> list[str]:
        """Run ids of the untrained bases whose models the selected rows train."""
        return self.bases_of(self.studies)

    def bases_of(self, studies: Iterable[str]) -> list[str]:
        """Run ids of the untrained bases whose models the selected rows of these studies train."""
        used = {self.model_of(run_id) for study in studies for run_id in self.rows_of(study)}
        return [run_id for run_id, model in self.bases.items() if model in used]

    def model_of(self, run_id: str) -> str:
        """The base model of a run, or what stands in for it on the run's data set; an untrained base is its own."""
        if run_id in self.bases:
            return self.bases[run_id]
        spec = self.specs[run_id]
        return self.scale["datasets"][spec["dataset"]].get("stand_in_model", spec["model"])

    def dataset_of(self, run_id: str) -> str:
        """The data set that a run is trained on."""
        return self.specs[run_id]["dataset"]

    def benchmarks_of(self, study: str, run_id: str) -> list[str]:
        """Benchmarks that a study evaluates a run on: its data set's, then the out-of-distribution ones.

        The benchmark of a data set is its own held-out problems, unless it names another set; a data set without
        either has none.
        """
        dataset = self.dataset_of(run_id)
        entry = self.scale["datasets"][dataset]
        own = [entry.get("benchmark", dataset)] if entry["eval_problems"] or "benchmark" in entry else []
        return list(dict.fromkeys([*own, *self.studies[study].out_of_distribution(dataset)]))

    def suites_of(self, study: str, run_id: str) -> list[str]:
        """Suites that a study wants of a run: that of its data set's benchmark, then the out-of-distribution ones.

        An untrained base is evaluated on everything that the study's runs of its model are.
        """
        rows, run_id = self.rows_of(study), self.kept.get(run_id, run_id)
        if (study, run_id) not in self._wanted_suites:  # a plan asks hundreds of times for the suites of a base
            model = self.bases.get(run_id)
            runs = [run_id] if run_id in rows else [name for name in rows if model and self.model_of(name) == model]
            wanted = dict.fromkeys(benchmark for name in runs for benchmark in self.benchmarks_of(study, name))
            found = dict.fromkeys(self.suite_of(study, benchmark) for benchmark in wanted)
            self._wanted_suites[study, run_id] = tuple(found)
        return list(self._wanted_suites[study, run_id])

    @cached_property
    def _wanted_suites(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Suites by study and run, as far as they were asked for."""
        return {}

    def run_suites(self, run_id: str) -> list[str]:
        """Suites that any selected study wants of a run or of an untrained base."""
        return list(dict.fromkeys(suite for study in self.studies for suite in self.suites_of(study, run_id)))

    def suite_of(self, study: str, benchmark: str) -> str:
        """The suite in which a study samples a benchmark.

        Raises:
            InputError: If the study does not sample it.
        """
        for suite in self.suites.values():
            if suite.study == study and benchmark in suite.benchmarks:
                return suite.name
        where = self.studies[study].folder / "study.yaml"
        if benchmark in self.studies[study].benchmarks:
            remedy = "Add it there under 'datasets', or take it from the study's benchmarks."
            raise InputError(
                where, f"scale '{self.scale_name}' has no problems of the benchmark '{benchmark}'.", remedy
            )
        remedy = f"Add its protocol under 'benchmarks', or a 'benchmark' to the data set in scale '{self.scale_name}'."
        raise InputError(where, f"no protocol for the benchmark '{benchmark}'.", remedy)

    def template_of(self, model: str) -> str:
        """The prompt template of a model: its own, or that of the scale."""
        return str(self.scale["models"][model].get("template", self.scale["template"]))

    def sampling(self, suite: str, engine: str, run_id: str | None = None) -> dict[str, dict[str, Any]]:
        """How each benchmark of a suite is sampled: its protocol, the engine, the template of the run's model."""
        template = self.scale["template"] if run_id is None else self.template_of(self.model_of(run_id))
        common = {
            "batch_completions": self.scale["evaluate"]["batch_completions"],
            "seed": self.scale["evaluate"]["seed"],
            "template": template,
            "dtype": self.scale["evaluate"]["dtype"],
            "device": "cuda" if self.scale["resources"]["sample"]["gpu"] else "cpu",
            "engine": engine,
        }
        return {name: {**how, **common} for name, how in self.suites[suite].benchmarks.items()}

    def models_of_kind(self, kind: str) -> list[str]:
        """Models of the scale of one kind: ``pretrained`` here, from the ``hub``, or ``rotated``."""
        return [name for name, model in self.scale["models"].items() if model["kind"] == kind]

    def is_decomposed(self, run_id: str) -> bool:
        """Whether a run's method starts from singular vectors of its base."""
        return self.methods[self.specs[run_id]["method"]].decomposes

    def decomposed_rank(self, model: str) -> int:
        """The most singular triples that a selected run of a model starts from, at each end; 0 if none does."""
        runs = [name for name in self.rows if self.model_of(name) == model and self.is_decomposed(name)]
        return max((self.specs[name]["rank"] for name in runs), default=0)


def finished_runs(results: str | Path) -> frozenset[str]:
    """Ids of the runs whose manifests, which are written last, lie under a folder of results.

    One that a call found to be another run than the one that is asked for is not among them.
    """
    failed = failed_files(results)
    found = (Path(results) / "train").glob("*/run.json")
    return frozenset(path.parent.name for path in found if str(path.with_name("checked.json")) not in failed)


def make_program(
    scale_name: str,
    scale: Mapping[str, Any],
    tier: str,
    studies: Sequence[Study],
    methods: Methods,
    finished: frozenset[str] = frozenset(),
) -> Program:
    """Bind studies to a scale.

    Raises:
        InputError: Names the study and the row that the scale cannot serve, a run id that two grids use for different
            settings, or two studies that keep their samples under one name.
    """
    specs_of = {study.name: bind(study, scale_name, scale, methods) for study in studies}
    merged, renamed = merge_specs(studies, specs_of)
    kept = {name: run_id for run_id, spec in merged.items() for name in kept_ids(run_id, spec)}
    merged |= {name: {**merged[run_id], "run_id": name} for name, run_id in kept.items()}
    shared = [rename_runs(study, renamed) for study in studies]
    by_name = {study.name: study for study in shared}
    suites = make_suites(shared, scale) if studies else bare_suites(scale)
    program = Program(scale_name, scale, tier, methods, by_name, merged, suites, finished=finished, kept=kept)
    check_ids(program)
    check_benchmarks(program)
    check_pairs(shared)
    return program


def check_ids(program: Program) -> None:
    """Check that no run has the id of an untrained base: its scores would be those of the base.

    Raises:
        InputError: Names the run.
    """
    for name, run_id in program.kept.items():
        if any(name in study.rows for study in program.studies.values()):
            problem = f"a step that run '{run_id}' keeps has the id '{name}' of another run."
            raise InputError("keep_steps", problem, "Give one of the studies another run_tag.")
    for study in program.studies.values():
        if clashes := sorted(program.bases.keys() & study.rows):
            problem = f"run '{clashes[0]}' has the id of an untrained base of scale '{program.scale_name}'."
            raise InputError(study.grid_path, problem, "Rename the model, or give the study another run_tag.")


def check_pairs(studies: Sequence[Study]) -> None:
    """Check that one name stands for one pair of checkpoints in all studies.

    Raises:
        InputError: Names the pair and both files.
    """
    owners: dict[str, Study] = {}
    for study in studies:
        for name, pair in study.pairs.items():
            owner = owners.setdefault(name, study)
            if owner.pairs[name] != pair:
                problem = f"pair '{name}' is also in {owner.folder / 'pairs.csv'} with other checkpoints."
                raise InputError(study.folder / "pairs.csv", problem, "Rename one of them.")


def check_benchmarks(program: Program) -> None:
    """Ask every row of every tier for its suites: a run that nobody would evaluate stops here.

    Raises:
        InputError: Names the study, the run and the benchmark.
    """
    for name, study in program.studies.items():
        for run_id in study.rows:
            benchmarks = program.benchmarks_of(name, run_id)
            if not benchmarks:
                problem = f"nothing evaluates run '{run_id}': its data set holds nothing out."
                raise InputError(study.grid_path, problem, "Mark a benchmark of the study as out_of_distribution.")
            for benchmark in benchmarks:
                try:
                    program.suite_of(name, benchmark)
                except InputError as error:
                    problem = f"{error.problem[:-1]}, on which run '{run_id}' is evaluated."
                    raise InputError(error.where, problem, error.remedy) from None
