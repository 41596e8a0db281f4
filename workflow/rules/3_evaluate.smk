# IN   train/<run_id>/ (or an untrained base), data/<benchmark>/eval.parquet of the benchmarks of a suite
# OUT  evaluate/<run_id>/<suite>/{samples,grades,scores,answers}.parquet and samples.json, for Enigmata puzzles.{parquet,csv,md}


rule sample_shard:
    """Sample one of the shares of a suite, where the scale divides it among jobs (`resources.sample.shards`)."""
    input:
        run=finished_run,
        base=settled("sample_shard", base_of),
        problems=settled("sample_shard", suite_problems),
        environments=checked_environments,
    output:
        shard=touch(f"{RESULTS}/evaluate/{{run_id}}/{{suite}}/shards/{{shard}}"),
    log:
        f"{RESULTS}/logs/sample_shard/{{run_id}}_{{suite}}_{{shard}}.log",
    wildcard_constraints:
        shard=r"\d+",
    conda:
        environment_file(training_name())
    container:
        image_of(training_name())
    envmodules:
        module_of(training_name()),
    threads: SCALE["resources"]["sample"]["threads"]
    resources:
        gpu=SCALE["resources"]["sample"]["gpu"],
        mem_mb=lambda wildcards, attempt: grown("sample", "mem_mb", attempt),
        runtime=lambda wildcards, attempt: grown("sample", "runtime_min", attempt),
        cpus_per_task=SCALE["resources"]["sample"]["threads"],
    params:
        sampling=lambda wildcards: PROGRAM.sampling(wildcards.suite, config["engine"], wildcards.run_id),
        recipe=SCALE["recipe_version"],
        base=lambda wildcards: declared_model(PROGRAM.model_of(wildcards.run_id)),
        samples=f"{RESULTS}/evaluate/{{run_id}}/{{suite}}/samples.parquet",
        record=f"{RESULTS}/evaluate/{{run_id}}/{{suite}}/samples.json",
        shards=SCALE["resources"]["sample"].get("shards", 1),
    script:
        "../scripts/sample_shard.py"


rule generate_samples:
    """Sample k completions of every problem; the only step of evaluation that may need a GPU."""
    input:
        run=finished_run,
        base=settled("generate_samples", base_of),
        problems=settled("generate_samples", suite_problems),  # `grade_samples` compares what was sampled with what is there
        shards=shards_of_suite,
        environments=checked_environments,
    output:
        samples=f"{RESULTS}/evaluate/{{run_id}}/{{suite}}/samples.parquet",
        record=f"{RESULTS}/evaluate/{{run_id}}/{{suite}}/samples.json",
    log:
        f"{RESULTS}/logs/generate_samples/{{run_id}}_{{suite}}.log",
    conda:
        environment_file(training_name())
    container:
        image_of(training_name())
    envmodules:
        module_of(training_name()),
    threads: SCALE["resources"]["sample"]["threads"]
    resources:
        gpu=SCALE["resources"]["sample"]["gpu"],
        mem_mb=lambda wildcards, attempt: grown("sample", "mem_mb", attempt),
        runtime=lambda wildcards, attempt: grown("sample", "runtime_min", attempt),
        cpus_per_task=SCALE["resources"]["sample"]["threads"],
    params:
        sampling=lambda wildcards: PROGRAM.sampling(wildcards.suite, config["engine"], wildcards.run_id),
        recipe=SCALE["recipe_version"],
        base=lambda wildcards: declared_model(PROGRAM.model_of(wildcards.run_id)),
    script:
        "../scripts/generate_samples.py"


rule grade_samples:
    """Grade every completion: correct, wrong, unparsed or timed_out."""
    input:
        samples=rules.generate_samples.output.samples,
        record=rules.generate_samples.output.record,
        base=settled("grade_samples", base_of, whatever_its_age=False),
        problems=settled("grade_samples", suite_problems, whatever_its_age=False),
    output:
        grades=f"{RESULTS}/evaluate/{{run_id}}/{{suite}}/grades.parquet",
    log:
        f"{RESULTS}/logs/grade_samples/{{run_id}}_{{suite}}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: SCALE["resources"]["grade"]["threads"]
    resources:
        mem_mb=lambda wildcards, attempt: grown("grade", "mem_mb", attempt),
        runtime=lambda wildcards, attempt: grown("grade", "runtime_min", attempt),
        cpus_per_task=SCALE["resources"]["grade"]["threads"],
    params:
        sampling=lambda wildcards: PROGRAM.sampling(wildcards.suite, config["engine"], wildcards.run_id),
        recipe=SCALE["recipe_version"],
        code=adapter_code("grade_samples"),
    script:
        "../scripts/grade_samples.py"


rule score_run:
    """Avg@k, Pass@k and maj@k of one run on a suite, with intervals over problems, and the scores of every problem."""
    input:
        grades=rules.grade_samples.output.grades,
        record=rules.generate_samples.output.record,
        checked=ancient(checked_run),
    output:
        scores=f"{RESULTS}/evaluate/{{run_id}}/{{suite}}/scores.parquet",
        answers=f"{RESULTS}/evaluate/{{run_id}}/{{suite}}/answers.parquet",
    log:
        f"{RESULTS}/logs/score_run/{{run_id}}_{{suite}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        code=adapter_code("score_run"),
    script:
        "../scripts/score_run.py"


rule score_puzzles:
    """Score the tasks of an Enigmata suite as released and by the prompts' rules, beside their ceilings."""
    input:
        samples=rules.generate_samples.output.samples,
        grades=rules.grade_samples.output.grades,
        problems=settled("score_puzzles", suite_problems, whatever_its_age=False),
    output:
        verdicts=f"{RESULTS}/evaluate/{{run_id}}/{{suite}}/puzzles.parquet",
        scores=f"{RESULTS}/evaluate/{{run_id}}/{{suite}}/puzzles.csv",
        markdown=f"{RESULTS}/evaluate/{{run_id}}/{{suite}}/puzzles.md",
    log:
        f"{RESULTS}/logs/score_puzzles/{{run_id}}_{{suite}}.log",
    wildcard_constraints:
        suite=one_of(puzzle_suites()),
    conda:
        "../../envs/analysis.yaml"
    params:
        code=adapter_code("score_puzzles"),
    script:
        "../scripts/score_puzzles.py"


rule evaluate:
    """Scores of every run and of the untrained bases."""
    input:
        [scores_of(run_id) for run_id in [*RUNS, *PROGRAM.trained_bases]],
        [puzzle_scores_of(run_id) for run_id in [*RUNS, *PROGRAM.trained_bases]],


rule bases:
    """Scores of the untrained bases on every benchmark of the selected studies."""
    input:
        expand(rules.score_run.output.scores, run_id=PROGRAM.bases, suite=PROGRAM.suites),


rule real_rows:
    """Real rows without any training, at scale realdata: cards, golds, and the untrained base on every benchmark."""
    input:
        rules.cards.input,
        rules.golds.input,
        rules.bases.input,


localrules:
    evaluate,
    bases,
    real_rows,
