# IN   train/<run_id>/ with run.json, scores of the run and of its base where they were asked for
# OUT  train/<run_id>/README.md, the card of a run; paper/runs.{csv,html}, all runs; published/<run_id>.json, once it was brought to `publish.to` (off by default)


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
