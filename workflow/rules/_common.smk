# Names for all rules: the study bound to the scale, where files lie, which wildcards exist.

import re
import sys
from dataclasses import asdict

LIBRARY = ROOT / "workflow" / "lib"
SCHEMAS = ROOT / "workflow" / "schemas"
STUDIES = ROOT / "workflow" / "studies"

sys.path.insert(0, str(LIBRARY.resolve()))

from rlvr.adapters.methods import METHODS
from rlvr.core.environment import prepare_environment
from rlvr.core.provenance import code_digest
from rlvr.core.schemas import check_against
from rlvr.plan.sources import find_source, load_registry
from rlvr.data.fetching import Origin, check_origin
from rlvr.plan.study import load_study
from rlvr.plan.claims import check_claims, load_claims, required_outputs
from rlvr.plan.outputs import check_outputs, load_outputs, required_inputs

prepare_environment()
check_against(config, SCHEMAS / "config.schema.yaml", "config.yaml")

STUDY_DIR = STUDIES / config["study"]
SCALE_FILE = ROOT / "workflow" / "scales" / f"{config['scale']}.yaml"
STUDY = load_study(config["study"], config["tier"], SCALE_FILE, STUDIES, SCHEMAS, METHODS)
SCALE = STUDY.scale
SOURCES = load_registry(ROOT / "data" / "sources.csv")
OUTPUTS = load_outputs(STUDY_DIR / "outputs.yaml", SCHEMAS / "outputs.schema.yaml")
check_outputs(OUTPUTS, STUDY.grid, STUDY_DIR / "outputs.yaml")
TABLES = [name for name in OUTPUTS if name.startswith("table")]
FIGURES = [name for name in OUTPUTS if name.startswith("figure")]
PRINTED_OUTPUTS = [name for name, output in OUTPUTS.items() if output.reported]
CLAIMS = load_claims(STUDY_DIR / "claims.yaml", SCHEMAS / "claims.schema.yaml")
check_claims(CLAIMS, OUTPUTS, STUDY_DIR / "claims.yaml")
RESULTS = f"results/{config['scale']}"

RANK_DIVISOR = SCALE["train"]["rank_divisor"]
SCOPE = {
    "scale": config["scale"],
    "comparable": SCALE["comparable"],
    "remark": f"Ranks and α are the printed ones divided by {RANK_DIVISOR}." if RANK_DIVISOR > 1 else "",
}


def one_of(names):
    """A regular expression that matches exactly these names (and nothing when there are none)."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    run_id=one_of([*STUDY.rows, *STUDY.bases]),
    model=one_of(SCALE["models"]),
    dataset=one_of(SCALE["datasets"]),
    suite=one_of(SCALE["suites"]),
    source="[a-z0-9.-]+",
    table=one_of(TABLES),
    figure=one_of(FIGURES),


def adapter_code(rule_name):
    """Digest of the adapter of a cheap rule and of all of `rlvr` that it reaches."""
    return code_digest(ROOT / "workflow" / "scripts" / f"{rule_name}.py")
