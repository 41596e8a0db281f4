# What a card says of a run, which runs the overview lists, and which are published; input functions of 8_publish.smk.


def base_scores_of_run(wildcards):
    """Score tables of the untrained base of a run."""
    return scores_of(base_run(wildcards.run_id))


def card_facts(wildcards):
    """What a card says beside what the run recorded: studies, scale, and what the scale declares of the base."""
    run_id = wildcards.run_id
    return {
        "studies": [study.title for study in PROGRAM.studies.values() if run_id in study.rows],
        "scale": config["scale"],
        "comparable": SCALE["comparable"],
        "base": declared_model(PROGRAM.model_of(run_id))[0],
    }


def published_runs(wildcards):
    """Records of the runs that are to be published; without a place nothing is, and the call says how to name one."""
    or_stop(check_target, config["publish"]["to"])
    asked = config["publish"]["runs"] or list(RUNS)
    or_stop(check_known, "publish.runs", asked, RUNS)
    return expand(rules.publish_run.output.record, run_id=asked)


def base_run(run_id):
    """Run id of the untrained base of a run."""
    model = PROGRAM.model_of(run_id)
    return next(name for name, each in PROGRAM.bases.items() if each == model)


def listed_runs(wildcards):
    """Every run of the tier as the overview lists it, once where several studies have it."""
    found = {}
    for study in PROGRAM.studies.values():
        for run_id, row in study.rows.items():
            if run_id in RUNS:
                described = describe_run({**row, "run_id": run_id}, True)
                found[run_id] = {**described, "base": base_run(run_id), "base_model": PROGRAM.model_of(run_id)}
    return list(found.values())
