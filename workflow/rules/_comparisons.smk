# Runs and configured pairs that share their base; input functions of 4_spectra.smk.


def pairs_by_base():
    """Configured pairs that share their base, by a name made of its path."""
    found = {}
    for name, pair in config["pairs"].items():
        base = "pairs-" + re.sub(r"[^A-Za-z0-9.]+", "-", pair["base"]).strip("-")
        found.setdefault(base, {"base": pair["base"], "tuned": {}})["tuned"][name] = pair["tuned"]
    return {base: group for base, group in found.items() if len(group["tuned"]) > 1}


def compared_runs(model):
    """The runs of the selected tier that start from a base, and their folders."""
    tuned = {run_id: f"{RESULTS}/train/{run_id}" for run_id in RUNS if PROGRAM.model_of(run_id) == model}
    return {"base": f"{RESULTS}/models/{model}", "tuned": tuned}


PAIRS_BY_BASE = pairs_by_base()
RUNS_BY_BASE = {model: compared_runs(model) for model in SCALE["models"] if len(compared_runs(model)["tuned"]) > 1}
COMPARED = RUNS_BY_BASE | PAIRS_BY_BASE


def compared_files(wildcards):
    """What has to be there first: the folders of pairs, or the manifests of runs and of their base."""
    group = COMPARED[wildcards.base]
    if wildcards.base in PAIRS_BY_BASE:
        return [group["base"], *group["tuned"].values()]
    return [f"{group['base']}/model.json", *(f"{folder}/run.json" for folder in group["tuned"].values())]
