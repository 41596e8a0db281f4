# Which files a table or figure of a study is made from; input functions of 6_paper.smk.


def output_of(study, output_id):
    """The declaration of a table or figure; stops where the study has none of that name."""
    if output_id not in OUTPUTS[study]:
        raise ValueError(f"study '{study}' has no output '{output_id}'; it has: {', '.join(OUTPUTS[study])}")
    return OUTPUTS[study][output_id]


EVIDENCE_FILES = {  # where each kind of evidence lies
    "scores": rules.score_run.output.scores,
    "manifests": rules.train_run.output.run,
    "metrics": rules.train_run.output.metrics,
    "spectra": rules.measure_run.output.spectra,
    "diagnostics": rules.measure_run.output.diagnostics,
    "pair_spectra": rules.measure_pair.output.spectra,
    "pair_diagnostics": rules.measure_pair.output.diagnostics,
    "models": f"{RESULTS}/models/{{model}}/model.json",
    "frozen": rules.measure_frozen.output.spectra,
    "decay": rules.measure_frozen.output.decay,
    "agreement": rules.compare_runs.output.table,
    "consensus": rules.compare_runs.output.consensus,
    "cards": rules.curate_dataset.output.card,
}


def evidence_file(study, kind, key):
    """The file of a kind of evidence with this key; the scores of a benchmark lie with its suite."""
    values = dict(zip(EVIDENCE[kind].wildcards, key))
    if "benchmark" in values:
        values["suite"] = PROGRAM.suite_of(study, values["benchmark"])
    return EVIDENCE_FILES[kind].format(**values)


def needs_of(study, output_id):
    """Keys of the files that a table or figure is made from, by kind; runs outside the tier are not among them."""
    bases = {run_id: PROGRAM.model_of(run_id) for run_id in PROGRAM.rows_of(study)}
    return required_inputs(output_of(study, output_id), bases, SCALE["datasets"], PROGRAM.pairs)


def evidence_of(study, output_id):
    """The files that a table or figure is made from, by kind, and the checks of the runs that they come from."""
    needed = needs_of(study, output_id).items()
    files = {kind: list(dict.fromkeys(evidence_file(study, kind, key) for key in keys)) for kind, keys in needed}
    return {**files, "checked": [ancient(path) for path in checks_of(needed)]}


def checks_of(needed):
    """The comparisons of the runs among these keys with today's problems and settings; bases have none."""
    named = {key[0] for kind, keys in needed for key in keys if EVIDENCE[kind].wildcards[0] == "run_id"}
    return expand(rules.check_run.output.checked, run_id=sorted(named.intersection(RUNS)))


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
    return {**SCOPE, "study": study, "runs": sorted(runs)}


def study_scores(wildcards):
    """Scores of a study's runs and of the untrained bases that they start from, on the study's own suites."""
    study = wildcards.study
    evaluated = [*PROGRAM.rows_of(study), *PROGRAM.bases_of([study])]
    return [
        rules.score_run.output.scores.format(run_id=run_id, suite=suite)
        for run_id in evaluated
        for suite in PROGRAM.suites_of(study, run_id)
    ]


def described_runs(wildcards):
    """Every row of a study's grid, of any tier, as the documents list it."""
    selected = PROGRAM.rows_of(wildcards.study)
    rows = PROGRAM.studies[wildcards.study].rows
    return [describe_run({**row, "run_id": run_id}, run_id in selected) for run_id, row in rows.items()]


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


def document_of(wildcards):
    """The text of a study: its own `paper.typ`, otherwise the general one."""
    own = PROGRAM.studies[wildcards.study].folder / "paper.typ"
    return own if own.is_file() else ROOT / "paper" / "general.typ"


def captions_of(name):
    """Captions of a study's figures by name; tables carry theirs."""
    return {figure: OUTPUTS[name][figure].full_caption for figure in FIGURES[name]}


def page_of(name):
    """What the HTML page shows of a study: facts, captions and files."""
    return {
        "facts": study_facts(name),
        "captions": captions_of(name),
        "numbers": rules.collect_numbers.output.json.format(study=name),
        "claims": rules.check_claims.output.json.format(study=name),
        "audit": rules.check_printed.output.json.format(study=name),
        "tags": rules.collect_tags.output.json.format(study=name),
        "tables": expand(rules.tabulate_output.output.json, study=name, table=TABLES[name]),
        "figures": expand(rules.plot_output.output.png, study=name, figure=FIGURES[name]),
    }


def shown_files(wildcards):
    """Every file of a selected study that the HTML page shows."""
    single = ("numbers", "claims", "audit", "tags")
    pages = [page_of(name) for name in PROGRAM.studies]
    return [path for page in pages for path in [*(page[key] for key in single), *page["tables"], *page["figures"]]]


def study_facts(name):
    """What a document says about its study and this call: names, citation, scale, tier."""
    study = PROGRAM.studies[name]
    return {
        "name": study.name,
        "title": study.title,
        "citation": study.citation,
        "names": display_names(study.folder / "labels.csv"),
        "comparable": SCALE["comparable"],
        "tier": PROGRAM.tier,
    }


def tagged_files(study):
    """Files whose tagged remarks a study's document lists, by group: what it uses of methods, and all other code."""
    used = {METHODS[row["method"]].__class__.__module__ for row in PROGRAM.studies[study].rows.values()}
    library = sorted((LIBRARY / "rlvr").rglob("*.py"))
    modules = {path: ".".join(path.relative_to(LIBRARY).with_suffix("").parts) for path in library}
    folder = "rlvr.adapters.methods."
    return {
        "recipe": [STUDIES / name / "study.yaml" for name in ancestors(study, STUDIES)],
        "scale": [SCALES / f"{PROGRAM.scale_name}.yaml"],
        "methods": [path for path, module in modules.items() if module in used],
        "library": [path for path, module in modules.items() if not module.startswith(folder)],
    }


def tagged_remarks(wildcards):
    """Every SOURCE, ASSUME and DEVIATION that concerns a study."""
    return list(tag_rows(tagged_files(wildcards.study), ROOT))


PRINTED_COUNTS = sorted(STUDIES.glob("*/reported/parameters.csv"))
MODEL_CONFIGS = sorted((ROOT / "data" / "configs").glob("*.json"))


def counted_rows(wildcards):
    """The printed counts of all studies and the rows of the selected grids, with their settings at real size."""
    from rlvr.plan.real_size import real_size_rows  # only this target needs it

    configured = {path.stem for path in MODEL_CONFIGS}
    return real_size_rows(PRINTED_COUNTS, PROGRAM.studies.values(), configured, SCALES, STUDIES, SCHEMAS, METHODS)
