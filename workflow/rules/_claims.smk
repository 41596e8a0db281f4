# What the claims of a study are judged by; input functions of check_claims in 6_paper.smk.


def claim_evidence(wildcards):
    """The cells, curves, scores of untrained bases and data cards that a study's claims name, as far as they exist."""
    study, claims = wildcards.study, CLAIMS[wildcards.study]
    figures = f"{RESULTS}/paper/{study}/figures/{{figure}}.csv"
    return {
        "cells": cells_of(study, required_outputs(claims)),
        "curves": expand(figures, figure=required_figures(claims)),
        "bases": base_scores_of(study, required_models(claims)),
        "cards": expand(
            rules.curate_dataset.output.card, dataset=set(required_datasets(claims)) & set(SCALE["datasets"])
        ),
    }


def base_scores_of(study, models):
    """Scores of untrained bases on what a study's runs are tested on; none of a base that the tier does not train."""
    return [
        rules.score_run.output.scores.format(run_id=run_id, suite=suite)
        for run_id in PROGRAM.bases_of([study])
        if PROGRAM.bases[run_id] in models
        for suite in PROGRAM.suites_of(study, run_id)
    ]


def claim_scope(wildcards):
    """What is said of every claim: paper, scale, tier, base model and seed of each run, headings of columns."""
    runs = {run_id: PROGRAM.specs[run_id] for run_id in PROGRAM.rows_of(wildcards.study)}
    named = {name: OUTPUTS[wildcards.study][name] for name in required_outputs(CLAIMS[wildcards.study])}
    return {
        "paper": PROGRAM.studies[wildcards.study].title,
        "scale": config["scale"],
        "comparable": SCALE["comparable"],
        "tier": PROGRAM.tier,
        "models": {run_id: PROGRAM.model_of(run_id) for run_id in runs},
        "seeds": {run_id: spec["seed"] for run_id, spec in runs.items()},
        "headers": {
            name: {column.key: " ".join(filter(None, column.header)) for column in output.columns}
            for name, output in named.items()
        },
    }
