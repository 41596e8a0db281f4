# IN   samples and grades of runs and of their untrained bases; held-out problems; `samples` of the configuration
# OUT  paper/<study>/samples/<benchmark>.{md,html}


rule show_samples:
    """Completions of untrained bases and runs to chosen problems side by side, with verdicts and the answers read."""
    input:
        unpack(sampled_files),
    output:
        md=f"{RESULTS}/paper/{{study}}/samples/{{benchmark}}.md",
        html=f"{RESULTS}/paper/{{study}}/samples/{{benchmark}}.html",
    log:
        f"{RESULTS}/logs/show_samples/{{study}}_{{benchmark}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        page=page_options,
        code=adapter_code("show_samples"),
    script:
        "../scripts/show_samples.py"


rule samples:
    """Pages of completions of each selected study; `--config samples='{runs: [...], problems: [...]}'` chooses."""
    input:
        [sample_pages(study) for study in PROGRAM.studies],


localrules:
    show_samples,
    samples,
