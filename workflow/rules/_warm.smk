# Jobs on this machine as forks of one process that has loaded the libraries: the results without the imports (rlvr.core.warm).

from rlvr.core.command_line import target_rules
from snakemake.logging import logger

CHECKING_TABLES = ["rlvr.core.first_table", "pandera.strategies.pandas_strategies"]
LOADING_MODELS = [  # what transformers and peft import at the first load of a model
    *(f"transformers.models.{name}.modeling_{name}" for name in tiny_shapes()),
    "rlvr.bases.first_load",
    "peft.utils.transformers_weight_conversion",
]
ATTACHING = ["rlvr.adapters.low_rank", "rlvr.adapters.quanta", "torch.utils.serialization"]
WARM = {  # what is loaded for the jobs of a rule; those of other rules are started as always
    "train_run": ["typer", "rlvr.core.refusals", "rlvr.train.run", *LOADING_MODELS, *ATTACHING],
    "generate_samples": [
        "rlvr.evaluate.sampling",
        "rlvr.evaluate.engines.transformers_engine",
        *LOADING_MODELS,
        *ATTACHING,
    ],
    "factor_base": ["rlvr.spectra.bases"],
    "measure_frozen": ["rlvr.spectra.frozen"],
    "measure_start": ["rlvr.spectra.starts"],
    "count_parameters": ["rlvr.train.footprint"],
    "measure_run": ["rlvr.spectra.diagnostics", "rlvr.spectra.measure"],
    "mask_run": ["rlvr.spectra.footprints"],
    "grade_samples": ["rlvr.evaluate.grades", "rlvr.grading.grade_cache", "rlvr.grading.warm_worker"],
    "write_card": ["rlvr.report.model_cards"],
    "score_run": ["rlvr.evaluate.scoring", "scipy.special"],
    "check_run": ["rlvr.train.recorded"],
    "write_spec": ["rlvr.core.io"],
    "tabulate_output": ["rlvr.report.evidence", "rlvr.report.files"],
    "plot_output": ["rlvr.report.evidence", "rlvr.report.plotting"],
}
FORKS = "Jobs are forks of one loaded process."
LARGE_GROUP, LONGEST_LOADING_S = 4, 600.0
SNAKEMAKES = ["snakemake.iocontainers", "snakemake.logging"]  # what its scripts import


def warm_name(rule):
    """By what name jobs are known to their starter, which is that of their script or of the module that they run."""
    return MODULE_RUN.get(rule, rule)


def start_warm(planned, **options):
    """Start the server for planned rules; from here on their jobs are forked, if they are many."""
    modules = {warm_name(rule): [*SNAKEMAKES, *CHECKING_TABLES, *names] for rule, names in WARM.items()}
    starter = keeper.start(modules, map(warm_name, planned), shell.get_executable(), **options)
    shell.executable(starter or shell.get_executable())
    return bool(starter)


def start_jobs_warm():
    """Fork what runs on this machine: every job or, where jobs are submitted, those of local rules."""
    if config["warm_jobs"] and workflow.is_main_process:
        here = [job for job in workflow.dag.needrun_jobs() if workflow.local_exec or job.is_local]
        started = start_warm([job.rule.name for job in here])
        logger.info(FORKS if started else "Jobs are few: each loads what it needs.")


def start_group_warm():
    """Fork the jobs of a group on a node, where the group is large and has no environments of its own.

    Hooks are off there. Of the two calls of Snakemake that a job of Slurm is, the one without an executor runs the jobs.
    """
    own = workflow.deployment_settings.deployment_method
    if config["warm_jobs"] and workflow.remote_exec and not own and "slurm-jobstep" not in sys.argv:
        if start_warm(target_rules(sys.argv), many=LARGE_GROUP, wait_s=LONGEST_LOADING_S):
            print(FORKS, file=sys.stderr)


start_group_warm()
