# Pairs of checkpoints from anywhere, and runs or pairs that share their base; input functions of 4_spectra.smk.


def public_pair(pair):
    """A pair of public checkpoints as the configuration would name it: the folders of both sides."""
    return {
        side: f"{RESULTS}/checkpoints/{checkpoint_name(pair[f'{side}_repository'], pair[f'{side}_revision'])}"
        for side in ("base", "tuned")
    }


def all_pairs():
    """The pairs of the configuration and, where the scale fetches them, those of the studies.

    Stops where both use one name.
    """
    public = {name: public_pair(pair) for name, pair in PROGRAM.pairs.items()}
    if clash := sorted(public.keys() & config["pairs"].keys()):
        raise InputError("config.yaml", f"pair '{clash[0]}' is also the name of a study's pair.", "Rename it.")
    return public | config["pairs"]


PAIRS = or_stop(all_pairs)
CHECKPOINTS = {  # repository and revision of every public checkpoint, by the name of its folder
    checkpoint_name(pair[f"{side}_repository"], pair[f"{side}_revision"]): {
        "repository": pair[f"{side}_repository"],
        "revision": pair[f"{side}_revision"],
    }
    for pair in PROGRAM.pairs.values()
    for side in ("base", "tuned")
}


def pair_files(wildcards):
    """What has to be there before a pair is measured: its folders, or the manifests of its downloads."""
    folders = [PAIRS[wildcards.pair][side] for side in ("base", "tuned")]
    return [f"{folder}/checkpoint.json" for folder in folders] if wildcards.pair in PROGRAM.pairs else folders


def pairs_by_base():
    """Pairs that share their base, by a name made of its path."""
    found = {}
    for name, pair in PAIRS.items():
        path = re.sub(r"[^A-Za-z0-9.]{1,}", "-", pair["base"]).strip("-")
        base = f"pairs-{path}"
        group = found.setdefault(base, {"base": pair["base"], "tuned": {}})
        if group["base"] != pair["base"]:
            problem = f"pair '{name}': its base '{pair['base']}' would share the name '{base}' with '{group['base']}'."
            raise InputError("config.yaml", problem, "Rename one of the folders.")
        group["tuned"][name] = pair["tuned"]
    return {base: group for base, group in found.items() if len(group["tuned"]) > 1}


def compared_runs(model):
    """The runs of the selected tier that start from a base, and their folders."""
    tuned = {run_id: f"{RESULTS}/train/{run_id}" for run_id in RUNS if PROGRAM.model_of(run_id) == model}
    return {"base": f"{RESULTS}/models/{model}", "tuned": tuned}


PAIRS_BY_BASE = or_stop(pairs_by_base)
RUNS_BY_BASE = {model: compared_runs(model) for model in SCALE["models"] if len(compared_runs(model)["tuned"]) > 1}
COMPARED = RUNS_BY_BASE | PAIRS_BY_BASE


def compared_files(wildcards):
    """What has to be there first: the folders of pairs, or the manifests of runs and of their base."""
    group = COMPARED[wildcards.base]
    if wildcards.base in PAIRS_BY_BASE:
        return [group["base"], *group["tuned"].values()]
    checked = [ancient(f"{folder}/checked.json") for folder in group["tuned"].values()]
    return [f"{group['base']}/model.json", *(f"{folder}/run.json" for folder in group["tuned"].values()), *checked]
