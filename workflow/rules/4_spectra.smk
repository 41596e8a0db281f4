# IN   train/<run_id>/ and models/<model>/; the folders of the pairs in config.yaml
# OUT  spectra/bases/<model>/ (what the diagnostics ask of a base, for all its runs);
#      spectra/<run_id>.parquet (of the update), spectra/diagnostics/<run_id>.parquet (update against base);
#      spectra/footprints/<run_id>.npz and pairs/<pair>_footprint.npz (masks of the weights that changed; where outputs read them);
#      spectra/frozen/<model>.parquet (of the base), spectra/decay/<model>.parquet (its summary);
#      spectra/first_steps/<model>.parquet (of the base, one gradient step from several starts);
#      spectra/starts/<shape>.parquet (of one module under DoRA, trained for this alone);
#      spectra/pairs/<pair>.parquet and _diagnostics.parquet (the same of any pair);
#      spectra/agreement/<base>.{parquet,npz,pdf} (of the runs or pairs from one base; on request)


rule factor_base:
    """Singular triples and masks of a base's matrices, once for the diagnostics of all runs that start from it."""
    input:
        base=settled("factor_base", base_itself, whatever_its_age=False),
    output:
        factors=f"{RESULTS}/spectra/bases/{{model}}/factors.json",
    log:
        f"{RESULTS}/logs/factor_base/{{model}}.log",
    conda:
        "../../envs/train.yaml"
    params:
        diagnostics=SCALE["spectra"]["diagnostics"],
        code=adapter_code("factor_base"),
    script:
        "../scripts/factor_base.py"


rule measure_run:
    """Spectrum and weight-space diagnostics of every module's update."""
    input:
        run=finished_run,
        checked=ancient(checked_run),
        base=settled("measure_run", base_of, whatever_its_age=False),
        factors=settled("measure_run", factors_of, whatever_its_age=False),
    output:
        spectra=f"{RESULTS}/spectra/{{run_id}}.parquet",
        diagnostics=f"{RESULTS}/spectra/diagnostics/{{run_id}}.parquet",
    log:
        f"{RESULTS}/logs/measure_run/{{run_id}}.log",
    conda:
        "../../envs/train.yaml"
    params:
        diagnostics=SCALE["spectra"]["diagnostics"],
        code=adapter_code("measure_run"),
    script:
        "../scripts/measure_run.py"


rule mask_run:
    """Which weights a run changed, and which of them are principal, bit by bit."""
    input:
        run=finished_run,
        checked=ancient(checked_run),
        base=settled("mask_run", base_of, whatever_its_age=False),
        factors=settled("mask_run", factors_of, whatever_its_age=False),
    output:
        footprint=f"{RESULTS}/spectra/footprints/{{run_id}}.npz",
    log:
        f"{RESULTS}/logs/mask_run/{{run_id}}.log",
    conda:
        "../../envs/train.yaml"
    params:
        diagnostics=SCALE["spectra"]["diagnostics"],
        code=adapter_code("mask_run"),
    script:
        "../scripts/mask_run.py"


rule measure_frozen:
    """Singular values of a base model's linear layers before any training, and how they fall."""
    input:
        base=settled("measure_frozen", base_itself, whatever_its_age=False),
    output:
        spectra=f"{RESULTS}/spectra/frozen/{{model}}.parquet",
        decay=f"{RESULTS}/spectra/decay/{{model}}.parquet",
    log:
        f"{RESULTS}/logs/measure_frozen/{{model}}.log",
    conda:
        "../../envs/train.yaml"
    params:
        top=SCALE["spectra"]["frozen_values"],
        code=adapter_code("measure_frozen"),
    script:
        "../scripts/measure_frozen.py"


rule measure_first_step:
    """One step of gradient descent at the layers of a base, from several starts, by what the base answers itself."""
    input:
        base=f"{RESULTS}/models/{{model}}/model.json",
        samples=answered(rules.generate_samples.output.samples),
        record=answered(rules.generate_samples.output.record),
        grades=answered(rules.grade_samples.output.grades),
        problems=lambda wildcards: rules.curate_dataset.output.eval.format(
            dataset=SCALE["spectra"]["first_steps"]["benchmark"]
        ),
    output:
        steps=f"{RESULTS}/spectra/first_steps/{{model}}.parquet",
    log:
        f"{RESULTS}/logs/measure_first_step/{{model}}.log",
    conda:
        "../../envs/train.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: grown("sample", "mem_mb", attempt),
        runtime=lambda wildcards, attempt: grown("sample", "runtime_min", attempt),
    params:
        settings=SCALE["spectra"].get("first_steps"),
        code=adapter_code("measure_first_step"),
    script:
        "../scripts/measure_first_step.py"


rule measure_start:
    """DoRA's effective rank from PEFT's start on a bfloat16 base and from an exact one, over learning rates."""
    output:
        spectra=f"{RESULTS}/spectra/starts/{{shape}}.parquet",
    log:
        f"{RESULTS}/logs/measure_start/{{shape}}.log",
    wildcard_constraints:
        shape=one_of(SHAPES),
    conda:
        "../../envs/train.yaml"
    params:
        code=adapter_code("measure_start"),
    script:
        "../scripts/measure_start.py"


rule fetch_checkpoint:
    """Download a public checkpoint at its revision, weights as safetensors only."""
    output:
        checkpoint=f"{RESULTS}/checkpoints/{{checkpoint}}/checkpoint.json",
    log:
        f"{RESULTS}/logs/fetch_checkpoint/{{checkpoint}}.log",
    wildcard_constraints:
        checkpoint=one_of(CHECKPOINTS),
    conda:
        "../../envs/train.yaml"
    params:
        checkpoint=lambda wildcards: CHECKPOINTS[wildcards.checkpoint],
    script:
        "../scripts/fetch_checkpoint.py"


rule measure_pair:
    """Spectrum and weight-space diagnostics of a pair from anywhere: two checkpoints, or a base and an adapter."""
    input:
        pair_files,
    output:
        spectra=f"{RESULTS}/spectra/pairs/{{pair}}.parquet",
        diagnostics=f"{RESULTS}/spectra/pairs/{{pair}}_diagnostics.parquet",
    log:
        f"{RESULTS}/logs/measure_pair/{{pair}}.log",
    wildcard_constraints:
        pair=one_of(PAIRS),
    conda:
        "../../envs/train.yaml"
    params:
        diagnostics=SCALE["spectra"]["diagnostics"],
        pair=lambda wildcards: PAIRS[wildcards.pair],
        code=adapter_code("measure_pair"),
    script:
        "../scripts/measure_pair.py"


rule mask_pair:
    """Which weights differ between two checkpoints, and which of them are principal, bit by bit."""
    input:
        pair_files,
    output:
        footprint=f"{RESULTS}/spectra/pairs/{{pair}}_footprint.npz",
    log:
        f"{RESULTS}/logs/mask_pair/{{pair}}.log",
    wildcard_constraints:
        pair=one_of(PAIRS),
    conda:
        "../../envs/train.yaml"
    params:
        diagnostics=SCALE["spectra"]["diagnostics"],
        pair=lambda wildcards: PAIRS[wildcards.pair],
        code=adapter_code("mask_pair"),
    script:
        "../scripts/mask_pair.py"


rule plot_pair:
    """Effective rank over layers and projections of a pair, and its update against the geometry of the base."""
    input:
        spectra=rules.measure_pair.output.spectra,
        diagnostics=rules.measure_pair.output.diagnostics,
        style=ROOT / "paper" / "style.mplstyle",
    output:
        map=f"{RESULTS}/spectra/pairs/{{pair}}_map.pdf",
        geometry=f"{RESULTS}/spectra/pairs/{{pair}}_geometry.pdf",
    log:
        f"{RESULTS}/logs/plot_pair/{{pair}}.log",
    wildcard_constraints:
        pair=one_of(PAIRS),
    conda:
        "../../envs/analysis.yaml"
    params:
        code=adapter_code("plot_pair"),
    script:
        "../scripts/plot_pair.py"


rule pairs:
    """Spectra, diagnostics and figures of the pairs that the configuration or, at a scale that fetches them, a study names."""
    input:
        there(expand(rules.measure_pair.output, pair=PAIRS)),
        there(expand(rules.plot_pair.output, pair=PAIRS)),


rule compare_runs:
    """Which weights the runs from one base change: agreement of every two, consensus of all."""
    input:
        compared_files,
    output:
        table=f"{RESULTS}/spectra/agreement/{{base}}.parquet",
        consensus=f"{RESULTS}/spectra/agreement/{{base}}_consensus.npz",
    log:
        f"{RESULTS}/logs/compare_runs/{{base}}.log",
    wildcard_constraints:
        base=one_of(COMPARED),
    conda:
        "../../envs/train.yaml"
    params:
        group=lambda wildcards: COMPARED[wildcards.base],
        kept_depths=SCALE["spectra"]["diagnostics"]["decomposed_depths"],
        code=adapter_code("compare_runs"),
    script:
        "../scripts/compare_runs.py"


rule plot_agreement:
    """Consensus maps of one layer of a base, and how far its runs agree in every layer."""
    input:
        table=rules.compare_runs.output.table,
        consensus=rules.compare_runs.output.consensus,
        style=ROOT / "paper" / "style.mplstyle",
    output:
        figure=f"{RESULTS}/spectra/agreement/{{base}}.pdf",
    log:
        f"{RESULTS}/logs/plot_agreement/{{base}}.log",
    wildcard_constraints:
        base=one_of(COMPARED),
    conda:
        "../../envs/analysis.yaml"
    params:
        code=adapter_code("plot_agreement"),
    script:
        "../scripts/plot_agreement.py"


rule agreement:
    """Do the configured pairs from one base, or otherwise the runs, change the same weights? Not part of `all`."""
    input:
        expand(rules.plot_agreement.output, base=PAIRS_BY_BASE or RUNS_BY_BASE),


rule spectra:
    """Spectra of every run, of the bases that runs start from, and of the pairs that the configuration names."""
    input:
        there(expand(rules.measure_run.output.spectra, run_id=RUNS)),
        there(expand(rules.measure_frozen.output.spectra, model=dict.fromkeys(map(PROGRAM.model_of, RUNS)))),
        rules.pairs.input,


localrules:
    plot_pair,
    plot_agreement,
    fetch_checkpoint,  # nodes of a cluster may have no way to the internet
    agreement,
    pairs,
    spectra,
