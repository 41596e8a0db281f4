"""Everything that a call is made of, read and checked at once: scale, sources, studies, outputs, claims.

The Snakefile calls :func:`load_workspace` before any rule exists, so that whatever is wrong ends with one sentence.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.schemas import CONFIG, check_against, load_yaml
from rlvr.plan.claim_checks import ClaimNames, check_claims
from rlvr.plan.claims import Claim, load_claims
from rlvr.plan.configuration import check_configuration
from rlvr.plan.fact_checks import PRINTED_COUNTS
from rlvr.plan.facts import load_facts
from rlvr.plan.kept_steps import with_kept, with_rungs
from rlvr.plan.labels import display_names
from rlvr.plan.layout import check_layout
from rlvr.plan.memory import check_memory
from rlvr.plan.method import Methods
from rlvr.plan.names import Names, check_output_names, check_scale_names, check_scale_studies, check_study_names
from rlvr.plan.outputs import Output
from rlvr.plan.outputs_file import Kinds, load_outputs
from rlvr.plan.own_sources import own_sources
from rlvr.plan.program import Program, finished_runs, make_program
from rlvr.plan.ratings import Rating, check_ratings
from rlvr.plan.real_size import check_printed_counts
from rlvr.plan.scale import load_scale, select_studies
from rlvr.plan.selection import candidates_of
from rlvr.plan.shapes import ModelShape, check_fit, check_length, check_scale_fit, model_shapes
from rlvr.plan.sources import Source, check_solutions, load_registry
from rlvr.plan.stand_ins import name_stand_ins, name_synthetic_data, replace_pairs
from rlvr.plan.study import STAND_IN, Study, load_study, study_names


@dataclass(frozen=True)
class Vocabulary:
    """Words whose meaning lies in parts of the library that ``plan`` does not import.

    Attributes:
        methods: The registry of methods.
        kinds: Options of every kind of figure.
        templates: Names of prompt templates.
        readers: Readers of raw rows by name.
        architectures: Sizes of the small bases by architecture.
    """

    methods: Methods
    kinds: Kinds
    templates: Collection[str]
    readers: Mapping[str, Rating]
    architectures: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Workspace:
    """Everything that the Snakefile works on: the program with its sources, and per study its outputs and claims."""

    program: Program
    sources: Mapping[str, Source]
    outputs: Mapping[str, Mapping[str, Output]]
    claims: Mapping[str, list[Claim]]


def load_workspace(config: Mapping[str, Any], root: Path, results: str | Path, words: Vocabulary) -> Workspace:
    """Read and check the files that a configuration names.

    Args:
        config: The configuration with what the command line changes in it.
        root: Folder of the Snakefile.
        results: ``results/<scale>``.
        words: Names that a file may use.

    Raises:
        InputError: Names the file and the key, row or column that is wrong.
    """
    schemas, studies_folder, scales = (root / "workflow" / name for name in ("schemas", "studies", "scales"))
    check_against(config, schemas / "config.schema.yaml", CONFIG)
    check_configuration(config)
    check_layout(results)
    scale = load_scale(config["scale"], scales, schemas)
    sources = load_registry(root / "data" / "sources.csv", words.readers)
    sources |= own_sources(scale, sources, scales / f"{config['scale']}.yaml")
    names = Names.of(scale, scales, sources, words.templates)
    scale_path = scales / f"{config['scale']}.yaml"
    check_scale_names(scale, names, scale_path)
    check_scale_studies(scale, names.models, study_names(studies_folder), scale_path)
    check_solutions(scale, scale_path)
    check_ratings(scale, sources, words.readers, scale_path)
    selected = select_studies(config["studies"], scale, scale_path, study_names(studies_folder))
    studies = [load_study(name, studies_folder, schemas, words.methods) for name in selected]
    for study in studies:
        check_study_names(study, names, root / "paper" / "refs.bib")
        check_tier(study, scale["tiers"].get(config["tier"]), config["tier"])
    program = make_program(config["scale"], scale, config["tier"], studies, words.methods, finished_runs(results))
    shapes = model_shapes(scale["models"], words.architectures, root / "data" / "configs")
    check_scale_fit(scale, shapes, scale_path)
    check_runs_fit(program, shapes)
    check_shown_runs(config["samples"]["runs"], program)
    models = {run_id: program.model_of(run_id) for run_id in program.rows}
    specs = {run_id: program.specs[run_id] for run_id in models}
    unfit, divided = check_memory(specs, shapes, models, words.methods, scale["resources"]["train"], scale_path)
    program = replace(program, unfit=unfit, divided=divided)
    shared = program.studies  # with the ids under which runs of several studies are trained
    outputs = {name: study_outputs(study, program, words.kinds, names, root) for name, study in shared.items()}
    for study in studies:
        check_printed_counts(study.folder / PRINTED_COUNTS, words.methods, names.models)
    claims = {name: study_claims(study, outputs[name], names, schemas) for name, study in shared.items()}
    return Workspace(program, sources, outputs, claims)


def check_config_files(paths: Collection[str | Path]) -> None:
    """Check that files of configuration are YAML without a key that stands twice.

    Snakemake reads them itself: the last of two equal keys would win, and its message on bad YAML names no file.

    Raises:
        InputError: Names the file.
    """
    for path in paths:
        if not isinstance(load_yaml(path), Mapping):
            raise InputError(path, "is not a table of keys.", "See workflow/schemas/config.schema.yaml.")


def study_outputs(study: Study, program: Program, kinds: Kinds, names: Names, root: Path) -> dict[str, Output]:
    """The tables and figures of a study, checked against its grid, benchmarks and looks; stand-ins are named.

    Raises:
        InputError: Names the output and what is wrong with it.
    """
    path, schemas = study.folder / "outputs.yaml", root / "workflow" / "schemas"
    rows = with_rungs(with_kept(study.rows, program.specs), program.scale["models"])
    candidates = candidates_of(rows, study.recipe, study.pairs)
    facts = load_facts(
        study.folder / "facts.yaml", schemas / "facts.schema.yaml", candidates, study.recipe, root, study.benchmarks,
        names.facts,
    )  # fmt: skip
    outputs = load_outputs(path, candidates, kinds, schemas / "outputs.schema.yaml", names.facts, facts)
    check_output_names(outputs, study, kinds, names)
    shown = display_names(study.folder / "labels.csv")
    stand_ins = program.scale.get("stand_ins", {})
    models = {shown.get(model, model): stand_in for model, stand_in in stand_ins.items()}
    instead = {name: pair.get(STAND_IN, "") for name, pair in study.pairs.items() if name not in program.pairs}
    runs = {name: run_id for name, run_id in instead.items() if run_id in study.rows}
    shown_runs = {key: replace_pairs(output, runs) for key, output in outputs.items()}
    named = {key: name_stand_ins(output, program.specs, models) for key, output in shown_runs.items()}
    return {key: name_synthetic_data(output, program.scale["datasets"]) for key, output in named.items()}


def study_claims(study: Study, outputs: Mapping[str, Output], names: Names, schemas: Path) -> list[Claim]:
    """The claims of a study, checked against its outputs, benchmarks, and the models and data sets of any scale.

    Raises:
        InputError: Names the claim and what is wrong with it.
    """
    path = study.folder / "claims.yaml"
    claims = load_claims(path, schemas / "claims.schema.yaml")
    check_claims(claims, outputs, ClaimNames(names.models, study.benchmarks, names.datasets), path)
    return claims


def check_runs_fit(program: Program, shapes: Mapping[str, ModelShape]) -> None:
    """Check every run of every tier against its model's weights and positions, and its data set's size.

    Raises:
        InputError: Names the run and the setting.
    """
    for study in program.studies.values():
        for run_id in study.rows:
            where = f"{study.grid_path}, run '{run_id}'"
            spec, shape = program.specs[run_id], shapes.get(program.model_of(run_id))
            if run_id in program.rows:
                check_problems(spec, program.scale["datasets"][spec["dataset"]], where)
            if shape is not None:
                check_fit(spec, shape, where)
                for benchmark in program.benchmarks_of(study.name, run_id):
                    suite = program.suites[program.suite_of(study.name, benchmark)]
                    tokens = suite.benchmarks[benchmark]["max_completion_tokens"]
                    check_length(spec["max_prompt_tokens"] + tokens, shape, f"{where}, benchmark '{benchmark}'")


def check_tier(study: Study, words: Collection[str] | None, tier: str) -> None:
    """Check that a tier takes a row of a study's grid.

    Args:
        study: The study.
        words: Words of the column ``tier`` that the tier takes; ``None`` for any.
        tier: Its name, for messages.

    Raises:
        InputError: Names the grid and the words that it has.
    """
    there = sorted({row["tier"] for row in study.rows.values()})
    if words is not None and not set(words).intersection(there):
        problem = f"tier '{tier}' takes none of its rows: their column 'tier' has {', '.join(there)}."
        raise InputError(study.grid_path, problem, f"Mark a row with {', '.join(words)}, or choose another tier.")


def check_shown_runs(runs: Collection[str], program: Program) -> None:
    """Check the runs whose completions the configuration wants to see.

    Raises:
        InputError: Names the first that no selected study has.
    """
    if unknown := [run_id for run_id in runs if run_id not in program.specs]:
        problem = f"key 'samples.runs': no selected study has a run '{unknown[0]}'."
        raise InputError(CONFIG, problem, "`snakemake grid` lists them.")


def check_problems(spec: Mapping[str, Any], dataset: Mapping[str, Any], where: object) -> None:
    """Check that a data set can hold the prompts of one generation, as far as its entry tells its size.

    Raises:
        InputError: Names both numbers.
    """
    sizes = [dataset[key] for key in ("max_train_problems", "expected_kept") if key in dataset]
    if dataset["origin"] == "synthetic":
        held = dataset["eval_problems"] if isinstance(dataset["eval_problems"], int) else 0
        sizes.append(max(dataset["synthetic_rows"] * len(dataset["sources"]) - held, 0))
    if "strata" in dataset:
        sizes.append(sum(level["problems"] for level in dataset["strata"]["levels"].values()))
    needed = spec["completions_per_step"] // spec["group_size"] * spec["updates_per_generation"]
    if sizes and min(sizes) < needed:
        problem = f"one generation takes {needed} problems, data set '{spec['dataset']}' has at most {min(sizes)}."
        raise InputError(where, problem, "Lower completions_per_step, or give the data set more problems in the scale.")
