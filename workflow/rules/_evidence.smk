# Which files a table or figure of a study is made from; input functions of 6_paper.smk.


def output_of(study, output_id):
    """The declaration of a table or figure; stops where the study has none of that name."""
    if output_id not in OUTPUTS[study]:
        raise ValueError(f"study '{study}' has no output '{output_id}'; it has: {', '.join(OUTPUTS[study])}")
    return OUTPUTS[study][output_id]


EVIDENCE_FILES = {  # where each kind of evidence lies
    "scores": rules.score_run.output.scores,
    "answers": rules.score_run.output.answers,
    "manifests": rules.train_run.output.run,
    "metrics": rules.train_run.output.metrics,
    "spectra": rules.measure_run.output.spectra,
    "diagnostics": rules.measure_run.output.diagnostics,
    "pair_spectra": rules.measure_pair.output.spectra,
    "pair_diagnostics": rules.measure_pair.output.diagnostics,
    "footprints": rules.mask_run.output.footprint,
    "pair_footprints": rules.mask_pair.output.footprint,
    "models": f"{RESULTS}/models/{{model}}/model.json",
    "frozen": rules.measure_frozen.output.spectra,
    "decay": rules.measure_frozen.output.decay,
    "first_steps": rules.measure_first_step.output.steps,
    "starts": rules.measure_start.output.spectra,
    "agreement": rules.compare_runs.output.table,
    "consensus": rules.compare_runs.output.consensus,
    "cards": rules.curate_dataset.output.card,
    "problems": rules.curate_dataset.output.eval,
    "samples": rules.generate_samples.output.samples,
    "grades": rules.grade_samples.output.grades,
    "counts": rules.count_parameters.output.counts,
}


def evidence_file(study, kind, key):
    """The file of a kind of evidence with this key; the scores of a benchmark lie with its suite."""
    values = dict(zip(EVIDENCE[kind].wildcards, key))
    if "benchmark" in values:
        values["suite"] = PROGRAM.suite_of(study, values["benchmark"])
    return EVIDENCE_FILES[kind].format(**values)


def wanted_by(study, outputs, beside, shapes, lost=()):
    """Keys of the files that outputs are made from, by kind, without those of names that are lost.

    Runs outside the tier are not among them.

    Args:
        study: Name of the study.
        outputs: Declarations.
        beside: Runs that are read beside a run, by run id.
        shapes: Weights whose starts are measured.
        lost: Pairs of a wildcard and its value.
    """
    named = [*PROGRAM.rows_of(study), *PROGRAM.kept_of(study), *PROGRAM.bases_of([study])]
    bases = {run_id: PROGRAM.model_of(run_id) for run_id in named if ("run_id", run_id) not in lost}
    known = {"dataset": SCALE["datasets"], "pair": PROGRAM.pairs, "shape": shapes, "model": SCALE["models"]}
    left = {kind: [name for name in names if (kind, name) not in lost] for kind, names in known.items()}
    needed = [
        required_inputs(each, bases, left["dataset"], left["pair"], beside, left["shape"], left["model"])
        for each in outputs
    ]
    return {kind: sorted({key for keys in needed for key in keys[kind]}) for kind in EVIDENCE}


def lost_among(study, needed):
    """What failed jobs cost outputs: log of the job by wildcard and value of the files that are not there."""
    found = {}
    for kind, keys in needed.items() if FAILED else ():
        for key in keys:
            if log := FAILED.get(evidence_file(study, kind, key)):
                wildcard = EVIDENCE[kind].wildcards[0]
                name = ("run_id", f"{key[0]}{BASE_SUFFIX}") if kind == FIRST_STEPS else (wildcard, key[0])
                found[name] = log
    return found


@cache
def needs_and_losses(study, output_id):
    """Keys of the files that a table or figure is made from, by kind; what it lacks for the sake of failed jobs."""
    beside = relatives(facts_of(study)) if SCALE["comparable"] else {}
    asked = study, [output_of(study, output_id)], beside, SHAPES
    needed = wanted_by(*asked)
    lost = lost_among(study, needed)
    return (wanted_by(*asked, lost) if lost else needed), lost


def needs_of(study, output_id):
    """Keys of the files that a table or figure is made from, by kind."""
    return needs_and_losses(study, output_id)[0]


@cache
def facts_of(study):
    """Settings of the runs of a study's selected tier: two rows that say the same in other words are alike."""
    return run_facts(with_kept(PROGRAM.rows_of(study), PROGRAM.specs), PROGRAM.studies[study].recipe)


@cache
def printed_spreads_of(study):
    """Variance over seeds by run, from the standard deviations that the paper prints."""
    declared = PROGRAM.studies[study]
    return printed_spreads(OUTPUTS[study].values(), run_facts(declared.rows, declared.recipe))


def evidence_of(study, output_id):
    """The files that a table or figure is made from, by kind, and the checks of the runs that they come from."""
    needed = needs_of(study, output_id).items()
    files = {kind: list(dict.fromkeys(evidence_file(study, kind, key) for key in keys)) for kind, keys in needed}
    return {**files, "checked": [ancient(path) for path in checks_of(needed)]}


def checks_of(needed):
    """The comparisons of the runs among these keys with today's problems and settings; bases have none."""
    named = {key[0] for kind, keys in needed for key in keys if EVIDENCE[kind].wildcards[0] == "run_id"}
    return expand(rules.check_run.output.checked, run_id=sorted(named.intersection([*RUNS, *KEPT])))


def evidence_paths(study):
    """Files that a study's outputs are made from, its bases' folders and its problems; samples have their own digests."""
    named = [*PROGRAM.rows_of(study), *PROGRAM.bases_of([study])]
    bases = {f"{RESULTS}/models/{PROGRAM.model_of(name)}" for name in named}
    suites = {suite for name in named for suite in PROGRAM.run_suites(name)}
    benchmarks = {benchmark for suite in suites for benchmark in PROGRAM.suites[suite].benchmarks}
    problems = {rules.curate_dataset.output.eval.format(dataset=benchmark) for benchmark in benchmarks}
    files = {
        evidence_file(study, kind, key)
        for output_id in OUTPUTS[study]
        for kind, keys in needs_of(study, output_id).items()
        for key in keys
        if kind != "samples"
    }
    return sorted({str(path) for path in files | bases | problems})  # texts: a job's parameters are pickled


def table_evidence(wildcards):
    """What one table is made from."""
    return evidence_of(wildcards.study, wildcards.table)


def figure_evidence(wildcards):
    """What one figure is made from."""
    return evidence_of(wildcards.study, wildcards.figure)


def study_file(name, optional=False):
    """Input function: a file of the study's folder; nothing where an optional one is not there."""

    def path(wildcards):
        file = PROGRAM.studies[wildcards.study].folder / name
        return [] if optional and not file.is_file() else file

    return path


def scope_of(study, output_id):
    """What a table needs to know beside its files: the scale, and which of its runs the tier has."""
    needed = needs_of(study, output_id).items()
    runs = {key[0] for kind, keys in needed for key in keys if EVIDENCE[kind].wildcards[0] in ("run_id", "pair")}
    runs |= {f"{key[0]}{BASE_SUFFIX}" for kind, keys in needed for key in keys if kind == FIRST_STEPS}
    return {**SCOPE, "study": study, "runs": sorted(runs), **seed_facts(study, runs), **failed_among(study, output_id)}


def failed_among(study, output_id):
    """The logs of the runs, bases and pairs that an output would show and for which a job failed.

    Only where what is finished was asked for: every other call tries again.
    """
    if config["tier"] != FINISHED:
        return {}
    shown = used_runs([output_of(study, output_id)])
    failed = {run_id: log for run_id, log in failed_logs().items() if run_id in shown}
    failed |= {name: log for (_, name), log in needs_and_losses(study, output_id)[1].items()}
    return {"failed": failed} if failed else {}


def seed_facts(study, names):
    """What is known about the seeds of these runs: which of them differ in nothing else, and what the paper prints."""
    facts, printed = facts_of(study), printed_spreads_of(study)
    found = sorted(facts.keys() & names)
    family = families(facts)
    return {
        "seeds": seeds_of(facts, found),
        "siblings": among(siblings(facts), found),
        "families": {name: family[name] for name in found},
        "printed_spreads": {name: printed[name] for name in found if name in printed},
        "samples": {name: how["samples_per_problem"] for name, how in PROGRAM.studies[study].benchmarks.items()},
    }


def study_scores(wildcards):
    """Scores of a study's runs and of the untrained bases that they start from, on the study's own suites."""
    study = wildcards.study
    evaluated = [*PROGRAM.rows_of(study), *PROGRAM.bases_of([study])]
    return there(
        rules.score_run.output.scores.format(run_id=run_id, suite=suite)
        for run_id in evaluated
        for suite in PROGRAM.suites_of(study, run_id)
    )


def cells_of(study, output_ids):
    """The cells of those of these outputs that are made of cells."""
    folders = {name: "tables" if name in TABLES[study] else "figures" for name in output_ids}
    made_of_cells = {name: folder for name, folder in folders.items() if OUTPUTS[study][name].has_cells}
    return [f"{RESULTS}/paper/{study}/{folder}/{name}.csv" for name, folder in made_of_cells.items()]


def output_files(study, output_id):
    """Every format of a table or figure."""
    if output_id in TABLES[study]:
        return expand(rules.tabulate_output.output, study=study, table=output_id)
    return expand(rules.plot_output.output, study=study, figure=output_id)


def files_of_output(output_id):
    """Every format of a table or figure, of each selected study that has it."""
    return [output_files(study, output_id) for study, outputs in OUTPUTS.items() if output_id in outputs]


def all_files_of(study):
    """Every format of every table and figure of a study."""
    return [output_files(study, output_id) for output_id in OUTPUTS[study]]


def shown_runs(study, benchmark):
    """The runs whose completions a page shows, behind the untrained bases that they start from.

    Stops where the configuration names a run that the study's tier does not have.
    """
    rows = PROGRAM.rows_of(study)
    if unknown := sorted({name for name in config["samples"]["runs"]} - set(RUNS)):
        problem = f"key 'samples.runs': '{unknown[0]}' is no run of the selected tier."
        raise InputError("config.yaml", problem, "`snakemake grid` lists them.")
    chosen = [name for name in rows if name in (config["samples"]["runs"] or rows)]
    tested = [name for name in chosen if benchmark in PROGRAM.benchmarks_of(study, name)]
    models = {PROGRAM.model_of(name) for name in tested}
    return [*(name for name, model in PROGRAM.bases.items() if model in models), *tested]


def sample_pages(study):
    """The pages of a study: of every benchmark that some chosen run is tested on."""
    benchmarks = [name for name in PROGRAM.studies[study].benchmarks if or_stop(shown_runs, study, name)]
    pages = f"{RESULTS}/paper/{study}/samples/{{benchmark}}.{{suffix}}"
    return expand(pages, benchmark=benchmarks, suffix=["md", "html"])


def sampled_files(wildcards):
    """Samples and grades of a page's runs, and the problems."""
    study, benchmark = wildcards.study, wildcards.benchmark
    suite, runs = PROGRAM.suite_of(study, benchmark), shown_runs(study, benchmark)
    return {
        "samples": expand(rules.generate_samples.output.samples, run_id=runs, suite=suite),
        "grades": expand(rules.grade_samples.output.grades, run_id=runs, suite=suite),
        "problems": rules.curate_dataset.output.eval.format(dataset=benchmark),
    }


def page_options(wildcards):
    """Which runs and problems a page shows, and how much of a text."""
    problems = config["samples"]["problems"]
    return {
        "runs": shown_runs(wildcards.study, wildcards.benchmark),
        "problems": problems if isinstance(problems, list) else int(problems),
        "characters": int(config["samples"]["characters"]),
    }
