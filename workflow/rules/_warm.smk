# Jobs on this machine as forks of one process that has loaded the libraries: the results without the imports (rlvr.core.warm).


WARM = {  # what is loaded for the jobs of a rule; those of other rules are started as always
    "train_run": ["rlvr.train.run"],
    "generate_samples": ["rlvr.evaluate.sampling", "rlvr.evaluate.engines.transformers_engine"],
    "measure_run": ["rlvr.spectra.diagnostics", "rlvr.spectra.measure"],
    "grade_samples": ["rlvr.evaluate.grades", "rlvr.grading.grade_cache", "rlvr.grading.warm_worker"],
    "score_run": ["rlvr.evaluate.scoring"],
    "check_run": ["rlvr.train.recorded"],
    "write_spec": ["rlvr.core.io"],
    "tabulate_output": ["rlvr.report.evidence", "rlvr.report.files"],
    "plot_output": ["rlvr.report.evidence", "rlvr.report.plotting"],
}
SNAKEMAKES = ["snakemake.iocontainers", "snakemake.logging"]  # what its scripts import


def warm_name(rule):
    """How a job of a rule is known to what starts it: by its script, or by the module that it runs."""
    return MODULE_RUN.get(rule, rule)


def start_jobs_warm():
    """From here on jobs are forked, if they run on this machine and are many."""
    if config["warm_jobs"] and workflow.is_main_process and workflow.local_exec:
        modules = {warm_name(rule): [*SNAKEMAKES, *names] for rule, names in WARM.items()}
        planned = [warm_name(job.rule.name) for job in workflow.dag.needrun_jobs()]
        starter = keeper.start(modules, planned, shell.get_executable())
        shell.executable(starter or shell.get_executable())


onstart:
    start_jobs_warm()
