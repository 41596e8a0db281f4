# IN   train/<run_id>/ and models/<model>/
# OUT  spectra/<run_id>.parquet (of the update), spectra/frozen/<model>.parquet (of the base)


rule measure_run:
    """Effective rank, participation ratio and norm of every module's update."""
    input:
        run=finished_run,
        base=base_of,
    output:
        spectra=f"{RESULTS}/spectra/{{run_id}}.parquet",
    log:
        f"{RESULTS}/logs/measure_run/{{run_id}}.log",
    conda:
        "../../envs/train.yaml"
    params:
        code=adapter_code("measure_run"),
    script:
        "../scripts/measure_run.py"


rule measure_frozen:
    """Singular values of a base model's linear layers before any training."""
    input:
        base=f"{RESULTS}/models/{{model}}/model.json",
    output:
        spectra=f"{RESULTS}/spectra/frozen/{{model}}.parquet",
    log:
        f"{RESULTS}/logs/measure_frozen/{{model}}.log",
    conda:
        "../../envs/train.yaml"
    params:
        top=SCALE["spectra"]["frozen_values"],
        code=adapter_code("measure_frozen"),
    script:
        "../scripts/measure_frozen.py"


rule spectra:
    """Spectra of every run and of every base."""
    input:
        expand(rules.measure_run.output.spectra, run_id=STUDY.rows),
        expand(rules.measure_frozen.output.spectra, model=SCALE["models"]),


localrules:
    spectra,
