"""Four papers on adapters for RLVR, from raw data to the PDF. `snakemake --list` shows the targets."""

import os
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")

# Relative to the working directory: a project folder that is moved or copied keeps its finished results.
ROOT = Path(os.path.relpath(Path(str(workflow.current_basedir))))


report: "workflow/report/workflow.rst"


include: "workflow/rules/_common.smk"
include: "workflow/rules/_cluster.smk"
include: "workflow/rules/_failed.smk"
include: "workflow/rules/_inputs.smk"
include: "workflow/rules/_returning.smk"
include: "workflow/rules/0_environments.smk"
include: "workflow/rules/1_data.smk"
include: "workflow/rules/2_train.smk"
include: "workflow/rules/3_evaluate.smk"
include: "workflow/rules/_comparisons.smk"
include: "workflow/rules/4_spectra.smk"
include: "workflow/rules/5_parameters.smk"
include: "workflow/rules/5_audit.smk"
include: "workflow/rules/_evidence.smk"
include: "workflow/rules/_claims.smk"
include: "workflow/rules/_documents.smk"
include: "workflow/rules/6_paper.smk"
include: "workflow/rules/7_samples.smk"
include: "workflow/rules/7_verify.smk"
include: "workflow/rules/8_archive.smk"
include: "workflow/rules/_publishing.smk"
include: "workflow/rules/8_publish.smk"
include: "workflow/rules/9_targets.smk"
include: "workflow/rules/_warm.smk"


onstart:
    if workflow.is_main_process:
        forget_all(f"{RESULTS}/logs")
        if config["tier"] != FINISHED:
            forget_failures(RESULTS)
    look_once(workflow.scheduler, workflow.local_exec)
    start_jobs_warm()
    if not workflow.local_exec and workflow.is_main_process and submits_jobs():
        watch_queue()
        await_running_jobs(Path.cwd())


onerror:
    if workflow.is_main_process:
        go_on_without_failed()


rule all:
    """Every run trained, evaluated and measured; every table and figure; the PDF and the HTML report (default)."""
    default_target: True
    input:
        rules.evaluate.input,
        rules.spectra.input,
        rules.paper.input,
        rules.report.input,
        rules.claims.input,
        expand(rules.check_printed.output.csv, study=PROGRAM.studies),
        expand(rules.seal_paper.output.seal, study=PROGRAM.studies),
        rules.model_cards.input,
        rules.overview.input,


localrules:
    all,
