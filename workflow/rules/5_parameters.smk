# IN   data/configs/*.json, the printed counts of every study, the grids of the selected ones, the sizes of scale paper
# OUT  parameters/{printed,launch}.{csv,md,tex}, parameters/memory.{csv,md}: at real size whatever the scale, without weights


rule count_parameters:
    """Count what each method trains at real size, on modules without storage."""
    input:
        configs=MODEL_CONFIGS,
        printed=PRINTED_COUNTS,
        grids=[study.grid_path for study in PROGRAM.studies.values()],
        scale=SCALES / "paper.yaml",
    output:
        counts=f"{RESULTS}/parameters/counts.json",
    log:
        f"{RESULTS}/logs/count_parameters.log",
    conda:
        "../../envs/train.yaml"
    params:
        rows=counted_rows,
        code=adapter_code("count_parameters"),
    script:
        "../scripts/count_parameters.py"


rule tabulate_parameters:
    """The printed counts with a verdict each; memory of each run before a launch."""
    input:
        counts=rules.count_parameters.output.counts,
    output:
        expand(f"{RESULTS}/parameters/{{table}}.{{suffix}}", table=["printed", "launch"], suffix=["csv", "md", "tex"]),
    log:
        f"{RESULTS}/logs/tabulate_parameters.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        stems={name: f"{RESULTS}/parameters/{name}" for name in ("printed", "launch")},
        code=adapter_code("tabulate_parameters"),
    script:
        "../scripts/tabulate_parameters.py"


rule tabulate_memory:
    """Memory of one card for every run of the grids at real size, under each sharding, by arithmetic."""
    input:
        configs=MODEL_CONFIGS,
        grids=[study.grid_path for study in PROGRAM.studies.values()],
        scale=SCALES / "paper.yaml",
    output:
        expand(f"{RESULTS}/parameters/memory.{{suffix}}", suffix=["csv", "md"]),
    log:
        f"{RESULTS}/logs/tabulate_memory.log",
    conda:
        "../../envs/train.yaml"
    params:
        rows=counted_rows,
        card_gib=real_card_gib,
        stem=lambda wildcards: f"{RESULTS}/parameters/memory",
        code=adapter_code("tabulate_memory"),
    script:
        "../scripts/tabulate_memory.py"


rule memory:
    """Print what every run of the selected grids needs of a card at real size, and how it fits."""
    input:
        table=f"{RESULTS}/parameters/memory.md",
    log:
        f"{RESULTS}/logs/memory.log",
    conda:
        "../../envs/analysis.yaml"
    shell:
        "cat {input.table:q} 2> {log:q}"


rule parameters:
    """Trainable parameters of every method at real size, beside the printed ones; memory of every run of the grids."""
    input:
        rules.tabulate_parameters.output,
        rules.tabulate_memory.output,


localrules:
    count_parameters,
    tabulate_parameters,
    tabulate_memory,
    memory,
    parameters,
