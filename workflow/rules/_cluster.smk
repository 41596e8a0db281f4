# Jobs on the nodes of a cluster: their environments, what they may not do there, and what is asked for a second time.

use_hub_cache(config["hub_cache"])
if workflow.remote_exec:  # this call of snakemake is a job on a node
    or_stop(prepare_node, config["scratch"])

MODULE_RUN = {"train_run": "rlvr.train"}  # rules that are not scripts: the module that their command runs
SUBMITTING, TRAINING, ON_GPU = "analysis", "train", "train-gpu"  # files of envs/; a conda environment each


def training_name():
    """The environment of the steps that may need a GPU: with vLLM where the scale or the engine asks for it."""
    return ON_GPU if "vllm" in (SCALE["settings"]["generation"], config["engine"]) else TRAINING


def environment_file(name):
    """The conda environment of a stage, as a rule file names it."""
    return f"../../envs/{name}.yaml"


def module_of(name):
    """The environment module that loads what `make cluster-env` made, for `--sdm env-modules`."""
    return f"rlvr/{name}"


def image_of(name):
    """The image of a stage, for `--sdm apptainer`; it is built by hand, see docs/cluster.md."""
    return str(ROOT / "envs" / f"{name}.sif")


def checked_environments(wildcards):
    """That every environment imports what its stages import; nothing where the configuration does not ask for it."""
    names = dict.fromkeys([SUBMITTING, TRAINING, training_name()]) if config["preflight"] else []
    return [ancient(f"{RESULTS}/environments/{name}.json") for name in names]


def scripts_of(name):
    """What the rules of an environment run: their adapters, or the module that their command starts."""
    found = [each.name for each in workflow.rules if each.conda_env and Path(str(each.conda_env)).stem == name]
    adapters = [ROOT / "workflow" / "scripts" / f"{rule}.py" for rule in found]
    commands = [LIBRARY.joinpath(*MODULE_RUN[rule].split("."), "__main__.py") for rule in found if rule in MODULE_RUN]
    return [path for path in (*adapters, *commands) if path.is_file()]


def with_devices(stage):
    """What stands before a command that takes the GPUs of a stage by itself; nothing where a scheduler assigns them."""
    count = SCALE["resources"][stage]["gpu"]
    if not (count and config["gpus"]):
        return ""
    return f"python -m rlvr.core.devices {count} {shlex.quote(config['gpus'])} {{log:q}} "


def grown(stage, resource, attempt):
    """Memory or time of a job: what the scale gives, once more for every retry, up to the cluster's limit."""
    wanted = SCALE["resources"][stage][resource] * attempt
    return min(wanted, config["limits"][resource] or wanted)


def retry_unless_refused():
    """No further attempt for a job that left word that it would fail again (`rlvr.core.refusals`).

    Snakemake knows one number of retries for whatever goes wrong, and learns no exit code from a scheduler.
    """
    from snakemake.jobs import GroupJob, Job

    def times(jobs):
        refused = any(is_refused(job.log) for job in jobs)
        return 0 if refused else max(job.rule.restart_times for job in jobs)

    Job.restart_times = property(lambda job: times([job]))
    GroupJob.restart_times = property(lambda group: times(group.jobs))


def watch_queue():
    """Let the executor for Slurm see the queue through `rlvr.core.queue.Watch`.

    It asks for the age at which jobs are forgotten, too: without an answer it would turn to accounting, which many
    clusters do not have, and stay there for two hundred questions.
    """
    if workflow.executor_plugin.name != "slurm":
        return
    import snakemake_executor_plugin_slurm as executor

    watch, ask, ask_age = Watch(), executor.query_job_status, executor.get_min_job_age

    async def settled(*arguments):
        states, seconds = await ask(*arguments)
        return (None if states is None else watch.settled(states)), seconds

    executor.query_job_status = settled
    executor.get_min_job_age = lambda: watch.age(ask_age())


if workflow.is_main_process:
    retry_unless_refused()


PRINTED_HOURS = STUDIES / "structure-over-scale" / "reported" / "table12.csv"
SHAPES_OF_BASES = model_shapes(SCALE["models"], WORDS.architectures, ROOT / "data" / "configs")


@cache
def launch():
    """What the selected studies cost at this scale."""
    return Launch(PROGRAM, SHAPES_OF_BASES, SOURCES, Path(RESULTS), PRINTED_HOURS)


def missing_before_launch():
    """What has to be there before runs are started and is not."""
    needed = dict.fromkeys([SUBMITTING, TRAINING, training_name()]) if config["preflight"] else []
    for name in needed:
        if not Path(RESULTS, "environments", f"{name}.json").is_file():
            yield f"environment '{name}' has not been checked: snakemake preflight"
    for name in dict.fromkeys(map(PROGRAM.model_of, RUNS)):
        if not Path(RESULTS, "models", name, "model.json").is_file():
            yield f"base '{name}' is not here yet"
    for name in dict.fromkeys(map(PROGRAM.dataset_of, RUNS)):
        if not Path(RESULTS, "data", name, "train.parquet").is_file():
            yield f"data set '{name}' is not here yet"
    for name in dict.fromkeys(map(PROGRAM.model_of, RUNS)):
        if SCALE["models"][name].get("gated") and not os.environ.get("HF_TOKEN"):
            yield f"HF_TOKEN is not set: the hub gives '{name}' to those who accepted its licence"


if workflow.is_main_process and any(config["budget"].values()):
    or_stop(lambda: check_budget(selected_rows(launch()), config["budget"], "config.yaml"))


def submits_jobs():
    """Whether a job that is to run goes to a scheduler; a plan or a check on this machine waits for none that is there."""
    return not all(job.is_local for job in workflow.dag.needrun_jobs())
