# Names for all rules (the study bound to the scale, where files lie, which wildcards exist) and input functions.

import re
import sys

LIBRARY = ROOT / "workflow" / "lib"
SCHEMAS = ROOT / "workflow" / "schemas"
STUDIES = ROOT / "workflow" / "studies"

sys.path.insert(0, str(LIBRARY.resolve()))

from rlvr.core.environment import prepare_environment
from rlvr.core.provenance import code_digest
from rlvr.core.schemas import check_against
from rlvr.data.registry import find_source, load_registry
from rlvr.data.sources import Origin, check_origin
from rlvr.study import load_study
from rlvr.report.claims import check_claims, load_claims, required_outputs
from rlvr.report.outputs import check_outputs, load_outputs, required_inputs

prepare_environment()
check_against(config, SCHEMAS / "config.schema.yaml", "config.yaml")

STUDY_DIR = STUDIES / config["study"]
SCALE_FILE = ROOT / "workflow" / "scales" / f"{config['scale']}.yaml"
STUDY = load_study(config["study"], config["tier"], SCALE_FILE, STUDIES, SCHEMAS)
SCALE = STUDY.scale
SOURCES = load_registry(ROOT / "data" / "sources.csv")
OUTPUTS = load_outputs(STUDY_DIR / "outputs.yaml", SCHEMAS / "outputs.schema.yaml")
check_outputs(OUTPUTS, STUDY.grid, STUDY_DIR / "outputs.yaml")
TABLES = [name for name in OUTPUTS if name.startswith("table")]
FIGURES = [name for name in OUTPUTS if name.startswith("figure")]
PRINTED_OUTPUTS = [name for name, output in OUTPUTS.items() if output.reported]
CLAIMS = load_claims(STUDY_DIR / "claims.yaml", SCHEMAS / "claims.schema.yaml")
check_claims(CLAIMS, OUTPUTS, STUDY_DIR / "claims.yaml")
RESULTS = f"results/{config['scale']}"

RANK_DIVISOR = SCALE["train"]["rank_divisor"]
SCOPE = {
    "scale": config["scale"],
    "comparable": SCALE["comparable"],
    "remark": f"Ranks and α are the printed ones divided by {RANK_DIVISOR}." if RANK_DIVISOR > 1 else "",
}


def one_of(names):
    """A regular expression that matches exactly these names (and nothing when there are none)."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    run_id=one_of([*STUDY.rows, *STUDY.bases]),
    model=one_of(SCALE["models"]),
    dataset=one_of(SCALE["datasets"]),
    suite=one_of(SCALE["suites"]),
    source="[a-z0-9.-]+",
    table=one_of(TABLES),
    figure=one_of(FIGURES),


def adapter_code(rule_name):
    """Digest of the adapter of a cheap rule and of all of `rlvr` that it reaches."""
    return code_digest(ROOT / "workflow" / "scripts" / f"{rule_name}.py")


def pretrained_models(artefact):
    """The small bases, if the configuration takes them this way (`shipped` or `compute`), else none."""
    return STUDY.models_of_kind("pretrained") if config["artefacts"]["base"] == artefact else []


def origin_of(wildcards):
    """Where a data set's raw rows come from: as the scale says, unless the configuration forces one origin.

    An origin that cannot deliver the source stops the dry run.
    """
    dataset = SCALE["datasets"][wildcards.dataset]
    forced = config["sources"]["origin"]
    origin = {
        "kind": dataset["origin"] if forced == "scale" else forced,
        "mirror_dir": config["sources"]["mirror_dir"],
        "synthetic_rows": dataset.get("synthetic_rows", 0),
        "allow_other_count": dataset.get("allow_other_count", False),
    }
    check_origin(find_source(SOURCES, wildcards.source), Origin(**origin))
    return origin


# Of a data set's entry: where its rows come from and what is done with them; the other keys are its recipe.
NOT_RECIPE = ("sources", "origin", "synthetic_rows", "benchmark", "stand_in_model")


def curation_recipe(wildcards):
    """How a data set is filtered and split."""
    dataset = SCALE["datasets"][wildcards.dataset]
    return {key: value for key, value in dataset.items() if key not in NOT_RECIPE} | {"seed": 0}


def check_settings(wildcards):
    """Whose tokenizer counts, in which template, and how long a prompt may be: the scale's first model speaks for all."""
    model = next(iter(SCALE["models"]))
    return {
        "model": model,
        "tokenizer": SCALE["models"][model],
        "template": SCALE["template"],
        "max_prompt_tokens": SCALE["train"]["max_prompt_tokens"],
    }


def base_of(wildcards):
    """The manifest of the base model that a run starts from."""
    return f"{RESULTS}/models/{STUDY.model_of(wildcards.run_id)}/model.json"


def decomposition_of(wildcards):
    """The singular triples of a run's base, if its method starts from them; nothing otherwise."""
    if not STUDY.is_decomposed(wildcards.run_id):
        return []
    variant = SCALE["train"].get("decomposition", "exact")
    return f"{RESULTS}/decompositions/{STUDY.model_of(wildcards.run_id)}/{variant}/triples.safetensors"


def raw_rows(wildcards):
    """The raw tables of a data set's sources."""
    sources = SCALE["datasets"][wildcards.dataset]["sources"]
    return expand(rules.fetch_source.output.rows, source=sources, dataset=wildcards.dataset)


def raw_provenance(wildcards):
    """Where each of those tables came from."""
    sources = SCALE["datasets"][wildcards.dataset]["sources"]
    return expand(rules.fetch_source.output.provenance, source=sources, dataset=wildcards.dataset)


def launcher():
    """The command that starts training: plain Python on a CPU or one GPU, accelerate on several."""
    devices = SCALE["train"]["devices"]
    if devices <= 1:
        return "python"
    return f"accelerate launch --num_processes {devices} --num_machines 1 --mixed_precision no --dynamo_backend no"


def training_problems(wildcards):
    """The training split of a run's data set."""
    return f"{RESULTS}/data/{STUDY.rows[wildcards.run_id]['dataset']}/train.parquet"


def training_environment():
    """The environment of the steps that may need a GPU: with vLLM where the scale or the engine asks for it."""
    needs_vllm = "vllm" in (SCALE["train"]["generation"], config["engine"])
    return "../../envs/train-gpu.yaml" if needs_vllm else "../../envs/train.yaml"


def finished_run(wildcards):
    """The manifest of a finished run; nothing for an untrained base."""
    return [] if wildcards.run_id in STUDY.bases else f"{RESULTS}/train/{wildcards.run_id}/run.json"


def scores_of(run_id):
    """Score tables of a run on its suites."""
    return expand(rules.score_run.output.scores, run_id=run_id, suite=STUDY.suites(run_id))


def puzzle_suites():
    """The suites with problems of Enigmata."""
    puzzles = {name for name, source in SOURCES.items() if source.reader == "enigmata"}
    datasets = [name for name, dataset in SCALE["datasets"].items() if puzzles.intersection(dataset["sources"])]
    return [suite for suite, members in SCALE["suites"].items() if set(datasets).intersection(members)]


def puzzle_scores_of(run_id):
    """Scores by task of a run on its Enigmata suites."""
    suites = [suite for suite in STUDY.suites(run_id) if suite in puzzle_suites()]
    return expand(rules.score_puzzles.output.scores, run_id=run_id, suite=suites)


def suite_problems(wildcards):
    """The held-out problems of each benchmark of a suite."""
    return expand(rules.curate_dataset.output.eval, dataset=SCALE["suites"][wildcards.suite])
