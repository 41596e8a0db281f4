# Input functions and settings of rules: from wildcards to files and values.


def pretrained_models(artefact):
    """The small bases that are taken this way (`shipped` or `compute`): as configured, those of a ladder always made."""
    made_here = "compute" if config["artefacts"]["base"] == "compute" else "shipped"
    own = {
        name: "compute" if "seed" in SCALE["models"][name] else made_here
        for name in PROGRAM.models_of_kind("pretrained")
    }
    return [name for name, how in own.items() if how == artefact]


def shipped_checksums(wildcards):
    """The checksums of a shipped base; of any age where that very base is installed.

    A clone's files are as old as the clone: results that were fetched into it are older, and all that is made from a base
    would be made again.
    """
    shipped = ROOT / "data" / "bases" / wildcards.model
    here = is_installed(shipped, Path(RESULTS, "models", wildcards.model))
    return ancient(str(shipped / "checksums.json")) if here else str(shipped / "checksums.json")


def source_row(wildcards):
    """A source as the registry, or the scale, declares it, with the column of solutions that the data set names."""
    solutions = SCALE["datasets"][wildcards.dataset].get("solutions", {})
    row = asdict(with_solutions(find_source(SOURCES, wildcards.source), solutions))
    return {key: value for key, value in row.items() if key != "own" or value is not None}


def origin_of(wildcards):
    """Where a data set's raw rows come from: as the scale says, unless the configuration forces one origin.

    An origin that cannot deliver the source stops the dry run.
    """
    dataset = SCALE["datasets"][wildcards.dataset]
    forced = config["sources"]["origin"]
    origin = {
        "kind": dataset["origin"] if forced == "scale" or dataset["origin"] == "own" else forced,
        "mirror_dir": config["sources"]["mirror_dir"],
        "synthetic_rows": dataset.get("synthetic_rows", 0),
        "allow_other_count": dataset.get("allow_other_count", False),
    }
    or_stop(check_origin, find_source(SOURCES, wildcards.source), Origin(**origin))
    return origin


# Of a data set's entry: where its rows come from and what is done with them; the other keys are its recipe.
NOT_RECIPE = ("sources", "origin", "synthetic_rows", "solutions", "benchmark", "stand_in_model")


def curation_recipe(wildcards):
    """How a data set is filtered and split."""
    dataset = SCALE["datasets"][wildcards.dataset]
    return {key: value for key, value in dataset.items() if key not in NOT_RECIPE} | {"seed": 0}


@cache
def all_prompt_limits():
    """The longest prompt of each data set and model over every study; few calls need it, and it reads them all."""
    return or_stop(prompt_limits, config["scale"], SCALE, study_names(STUDIES), load_study_by_name, METHODS)


def longest_prompt():
    """The longest prompt that any model is trained on, in tokens; the scale's cap without runs."""
    limits = [limit for models in all_prompt_limits().values() for limit in models.values()]
    return max(limits, default=SCALE["caps"].get("max_prompt_tokens", 1024))


def check_settings(wildcards):
    """Whose tokenizer counts, in which template, and how long a prompt may be: the scale's first model speaks for all."""
    model = next(iter(SCALE["models"]))
    return {
        "model": model,
        "tokenizer": SCALE["models"][model],
        "template": SCALE["template"],
        "max_prompt_tokens": longest_prompt(),
    }


def longest_prompts(dataset):
    """The models that some run of a study trains on a data set, and the longest prompt that each may see."""
    return all_prompt_limits().get(dataset, {})


def tokenizer_manifests(wildcards):
    """The manifests of the models that are trained on a data set; their tokenizers lie beside them."""
    return [f"{RESULTS}/models/{model}/model.json" for model in longest_prompts(wildcards.dataset)]


def declared_model(model):
    """What a scale says about a model, and about the model that it is made from."""
    declared = SCALE["models"][model]
    return [declared, *declared_model(declared["from"])] if "from" in declared else [declared]


def local_files(declared):
    """The files of a base of one's own: a folder that is no model, or is not there, stops the call."""
    return or_stop(find_files, declared["path"])


def prompt_templates(dataset):
    """The prompt template of each model that some run trains on a data set."""
    return {model: PROGRAM.template_of(model) for model in longest_prompts(dataset)}


def written_from(wildcards):
    """The folder of scales: of any age, unless a finished run is not what is asked for today.

    Its spec, which `settle_specs` has dated before that folder, is then written by its rule. A spec that is only younger
    than the run would not do: Snakemake asks nothing about a job below one that runs, such as a base that is made again.
    A folder, since of a file Snakemake compares the checksum, too, which does not change with a row of a grid.
    """
    return SCALES if wildcards.run_id in STALE else ancient(SCALES)


def base_of(wildcards):
    """The manifest of the base model that a run starts from."""
    return f"{RESULTS}/models/{PROGRAM.model_of(wildcards.run_id)}/model.json"


def base_itself(wildcards):
    """The manifest of the base model that a job is about."""
    return f"{RESULTS}/models/{wildcards.model}/model.json"


def factors_of(wildcards):
    """What the diagnostics ask of a run's base."""
    return f"{RESULTS}/spectra/bases/{PROGRAM.model_of(wildcards.run_id)}/factors.json"


def decomposition_of(wildcards):
    """The singular triples of a run's base, if its method starts from them; nothing otherwise."""
    if not PROGRAM.is_decomposed(wildcards.run_id):
        return []
    variant = SCALE["settings"].get("decomposition", "exact")
    return f"{RESULTS}/decompositions/{PROGRAM.model_of(wildcards.run_id)}/{variant}/triples.safetensors"


def raw_rows(wildcards):
    """The raw tables of a data set's sources."""
    sources = SCALE["datasets"][wildcards.dataset]["sources"]
    return expand(rules.fetch_source.output.rows, source=sources, dataset=wildcards.dataset)


def raw_provenance(wildcards):
    """Where each of those tables came from."""
    sources = SCALE["datasets"][wildcards.dataset]["sources"]
    return expand(rules.fetch_source.output.provenance, source=sources, dataset=wildcards.dataset)


def launcher(wildcards):
    """The command that starts training: plain Python on a CPU or one GPU, accelerate on several.

    The memory of a card decides whether each holds everything or weights are divided (`snakemake memory`).
    """
    devices = SCALE["settings"]["devices"]
    if devices <= 1:
        return "python"
    config = "fsdp2" if wildcards.run_id in PROGRAM.divided else "ddp"
    return f"accelerate launch --config_file {ROOT}/envs/accelerate/{config}.yaml --num_processes {devices}"


def training_problems(wildcards):
    """The training split of a run's data set."""
    return f"{RESULTS}/data/{PROGRAM.dataset_of(wildcards.run_id)}/train.parquet"


def kept_of(wildcards):
    """The manifest of the run that kept a step on its way."""
    return f"{RESULTS}/train/{PROGRAM.kept[wildcards.run_id]}/run.json"


def kept_step(wildcards):
    """The optimizer step behind which it was kept."""
    run_id = PROGRAM.kept[wildcards.run_id]
    return kept_ids(run_id, PROGRAM.specs[run_id])[wildcards.run_id]


def kept_runs():
    """The kept steps that some output has made a run of: only these are there to be verified."""
    return [run_id for run_id in KEPT if Path(RESULTS, "train", run_id, "run.json").is_file()]


def finished_run(wildcards):
    """The manifest of a finished run; nothing for an untrained base."""
    return [] if wildcards.run_id in PROGRAM.bases else f"{RESULTS}/train/{wildcards.run_id}/run.json"


def checked_run(wildcards):
    """That a finished run is still the one that is asked for; nothing for an untrained base."""
    return [] if wildcards.run_id in PROGRAM.bases else f"{RESULTS}/train/{wildcards.run_id}/checked.json"


def scores_of(run_id):
    """Score tables of a run on all its suites."""
    return there(expand(rules.score_run.output.scores, run_id=run_id, suite=PROGRAM.run_suites(run_id)))


@cache
def puzzle_suites():
    """The suites with problems of Enigmata."""
    puzzles = {name for name, source in SOURCES.items() if source.reader == "enigmata"}
    datasets = [name for name, dataset in SCALE["datasets"].items() if puzzles.intersection(dataset["sources"])]
    return [name for name, suite in PROGRAM.suites.items() if set(datasets).intersection(suite.benchmarks)]


def puzzle_scores_of(run_id):
    """Scores by task of a run on its Enigmata suites."""
    suites = [suite for suite in PROGRAM.run_suites(run_id) if suite in puzzle_suites()]
    return there(expand(rules.score_puzzles.output.scores, run_id=run_id, suite=suites))


def suite_problems(wildcards):
    """The held-out problems of each benchmark of a suite."""
    return expand(rules.curate_dataset.output.eval, dataset=list(PROGRAM.suites[wildcards.suite].benchmarks))


def shards_of_suite(wildcards):
    """The shares of a suite's samples, where jobs share them; none otherwise."""
    shards = SCALE["resources"]["sample"].get("shards", 1)
    return [
        f"{RESULTS}/evaluate/{wildcards.run_id}/{wildcards.suite}/shards/{each}" for each in range(shards) if shards > 1
    ]


def answered(path):
    """Input function: a file of what an untrained base answered to the benchmark of the first steps, by the first study that has it."""

    def find(wildcards):
        run_id, benchmark = f"{wildcards.model}{BASE_SUFFIX}", SCALE["spectra"]["first_steps"]["benchmark"]
        suites = [name for name in PROGRAM.run_suites(run_id) if benchmark in PROGRAM.suites[name].benchmarks]
        if not suites:
            where, problem = (
                f"workflow/scales/{config['scale']}.yaml, spectra.first_steps",
                f"'{run_id}' answers no '{benchmark}'.",
            )
            sys.exit(f"InputError: {where}: {problem} Name a benchmark of the study whose figure needs it.")
        return path.format(run_id=run_id, suite=suites[0])

    return find


PRINTED_COUNTS = sorted(STUDIES.glob("*/reported/parameters.csv"))
MODEL_CONFIGS = sorted((ROOT / "data" / "configs").glob("*.json"))


def counted_rows(wildcards):
    """The printed counts of all studies and the rows of the selected grids, with their settings at real size."""
    from rlvr.plan.real_size import real_size_rows  # only this target needs it

    configured = {path.stem for path in MODEL_CONFIGS}
    studies = PROGRAM.studies.values()
    return or_stop(real_size_rows, PRINTED_COUNTS, studies, configured, SCALES, STUDIES, SCHEMAS, METHODS)


def real_card_gib(wildcards):
    """Memory of a card at real size."""
    from rlvr.plan.real_size import REAL_SCALE
    from rlvr.plan.scale import load_scale

    return load_scale(REAL_SCALE, SCALES, SCHEMAS)["resources"]["train"]["card_gib"]


def statements_of(wildcards):
    """The files in which a study's statements and its places stand; it may have none."""
    return [path for name in ("statements.csv", "places.csv") if (path := STUDIES / wildcards.study / name).is_file()]


def printed_tables(wildcards):
    """The printed tables of a study, and of those whose cells its statements name."""
    text = "".join(
        path.read_text(encoding="utf-8") for path in statements_of(wildcards) if path.name == "statements.csv"
    )
    studies = [name for name in AUDITED if name == wildcards.study or f"{name}:" in text]
    return sorted(
        path
        for name in studies
        for folder in ("reported", "printed")
        for path in STUDIES.glob(f"{name}/{folder}/*.csv")
    )


def archived_names(wildcards):
    """Which runs, bases and documents belong to a study; all else of the results is shared."""
    study = wildcards.study
    runs = [*PROGRAM.rows_of(study), *PROGRAM.kept_of(study), *PROGRAM.bases_of([study])]
    return {"train": runs, "specs": runs, "evaluate": runs, "paper": [wildcards.study]}
