# IN   a row of the grid, models/<model>/, data/<dataset>/train.parquet; decompositions/ for methods that start from them
# OUT  train/<run_id>/: adapter/ or model/, metrics.parquet, and run.json, written last


rule write_spec:
    """Write the resolved settings of one run: its grid row over the scale's base settings."""
    input:
        scales=written_from,
    output:
        spec=f"{RESULTS}/specs/{{run_id}}.json",
    log:
        f"{RESULTS}/logs/write_spec/{{run_id}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=lambda wildcards: spec_content(PROGRAM.specs[wildcards.run_id]),
        base=lambda wildcards: declared_model(PROGRAM.model_of(wildcards.run_id)),  # another base is another run
    script:
        "../scripts/write_spec.py"


rule decompose_base:
    """Compute the singular triples at both ends of every matrix of a base, once for all runs that start from them."""
    input:
        base=settled("decompose_base", base_itself),
    output:
        triples=f"{RESULTS}/decompositions/{{model}}/{{variant}}/triples.safetensors",
        cost=f"{RESULTS}/decompositions/{{model}}/{{variant}}/cost.json",
    log:
        f"{RESULTS}/logs/decompose_base/{{model}}/{{variant}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/decompose_base/{{model}}/{{variant}}.tsv"
    wildcard_constraints:
        variant="exact|randomised",
    conda:
        "../../envs/train.yaml"
    envmodules:
        module_of(TRAINING),
    threads: SCALE["resources"]["sample"]["threads"]
    resources:
        gpu=SCALE["resources"]["sample"]["gpu"],
        mem_mb=lambda wildcards, attempt: grown("sample", "mem_mb", attempt),
        runtime=lambda wildcards, attempt: grown("sample", "runtime_min", attempt),
        cpus_per_task=SCALE["resources"]["sample"]["threads"],
    params:
        rank=lambda wildcards, output: triples_wanted(PROGRAM.decomposed_rank(wildcards.model), Path(output.cost)),
        device="cuda" if SCALE["resources"]["sample"]["gpu"] else "cpu",
        base=lambda wildcards: declared_model(wildcards.model),
    script:
        "../scripts/decompose_base.py"


# A base or a table that is written again with the same content retrains nothing: `ancient`. What really changed in them is
# found by `check_run`. The spec is not taken this way: Snakemake does not look at the parameters of a job below one that is
# made again, so that a changed row has to come by its file.
# `exec`: a scheduler sends SIGTERM to every process of a job; of a shell that stands above the trainer and dies of it,
# Snakemake would learn that the job has failed while the run still finishes its step.
# What stands before the launcher is no parameter: a changed one would train every finished run anew.
BEFORE_LAUNCHER = with_devices("train") + ("python -m rlvr.core.launching " if SCALE["settings"]["devices"] > 1 else "")


rule train_run:
    """Train one adapter with GRPO; a killed run goes on from its last checkpoint."""
    input:
        spec=rules.write_spec.output.spec,
        base=settled("train_run", base_of),
        problems=settled("train_run", training_problems),
        decomposition=settled("train_run", decomposition_of),  # more triples of the same base change no run
        environments=checked_environments,
    output:
        run=f"{RESULTS}/train/{{run_id}}/run.json",
        metrics=f"{RESULTS}/train/{{run_id}}/metrics.parquet",
    log:
        f"{RESULTS}/logs/train_run/{{run_id}}.log",
    wildcard_constraints:
        run_id=one_of(RUNS),
    conda:
        environment_file(training_name())
    container:
        image_of(training_name())
    envmodules:
        module_of(training_name()),
    threads: SCALE["resources"]["train"]["threads"]
    resources:
        gpu=SCALE["resources"]["train"]["gpu"],
        mem_mb=lambda wildcards, attempt: grown("train", "mem_mb", attempt),
        runtime=lambda wildcards, attempt: grown("train", "runtime_min", attempt),
        cpus_per_task=SCALE["resources"]["train"]["threads"],  # `threads` is capped by the cores of the submitting machine
        checkpoint_every_steps=SCALE["settings"]["checkpoint_every_steps"],  # no parameter: another cadence is no other run
    params:
        launcher=launcher,
        recipe=SCALE["recipe_version"],
    shell:
        "base=$(dirname {input.base:q}); out=$(dirname {output.run:q}); triples={input.decomposition:q}; exec "
        + BEFORE_LAUNCHER
        + "{params.launcher} -m rlvr.train --spec {input.spec:q} --base $base --train {input.problems:q}"
        ' --out $out --checkpoint-every-steps {resources.checkpoint_every_steps} ${{triples:+--decomposition "$triples"}} --log {log:q} &> {log:q}'


rule keep_step:
    """Make a step that a run kept on its way a run of its own, which is evaluated and measured like any other."""
    input:
        run=kept_of,
    output:
        run=f"{RESULTS}/train/{{run_id}}/run.json",
        metrics=f"{RESULTS}/train/{{run_id}}/metrics.parquet",
    log:
        f"{RESULTS}/logs/keep_step/{{run_id}}.log",
    wildcard_constraints:
        run_id=one_of(KEPT),
    conda:
        "../../envs/train.yaml"
    params:
        step=kept_step,
        code=adapter_code("keep_step"),
    script:
        "../scripts/keep_step.py"


rule check_run:
    """Compare a finished run with today's settings, problems and base; whatever uses the run waits for this."""
    input:
        run=rules.train_run.output.run,
        base=base_of,
        problems=training_problems,
    output:
        checked=f"{RESULTS}/train/{{run_id}}/checked.json",
    log:
        f"{RESULTS}/logs/check_run/{{run_id}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=lambda wildcards: PROGRAM.specs[wildcards.run_id],
        code=adapter_code("check_run"),
    script:
        "../scripts/check_run.py"


rule train:
    """Every run of the selected tier."""
    input:
        expand(rules.train_run.output.run, run_id=RUNS),
        expand(rules.check_run.output.checked, run_id=RUNS),


localrules:
    write_spec,
    keep_step,
    check_run,
    train,
