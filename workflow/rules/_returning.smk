# Bases and curated data that were deleted beside what was made from them: they come back without a job that does it again.
#
# Snakemake plans whatever stands below a missing file, also below one that is `ancient`. Here such a file becomes
# `before_update`: nothing is asked of the job that makes it, which is planned for those who need the file. `check_run`
# is one of them, so that a base or a table that comes back as another one stops the call. What was changed in the code or
# the parameters of a job below a missing file is seen by the next call only; a line says so.


@cache
def comes_back(path):
    """Whether a file is made again: it is gone, or, of a curated table, another output of its rule is."""
    kind, name = Path(path).parts[-3:-1]
    made = [each.format(dataset=name) for each in rules.curate_dataset.output] if kind == "data" else [path]
    return not all(Path(each).is_file() for each in made)


@cache
def is_whole(run_id):
    """Whether a run is finished and what is asked for today; a base is."""
    if run_id in PROGRAM.bases:
        return True
    return run_id not in STALE and all(Path(each.format(run_id=run_id)).is_file() for each in rules.train_run.output)


@cache
def is_drawn(run_id, suite):
    """Whether samples of a suite are there, drawn as they would be today."""
    asked = {"recipe": SCALE["recipe_version"], "sampling": PROGRAM.sampling(suite, config["engine"])}
    files = [each.format(run_id=run_id, suite=suite) for each in rules.generate_samples.output]
    trained = [] if run_id in PROGRAM.bases else [rules.train_run.output.run.format(run_id=run_id)]
    return all(Path(each).is_file() for each in files) and was_drawn(files[1], asked, *trained)


def is_made(rule, wildcards):
    """Whether a job has nothing to do but for files that come back: its outputs are there and nobody asks for it."""
    call = workflow.dag_settings
    if not workflow.is_main_process or call.forceall or call.forcetargets or call.forcerun:
        return False
    values = dict(wildcards.items())
    outputs = [each.format(**values) for each in getattr(rules, rule).output]
    if not all(Path(each).is_file() for each in outputs) or set(outputs).intersection(call.targets):
        return False
    if "run_id" in values and not is_whole(values["run_id"]):
        return False
    return "suite" not in values or is_drawn(values["run_id"], values["suite"])


def settled(rule, find, whatever_its_age=True):
    """Input function: bases or curated tables of a rule's job, of no concern to a finished one while they come back.

    Args:
        rule: Name of the rule.
        find: Input function that gives the path, or a list of them.
        whatever_its_age: Whether they are `ancient` anyway.
    """

    def inputs(wildcards):
        found = find(wildcards)
        paths = [found] if isinstance(found, str) else found
        if any(map(comes_back, paths)) and is_made(rule, wildcards):
            flagged = [ancient(path) if Path(path).is_file() else before_update(path) for path in paths]
        else:
            flagged = [ancient(path) if whatever_its_age else path for path in paths]
        return flagged[0] if isinstance(found, str) else flagged

    return inputs


def returning():
    """Bases and training tables that are gone beside finished runs."""
    finished = [run_id for run_id in RUNS if Path(RESULTS, "train", run_id, "run.json").is_file()]
    models, datasets = (dict.fromkeys(map(find, finished)) for find in (PROGRAM.model_of, PROGRAM.dataset_of))
    needed = [
        *(f"{RESULTS}/models/{name}/model.json" for name in models),
        *(f"{RESULTS}/data/{name}/train.parquet" for name in datasets),
    ]
    return [path for path in needed if not Path(path).is_file()]


if workflow.is_main_process:
    for path in returning():
        print(f"gone: {path} is made again and compared with what finished runs recorded of it", file=sys.stderr)
