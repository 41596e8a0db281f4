# What the claims of a study are judged by, and its invariants; input functions of check_claims and check_results.


@cache
def claimed_of(study):
    """The outputs whose cells the claims of a study name, cut down to these cells."""
    return claimed_outputs(CLAIMS[study], OUTPUTS[study])


@cache
def claim_needs_and_losses(study):
    """Keys of the files that these cells and the untrained bases are made from, by kind; what failed jobs cost them.

    Runs of other seeds are among them.
    """
    asked = study, claimed_of(study), siblings(facts_of(study)), ()
    needed = wanted_by(*asked)
    lost = lost_among(study, needed)
    found = {kind: set(keys) for kind, keys in (wanted_by(*asked, lost) if lost else needed).items()}
    bases = PROGRAM.bases_of([study])
    untrained = {(f"{model}{BASE_SUFFIX}", benchmark) for model, benchmark in places_of(CLAIMS[study], "base")}
    for kind in ("scores", "answers"):
        keys = {key for key in untrained if key[0] in bases and is_sampled(study, *key)}
        found[kind] |= {key for key in keys if evidence_file(study, kind, key) not in FAILED}
    return {kind: sorted(keys) for kind, keys in found.items()}, lost


def claim_needs(study):
    """Keys of the files that a study's claims are judged by, by kind."""
    return claim_needs_and_losses(study)[0]


def is_sampled(study, run_id, benchmark):
    """Whether the tier tests an untrained base on a benchmark."""
    return any(benchmark in PROGRAM.suites[suite].benchmarks for suite in PROGRAM.suites_of(study, run_id))


def claim_evidence(wildcards):
    """The results, curves and data cards that a study's claims name, as far as they exist."""
    study, needed = wildcards.study, claim_needs(wildcards.study).items()
    named = set(required_datasets(CLAIMS[study])) & set(SCALE["datasets"])
    figures = f"{RESULTS}/paper/{study}/figures/{{figure}}.csv"
    return {
        **{kind: list(dict.fromkeys(evidence_file(study, kind, key) for key in keys)) for kind, keys in needed},
        "curves": expand(figures, figure=required_figures(CLAIMS[study])),
        "data_cards": there(expand(rules.curate_dataset.output.card, dataset=sorted(named))),
        "checked": [ancient(path) for path in checks_of(needed)],
    }


def claim_results(wildcards):
    """The scale, and the runs that a study's claims may speak of, with their seeds."""
    study, keyed = wildcards.study, ("run_id", "pair")
    needed = claim_needs(study).items()
    runs = {key[0] for kind, keys in needed for key in keys if EVIDENCE[kind].wildcards[0] in keyed}
    runs |= {f"{key[0]}{BASE_SUFFIX}" for kind, keys in needed for key in keys if kind == FIRST_STEPS}
    curves = {run_id for name in required_figures(CLAIMS[study]) for run_id in used_runs([OUTPUTS[study][name]])}
    lost = {name for _, name in claim_needs_and_losses(study)[1]}
    found = runs | (curves & {*PROGRAM.rows_of(study), *PROGRAM.kept_of(study)} - lost)
    return {**SCOPE, "study": study, "runs": sorted(found), **seed_facts(study, found)}


def claim_scope(wildcards):
    """What is said of every claim: paper, tier, base model of each run, headings of columns."""
    study = wildcards.study
    models = {run_id: PROGRAM.model_of(run_id) for run_id in [*PROGRAM.rows_of(study), *PROGRAM.kept_of(study)]}
    return {
        "paper": PROGRAM.studies[study].title,
        "tier": PROGRAM.tier,
        "models": {
            run_id: f"{name} ({STAND_INS[name]})" if name in STAND_INS else name for run_id, name in models.items()
        },
        "headers": {
            output.key: {column.key: " ".join(filter(None, column.header)) for column in output.columns}
            for output in claimed_of(study)
        },
    }


def result_files(wildcards):
    """Every result that a study's paper is made from: those of its tier's runs, and the spectra that its outputs read."""
    study, rows = wildcards.study, list(PROGRAM.rows_of(wildcards.study))
    needed = [needs_of(study, name) for name in OUTPUTS[study]]
    read = {kind: sorted({key for keys in needed for key in keys[kind]}) for kind in EVIDENCE}
    tested = sorted({benchmark for run_id in rows for benchmark in PROGRAM.benchmarks_of(study, run_id)})
    return {
        "cells": cells_of(study, OUTPUTS[study]),
        "scores": study_scores(wildcards),
        "manifests": expand(rules.train_run.output.run, run_id=rows),
        "metrics": expand(rules.train_run.output.metrics, run_id=rows),
        "spectra": [evidence_file(study, "spectra", key) for key in read["spectra"]],
        "diagnostics": [
            evidence_file(study, kind, key) for kind in ("diagnostics", "pair_diagnostics") for key in read[kind]
        ],
        "cards": there(expand(rules.curate_dataset.output.card, dataset=tested)),
        "checked": [ancient(path) for path in expand(rules.check_run.output.checked, run_id=rows)],
    }


def result_protocol(wildcards):
    """What a study's results are held against: k by benchmark, and the limits of the configuration."""
    suites = [suite for suite in PROGRAM.suites.values() if suite.study == wildcards.study]
    samples = {name: how["samples_per_problem"] for suite in suites for name, how in suite.benchmarks.items()}
    return {"samples": samples, **{name: config[name] for name in ("max_unparsed_share", "max_timed_out_share")}}
