# IN   train/<run_id>/ with run.json, scores of the run and of its base where they were asked for
# OUT  train/<run_id>/README.md, the card of a run; paper/runs.{csv,html}, all runs; published/<run_id>.json, once it was brought to `publish.to` (off by default)


def base_scores_of_run(wildcards):
    """Score tables of the untrained base of a run."""
    return scores_of(base_run(wildcards.run_id))


def card_facts(wildcards):
    """What a card says beside what the run recorded: studies, scale, and what the scale declares of the base."""
    run_id = wildcards.run_id
    return {
        "studies": [study.title for study in PROGRAM.studies.values() if run_id in study.rows],
        "scale": config["scale"],
        "comparable": SCALE["comparable"],
        "base": declared_model(PROGRAM.model_of(run_id))[0],
    }


def published_runs(wildcards):
    """Records of the runs that are to be published; without a place nothing is, and the call says how to name one."""
    or_stop(check_target, config["publish"]["to"])
    asked = config["publish"]["runs"] or list(RUNS)
    or_stop(check_known, "publish.runs", asked, RUNS)
    return expand(rules.publish_run.output.record, run_id=asked)


rule write_card:
    """Write the card of a run: method, base, data, scores with intervals, how to load it."""
    input:
        run=rules.train_run.output.run,
        checked=rules.check_run.output.checked,
        scores=lambda wildcards: scores_of(wildcards.run_id),
        base_scores=base_scores_of_run,
    output:
        card=f"{RESULTS}/train/{{run_id}}/README.md",
    log:
        f"{RESULTS}/logs/write_card/{{run_id}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        facts=card_facts,
        code=adapter_code("write_card"),
    script:
        "../scripts/write_card.py"


rule model_cards:
    """The card of every run of the selected tier."""
    input:
        expand(rules.write_card.output.card, run_id=RUNS),


def base_run(run_id):
    """Run id of the untrained base of a run."""
    model = PROGRAM.model_of(run_id)
    return next(name for name, each in PROGRAM.bases.items() if each == model)


def listed_runs(wildcards):
    """Every run of the tier as the overview lists it, once where several studies have it."""
    found = {}
    for study in PROGRAM.studies.values():
        for run_id, row in study.rows.items():
            if run_id in RUNS:
                described = describe_run({**row, "run_id": run_id}, True)
                found[run_id] = {**described, "base": base_run(run_id), "base_model": PROGRAM.model_of(run_id)}
    return list(found.values())


rule list_runs:
    """An overview of all runs: a table with a filter, accuracy against trainable share."""
    input:
        manifests=expand(rules.train_run.output.run, run_id=RUNS),
        models=lambda wildcards: sorted({f"{RESULTS}/models/{PROGRAM.model_of(run_id)}/model.json" for run_id in RUNS}),
        scores=[scores_of(run_id) for run_id in [*RUNS, *PROGRAM.trained_bases]],
        page=sorted((ROOT / "paper" / "runs").iterdir()),
    output:
        csv=f"{RESULTS}/paper/runs.csv",
        html=f"{RESULTS}/paper/runs.html",
    log:
        f"{RESULTS}/logs/list_runs.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        described=listed_runs,
        facts={"scale": config["scale"], "tier": PROGRAM.tier, "comparable": SCALE["comparable"]},
        templates=ROOT / "paper" / "runs",
        code=adapter_code("list_runs"),
    script:
        "../scripts/list_runs.py"


rule overview:
    """The overview of all runs of the selected tier, as CSV and as a page."""
    input:
        rules.list_runs.output,


rule publish_run:
    """Bring a run with its card to a folder or to the hub, as loaders expect it."""
    input:
        run=rules.train_run.output.run,
        card=rules.write_card.output.card,
    output:
        record=f"{RESULTS}/published/{{run_id}}.json",
    log:
        f"{RESULTS}/logs/publish_run/{{run_id}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        to=lambda wildcards: config["publish"]["to"],
        private=config["publish"]["private"],
        base=lambda wildcards: declared_model(PROGRAM.model_of(wildcards.run_id))[0],
    script:
        "../scripts/publish_run.py"


rule publish:
    """Publish the runs of `publish.runs` (none: all of the tier) to `publish.to`; `--config publish='{to: "folder:shared"}'`."""
    input:
        published_runs,


localrules:
    write_card,
    model_cards,
    list_runs,
    overview,
    publish_run,
    publish,
