# Which files a table or figure is made from; input functions of 6_paper.smk.


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
BASES_OF_RUNS = {run_id: STUDY.model_of(run_id) for run_id in STUDY.rows}


def evidence_file(kind, key):
    """The file of a kind of evidence with this key; a benchmark's scores lie with its suite."""
    values = dict(zip(EVIDENCE[kind].wildcards, key))
    if "benchmark" in values:
        values["suite"] = STUDY.suite_of(values["benchmark"])
    return EVIDENCE_FILES[kind].format(**values)


def evidence_of(output_id):
    """The files that a table or figure is made from, by kind; runs outside the tier are not among them."""
    needed = required_inputs(OUTPUTS[output_id], BASES_OF_RUNS, SCALE["datasets"])
    return {kind: list(dict.fromkeys(evidence_file(kind, key) for key in keys)) for kind, keys in needed.items()}


def table_evidence(wildcards):
    """What one table is made from."""
    return evidence_of(wildcards.table)


def figure_evidence(wildcards):
    """What one figure is made from."""
    return evidence_of(wildcards.figure)


def looks_of_series(wildcards):
    """The study's table of series, where it has one."""
    return {"labels": path for path in [STUDY_DIR / "labels.csv"] if path.is_file()}


def scope_of(output_id):
    """What a table needs to know beside its files: the scale, and which of its runs the tier has."""
    needed = required_inputs(OUTPUTS[output_id], BASES_OF_RUNS)
    runs = {key[0] for kind, keys in needed.items() for key in keys if EVIDENCE[kind].wildcards[0] == "run_id"}
    return {**SCOPE, "runs": sorted(runs)}


def cells_of(output_ids):
    """The cells of those of these outputs that are made of cells."""
    folders = {name: "tables" if name in TABLES else "figures" for name in output_ids if OUTPUTS[name].has_cells}
    return [f"{RESULTS}/paper/{folder}/{name}.csv" for name, folder in folders.items()]


def output_files(output_id):
    """Every format of a table or figure."""
    if output_id in TABLES:
        return expand(rules.tabulate_output.output, table=output_id)
    return expand(rules.plot_output.output, figure=output_id)


PRINTED_COUNTS = sorted(STUDIES.glob("*/reported/parameters.csv"))
MODEL_CONFIGS = sorted((ROOT / "data" / "configs").glob("*.json"))


def counted_rows():
    """The printed counts of all studies and the rows of this study's grid whose models have a configuration."""
    from rlvr.report.parameter_tables import load_printed  # imports pandas, which no other target needs at parse time

    printed = [row for path in PRINTED_COUNTS for row in load_printed(path)]
    grid = [row for row in STUDY.grid.values() if f"{row['model']}.json" in {path.name for path in MODEL_CONFIGS}]
    return [*printed, *grid]
