# Names for all rules: the selected studies bound to the scale, where files lie, which wildcards exist.

import re
import sys
from dataclasses import asdict

LIBRARY = ROOT / "workflow" / "lib"
SCHEMAS = ROOT / "workflow" / "schemas"
STUDIES = ROOT / "workflow" / "studies"
SCALES = ROOT / "workflow" / "scales"

sys.path.insert(0, str(LIBRARY.resolve()))

from rlvr.adapters.methods import METHODS
from rlvr.core.errors import InputError
from rlvr.core.environment import prepare_environment
from rlvr.core.provenance import code_digest
from rlvr.core.schemas import check_against
from rlvr.data.fetching import Origin, check_origin
from rlvr.plan.claims import check_claims, load_claims, required_outputs
from rlvr.plan.labels import display_names
from rlvr.plan.layout import check_layout
from rlvr.plan.outputs import required_inputs
from rlvr.plan.outputs_file import load_outputs
from rlvr.plan.program import make_program, prompt_limits
from rlvr.plan.scale import load_scale
from rlvr.plan.selection import pair_facts, run_facts
from rlvr.plan.sources import find_source, load_registry
from rlvr.plan.statistics import EVIDENCE
from rlvr.plan.stand_ins import name_stand_ins
from rlvr.plan.study import checkpoint_name, load_study, study_names
from rlvr.report.figures import OPTIONS

prepare_environment()
check_against(config, SCHEMAS / "config.schema.yaml", "config.yaml")

RESULTS = f"results/{config['scale']}"
check_layout(RESULTS)

SCALE = load_scale(config["scale"], SCALES, SCHEMAS)
SOURCES = load_registry(ROOT / "data" / "sources.csv")


def load_study_by_name(name):
    """A study of the repository."""
    return load_study(name, STUDIES, SCHEMAS, METHODS)


PROGRAM = make_program(
    config["scale"],
    SCALE,
    config["tier"],
    [load_study_by_name(name) for name in config["studies"]],
    METHODS,
)
RUNS = PROGRAM.rows


STAND_INS = SCALE.get("stand_ins", {})


def load_study_outputs(study):
    """The tables and figures of a study, checked against its grid."""
    path = study.folder / "outputs.yaml"
    candidates = run_facts(study.rows, study.recipe) | pair_facts(study.pairs)
    outputs = load_outputs(path, candidates, OPTIONS, SCHEMAS / "outputs.schema.yaml")
    names = display_names(study.folder / "labels.csv")
    models = {names.get(model, model): stand_in for model, stand_in in STAND_INS.items()}
    return {key: name_stand_ins(output, PROGRAM.specs, models) for key, output in outputs.items()}


def load_study_claims(study):
    """The claims of a study, checked against its outputs."""
    path = study.folder / "claims.yaml"
    claims = load_claims(path, SCHEMAS / "claims.schema.yaml")
    check_claims(claims, OUTPUTS[study.name], path)
    return claims


OUTPUTS = {name: load_study_outputs(study) for name, study in PROGRAM.studies.items()}
CLAIMS = {name: load_study_claims(study) for name, study in PROGRAM.studies.items()}
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


def one_of(names):
    """A regular expression that matches exactly these names (and nothing when there are none)."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    study=one_of(PROGRAM.studies),
    run_id=one_of([*RUNS, *PROGRAM.bases]),
    model=one_of(SCALE["models"]),
    dataset=one_of(SCALE["datasets"]),
    suite=one_of(PROGRAM.suites),
    source="[a-z0-9.-]+",
    table=one_of(name for name in OUTPUT_NAMES if name.startswith("table")),
    figure=one_of(name for name in OUTPUT_NAMES if name.startswith("figure")),


def adapter_code(rule_name):
    """Digest of the adapter of a cheap rule and of all of `rlvr` that it reaches."""
    return code_digest(ROOT / "workflow" / "scripts" / f"{rule_name}.py")
