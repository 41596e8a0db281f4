# Which files a table or figure is made from; input functions of 5_paper.smk.


def evidence_of(output_id):
    """The files that a table or figure is made from, by kind; runs outside the tier are not among them."""
    needed = required_inputs(OUTPUTS[output_id], STUDY.rows, SCALE["datasets"])
    trained = dict.fromkeys([*needed.manifests, *needed.metrics])  # scores and spectra have waited for their check
    scored = dict.fromkeys((run_id, STUDY.suite_of(benchmark)) for run_id, benchmark in needed.scores)
    return {
        "scores": [rules.score_run.output.scores.format(run_id=run_id, suite=suite) for run_id, suite in scored],
        "manifests": expand(rules.train_run.output.run, run_id=needed.manifests),
        "spectra": expand(rules.measure_run.output.spectra, run_id=needed.spectra),
        "metrics": expand(rules.train_run.output.metrics, run_id=needed.metrics),
        "diagnostics": expand(rules.measure_run.output.diagnostics, run_id=needed.diagnostics),
        "frozen": expand(rules.measure_frozen.output.spectra, model=needed.frozen),
        "decay": expand(rules.measure_frozen.output.decay, model=needed.decay),
        "checked": [ancient(path) for path in expand(rules.check_run.output.checked, run_id=trained)],
        "cards": expand(rules.curate_dataset.output.card, dataset=needed.cards),
    }


def table_evidence(wildcards):
    """What one table is made from."""
    return evidence_of(wildcards.table)


def figure_evidence(wildcards):
    """What one figure is made from."""
    return evidence_of(wildcards.figure)


def printed_numbers(wildcards):
    """The numbers that the paper prints in a table."""
    return STUDY_DIR / "reported" / f"{wildcards.table}.csv" if wildcards.table in PRINTED_OUTPUTS else []


def scope_of(output_id):
    """What a table needs to know beside its files: the scale, and which of its runs the tier has."""
    needed = required_inputs(OUTPUTS[output_id], STUDY.rows)
    measured = {*needed.manifests, *needed.spectra, *needed.metrics, *needed.diagnostics}
    runs = measured | {run_id for run_id, _ in needed.scores}
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
