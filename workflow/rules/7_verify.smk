# IN   everything under results/<scale>/
# OUT  paper/<study>/seal.json; `snakemake verify` prints what is missing, changed or stale, and fails if anything is


rule seal_paper:
    """Record the digests of a study's tables, figures and documents, and of their evidence, once all are there."""
    input:
        lambda wildcards: [path for files in all_files_of(wildcards.study) for path in files],
        rules.compile_paper.output.pdf,
        rules.check_claims.output,
        rules.check_printed.output,
        rules.collect_numbers.output,
        rules.expand_grid.output,
    output:
        seal=f"{PAPER}/seal.json",
    log:
        f"{RESULTS}/logs/seal_paper/{{study}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        code=adapter_code("seal_paper"),
        results=lambda wildcards: RESULTS,
        evidence=lambda wildcards: evidence_paths(wildcards.study),
    script:
        "../scripts/seal_paper.py"


rule verify:
    """Hash bases, runs, samples and papers anew and say what is missing, changed or stale."""
    log:
        f"{RESULTS}/logs/verify.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        results=RESULTS,
        expected=lambda wildcards: {
            "models": sorted({PROGRAM.model_of(run_id) for run_id in [*RUNS, *PROGRAM.trained_bases]}),
            "specs": {run_id: PROGRAM.specs[run_id] for run_id in [*RUNS, *kept_runs()]},
            "model_of": {run_id: PROGRAM.model_of(run_id) for run_id in [*RUNS, *kept_runs()]},
            "suites": {run_id: PROGRAM.run_suites(run_id) for run_id in [*RUNS, *PROGRAM.trained_bases]},
            "studies": list(PROGRAM.studies),
        },
    script:
        "../scripts/verify.py"


localrules:
    seal_paper,
    verify,
