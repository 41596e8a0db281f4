# The configuration and names for all rules: the selected studies bound to the scale, where files lie, which wildcards exist.

import os
import re
import shlex
import subprocess
import sys
from dataclasses import asdict
from functools import cache

from snakemake.dag import DAG
from snakemake.jobs import Job
from snakemake.utils import update_config

LIBRARY = ROOT / "workflow" / "lib"
SCHEMAS = ROOT / "workflow" / "schemas"
STUDIES = ROOT / "workflow" / "studies"
SCALES = ROOT / "workflow" / "scales"

sys.path.insert(0, str(LIBRARY.resolve()))

from rlvr.core.grouped import run_group

run_group(sys.argv[1:])  # ends here in the call of a group of jobs on a node

from rlvr.adapters.methods import METHODS
from rlvr.bases.architectures import tiny_shapes
from rlvr.bases.own_folder import find_files
from rlvr.bases.shipped import is_installed
from rlvr.core.archive import bring_archive
from rlvr.core.descent import look_below_ancient
from rlvr.core.errors import InputError
from rlvr.core.environment import prepare_environment
from rlvr.core.failures import blamed, failed_files, forget_failures, note_failures
from rlvr.core.former_logs import keep_failed_logs
from rlvr.core.looking import look_once
from rlvr.core.nodes import prepare_node, use_hub_cache
from rlvr.core.publishing import check_known, check_target
from rlvr.core.queue import Watch, await_running_jobs
from rlvr.core.refusals import forget_all, is_refused
from rlvr.core.syntax import code_digest, keep_found
from rlvr.core.warm import keeper
from rlvr.core.schemas import load_yaml
from rlvr.core.writable import ask_for_places, check_places, check_temporary, check_tree, explained, written_by
from rlvr.data.fetching import Origin, check_origin
from rlvr.data.readers import READERS
from rlvr.plan.alternatives import one_of
from rlvr.plan.binding import prompt_limits
from rlvr.plan.claims import claimed_outputs, places_of, required_datasets, required_figures
from rlvr.plan.configuration import check_engine, typed, with_config
from rlvr.plan.freshness import spec_content, triples_wanted
from rlvr.plan.kept_steps import kept_ids, with_kept
from rlvr.plan.labels import display_names
from rlvr.plan.launch import Launch, check_budget, selected_rows
from rlvr.plan.outputs import required_inputs, used_runs
from rlvr.plan.program import FINISHED, finished_runs
from rlvr.plan.run_texts import describe_run
from rlvr.plan.selection import BASE_SUFFIX, run_facts
from rlvr.plan.shapes import model_shapes
from rlvr.plan.siblings import among, families, printed_spreads, relatives, seeds_of, siblings
from rlvr.plan.sources import find_source, with_solutions
from rlvr.plan.staleness import settle_samples, settle_specs, stale_lines, was_drawn
from rlvr.plan.starts import start_shapes
from rlvr.plan.statistics import EVIDENCE, FIRST_STEPS
from rlvr.plan.study import ancestors, checkpoint_name, load_study, study_names
from rlvr.plan.tags import tag_rows
from rlvr.plan.workspace import Vocabulary, check_config_files, load_workspace
from rlvr.prompts import TEMPLATES
from rlvr.report.figures import OPTIONS

prepare_environment()
look_below_ancient(DAG)
keep_failed_logs(Job)


def or_stop(read, *arguments):
    """The result of a function; what is wrong in a user's files ends the call with one sentence, without a traceback."""
    try:
        return read(*arguments)
    except (InputError, OSError) as error:
        told = explained(error, ROOT)
        if not isinstance(told, InputError):
            raise
        sys.exit(f"InputError: {told}")


def or_print(do, *arguments):
    """Call a function at the end of a call that failed already; what keeps it from its work is a sentence more."""
    try:
        do(*arguments)
    except (InputError, OSError) as error:
        print(f"InputError: {explained(error, RESULTS)}", file=sys.stderr)


own_config = ROOT / "config.yaml"
or_stop(check_config_files, [*workflow.overwrite_configfiles, *([own_config] if own_config.exists() else [])])


configfile: str(own_config)


update_config(config, typed(workflow.config_settings.config, or_stop(load_yaml, SCHEMAS / "config.schema.yaml")))

# read by `rlvr.train.tracking`; no run is another one by it
os.environ.update({"RLVR_TRACKER": str(config.get("tracker", ""))})


WORDS = Vocabulary(METHODS, OPTIONS, TEMPLATES, READERS, tiny_shapes())
WORKSPACE = or_stop(load_workspace, config, ROOT, f"results/{config.get('scale')}", WORDS)
RESULTS = f"results/{config['scale']}"
PROGRAM, SOURCES, OUTPUTS, CLAIMS = WORKSPACE.program, WORKSPACE.sources, WORKSPACE.outputs, WORKSPACE.claims
SCALE, RUNS, KEPT = PROGRAM.scale, PROGRAM.rows, PROGRAM.kept_here
SHAPES = start_shapes(SCALE, PROGRAM.tier)


def load_study_by_name(name):
    """A study of the repository."""
    return load_study(name, STUDIES, SCHEMAS, METHODS)


STAND_INS = SCALE.get("stand_ins", {})
or_stop(check_engine, config, SCALE, config["scale"])
if workflow.is_main_process:
    ask_for_places(DAG)
    trained = [*RUNS, *KEPT]
    names = dict.fromkeys(("logs", "specs", "spectra", "parameters"), [])
    names |= {"data": SCALE["datasets"], "models": SCALE["models"], "paper": PROGRAM.studies}
    or_stop(check_tree, Path(RESULTS), names | {"train": trained, "evaluate": [*trained, *PROGRAM.bases]})
    print(or_stop(check_temporary), end="", file=sys.stderr)
    if config["artefacts"]["train"] == "fetch":
        or_stop(bring_archive, config["artefacts"].get("archive", ""), Path(RESULTS))
    or_stop(settle_samples, {run_id: PROGRAM.run_suites(run_id) for run_id in trained}, Path(RESULTS))
    print(
        *(f"{run_id} is left out: it {reason}." for run_id, reason in PROGRAM.unfit.items()),
        *(f"{run_id} is left out: {reason}." for run_id, reason in PROGRAM.absent.items()),
        sep="\n",
        end="",
        file=sys.stderr,
    )
    if set(PROGRAM.studies) != set(config["studies"]):
        print(f"Scale {config['scale']} has studies of its own: {', '.join(PROGRAM.studies)}.", file=sys.stderr)
    specs = {run_id: spec for run_id, spec in PROGRAM.specs.items() if run_id not in PROGRAM.kept}
    STALE = or_stop(settle_specs, specs, Path(RESULTS), SCALES)
    for line in stale_lines(STALE):
        print(line, file=sys.stderr)
else:
    STALE = {}  # a job writes what it was asked for

TABLES = {study: [key for key, each in outputs.items() if each.is_table] for study, outputs in OUTPUTS.items()}
FIGURES = {study: [key for key, each in outputs.items() if not each.is_table] for study, outputs in OUTPUTS.items()}
OUTPUT_NAMES = sorted({key for outputs in OUTPUTS.values() for key in outputs})

RANK_DIVISOR = SCALE["factors"]["rank_divisor"]
SCOPE = {
    "scale": config["scale"],
    "comparable": SCALE["comparable"],
    "stand_ins": STAND_INS,
    "remark": f"Ranks and α are the printed ones divided by {RANK_DIVISOR}." if RANK_DIVISOR > 1 else "",
}


wildcard_constraints:
    study=one_of(PROGRAM.studies),
    run_id=one_of([*RUNS, *KEPT, *PROGRAM.bases]),
    model=one_of(SCALE["models"]),
    dataset=one_of(SCALE["datasets"]),
    suite=one_of(PROGRAM.suites),
    source="[a-z0-9.-]+",
    benchmark=one_of(SCALE["datasets"]),
    table=one_of(name for name in OUTPUT_NAMES if name.startswith("table")),
    figure=one_of(name for name in OUTPUT_NAMES if name.startswith("figure")),


def adapter_code(rule_name):
    """Digest of the adapter of a cheap rule and of all of `rlvr` that it reaches."""
    return code_digest(ROOT / "workflow" / "scripts" / f"{rule_name}.py")
