"""The list of wrong configurations that once passed or were refused badly: each ends with one sentence that says where.

Most are read by the library as the Snakefile reads them; snakemake itself is asked where its own part counts.
"""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Checkout

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from configured import BIBLIOGRAPHY, FOLDER, TINY, Configured, copy_configuration

from rlvr.core.command_line import check_command_line
from rlvr.core.errors import InputError
from rlvr.plan.outputs import used_runs

GRID, STUDY = f"{FOLDER}/grid.csv", f"{FOLDER}/study.yaml"
SHARED, OUTPUTS, FIGURES, SUPPLEMENTS, APPENDICES = (
    f"{FOLDER}/outputs/{name}.yaml" for name in ("shared", "results", "figures", "supplements", "appendices")
)
CLAIMS, LABELS, REPORTED = f"{FOLDER}/claims.yaml", f"{FOLDER}/labels.csv", f"{FOLDER}/reported/table4.csv"
FACTS, COUNTS = f"{FOLDER}/facts.yaml", f"{FOLDER}/reported/parameters.csv"
SOURCES, PAPER = "data/sources.csv", "workflow/scales/paper.yaml"
GRID_FILE = Path(__file__).resolve().parents[2] / GRID
HEADER, *GRID_ROWS = GRID_FILE.read_text().splitlines()
DORA = next(line for line in GRID_ROWS if line.startswith("core,qwen3-8b,deepmath-hard,dora,"))


def row(**cells: str) -> str:
    """A row that works, with changed cells."""
    good = dict(zip(HEADER.split(","), DORA.split(","), strict=True))
    return ",".join({**good, **cells}.values())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Configured:
    """A copy of the files of configuration."""
    return copy_configuration(tmp_path_factory.mktemp("configuration"))


def test_the_files_as_they_are_are_accepted(files: Configured) -> None:
    for scale in ("tiny", "paper"):
        assert files.refusal(scale=scale) == ""
    assert files.refusal(scale="realdata", studies=[]) == ""
    assert files.refusal(tier="full", scale="paper", studies=["structure-over-scale", "peft-for-rlvr"]) == ""


# What of the configuration is another, and words of the message.
CONFIGURATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "a path for a study": ({"studies": ["../studies/structure-over-scale"]}, "study '../studies/"),
    "a dot for a study": ({"studies": ["."]}, "study '.' is not there. Known: lessons, off"),
    "a study twice": ({"studies": ["structure-over-scale"] * 2}, "key 'studies'"),
    "a number for a study": ({"studies": [3]}, "key 'studies.0'"),
    "the name of the older key": ({"study": "structure-over-scale"}, "'study' was unexpected"),
    "a path for a scale": ({"scale": "../scales/tiny"}, "scale '../scales/tiny'"),
    "no scale": ({"scale": None}, "key 'scale'"),
    "an unknown tier": ({"tier": "ful"}, "key 'tier'"),
    "an unknown engine": ({"engine": "vlm"}, "key 'engine'"),
    "a word for the sources": ({"sources": "mirror"}, "key 'sources'"),
    "a mirror without a folder": ({"sources": {"origin": "mirror", "mirror_dir": ""}}, "sources.mirror_dir"),
    "a mirror that is not there": (
        {"sources": {"origin": "scale", "mirror_dir": "no/such"}},
        "'no/such' is not a folder",
    ),
    "a mirror that is a file": ({"sources": {"origin": "mirror", "mirror_dir": __file__}}, "is not a folder"),
    "a pair that is a file": ({"pairs": {"mine": {"base": ".", "tuned": __file__}}}, "pair 'mine': tuned"),
    "a pair that is not there": ({"pairs": {"mine": {"base": "no/such", "tuned": "."}}}, "base 'no/such'"),
    "a pair with braces": ({"pairs": {"mine": {"base": "results/{x}", "tuned": "."}}}, "has braces"),
    "a pair without a side": ({"pairs": {"mine": {"base": "."}}}, "'tuned' is a required"),
    "a pair of an odd name": ({"pairs": {"../x": {"base": ".", "tuned": "."}}}, "key 'pairs'"),
    "a pair of a long name": ({"pairs": {"x" * 101: {"base": ".", "tuned": "."}}}, "key 'pairs'"),
    "a cache that is a file": ({"grade_cache": __file__}, "key 'grade_cache'"),
    "a cache below a file": ({"hub_cache": f"{__file__}/x"}, "test_wrong_configurations.py' is not a folder"),
    "a scratch with a line break": ({"scratch": "/tmp\n/x"}, "control character"),
    "completions of a run that is not there": (
        {"samples": {"runs": ["no-such_run"], "problems": 3, "characters": 2000}},
        "no selected study has a run 'no-such_run'",
    ),
    "pairs whose files collide": (
        {"pairs": {"x": {"base": ".", "tuned": "."}, "x_diagnostics": {"base": ".", "tuned": "."}}},
        "the files of pair 'x_diagnostics' would be those of pair 'x'",
    ),
}


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_a_wrong_configuration(files: Configured, case: str) -> None:
    changes, words = CONFIGURATIONS[case]
    assert words in files.refusal(**changes)


# A file, a text in it, what stands there instead, and words of the message beside the file's name.
EDITS: dict[str, tuple[str, str, str, str]] = {
    "config.yaml: a key twice": ("config.yaml", "tier: core", "scale: tiny\ntier: core", "'scale' appears twice"),
    # grid
    "grid: rank above the weights": (
        GRID,
        DORA,
        row(rank="100000"),
        "rank 12500 does not fit the weight of k_proj, 32 x 64. Choose a rank of at most 32",
    ),
    "grid: rank in Arabic digits": (GRID, DORA, row(rank="\u0661\u0666"), "column 'rank' holds"),
    "grid: alpha in Arabic digits": (GRID, DORA, row(alpha="\u0662r"), "column 'alpha' holds"),
    "grid: rank 1_6": (GRID, DORA, row(rank="1_6"), "column 'rank' holds '1_6'"),
    "grid: rank of 5000 digits": (GRID, DORA, row(rank="9" * 5000), "is too long"),
    "grid: alpha 1e400": (GRID, DORA, row(alpha="1e400"), "not a finite number"),
    "grid: alpha nan": (GRID, DORA, row(alpha="nan"), "column 'alpha' holds 'nan'"),
    "grid: seed 2**32": (GRID, DORA, row(seed=str(2**32)), "key 'seed'"),
    "grid: seed 2**70": (GRID, DORA, row(seed=str(2**70)), "key 'seed'"),
    "grid: seed -1": (GRID, DORA, row(seed="-1"), "key 'seed'"),
    "grid: seed missing": (GRID, DORA, row(seed=""), "'seed' is a required"),
    "grid: model missing": (GRID, DORA, row(model=""), "'model' is a required"),
    "grid: odd model": (GRID, DORA, row(model="../qwen"), "its run id would be '../qwen"),
    "grid: axes that the scale lacks": (GRID, DORA, row(method="quanta", rank="", alpha="", axes="5"), "quanta_dims"),
    "grid: batches that groups do not fill": (
        GRID,
        DORA,
        row(completions_per_step="60"),
        "not a multiple of group_size",
    ),
    "grid: unknown benchmark's data": (GRID, DORA, row(dataset="aime-2025-2026", model="gpt"), "model 'gpt'"),
    "grid: a column twice": (GRID, "tier,model", "tier,seed,model", "column 'seed' appears twice"),
    "grid: too many cells": (GRID, DORA, DORA + ",,", "more cells than the header"),
    "grid: a quotation mark open": (GRID, DORA, row(tier='"core'), "column 'tier' holds the control character"),
    "grid: NUL": (GRID, DORA, row(model="qwen3-8b\0"), "control character"),
    # study
    "study: rate .inf": (STUDY, "default: 1.0e-5", "default: .inf", "inf is not a finite number"),
    "study: rate .nan": (STUDY, "default: 1.0e-5", "default: .nan", "nan is not a finite number"),
    "study: rate 1e-5": (STUDY, "default: 1.0e-5", "default: 1e-5", "YAML reads this as text"),
    "study: rate 7": (STUDY, "default: 1.0e-5", "default: 7", "at most 1"),
    "study: rate of an unknown family": (STUDY, "    sparse: 1.0e-6", "    sparce: 1.0e-6", "family 'sparce'"),
    "study: temperature .nan": (STUDY, "temperature: 1.0", "temperature: .nan", "'recipe.temperature': nan"),
    "study: top_p 0": (STUDY, "top_p: 1.0", "top_p: 0", "'recipe.top_p'"),
    "study: a key twice": (STUDY, "kl_beta: 0.0", "kl_beta: 0.0\n  epochs: 2", "'epochs' appears twice"),
    "study: a recipe from nowhere": (STUDY, "algorithm: grpo ", "from: nowhere\n  algorithm: grpo ", "'nowhere'"),
    "study: a benchmark of no scale": (STUDY, "  math: {", "  mth: {", "benchmark 'mth' is not known"),
    "study: a citation of no entry": (STUDY, "citation: structure", "citation: structur", "citation 'structur'"),
    "study: lengths above the model": (
        TINY,
        "max_prompt_tokens: 64, max_completion_tokens: 24",
        "max_prompt_tokens: 1000000, max_completion_tokens: 1000000",
        "the model has 4096 positions",
    ),
    "study: a run id above 200 characters": (STUDY, 'protocol: ""', f"run_tag: {'x' * 180}", "at most 200"),
    "study: a title with a direction mark": (
        STUDY,
        'title: "Struc',
        'title: "\u202eStruc',
        "invisible character '\\u202e'",
    ),
    "study: a title with an escape": (STUDY, 'title: "Struc', 'title: "\\e[31mStruc', "invisible character '\\x1b'"),
    "study: a tag with a line break": (STUDY, 'protocol: ""', 'protocol: "a\\n"', "'protocol'"),
    # scale
    "scale: more processes than GPUs": (TINY, "devices: 0 ", "devices: 64 ", "resources.train.gpu 0"),
    "scale: a GPU that nobody uses": (TINY, "train: {gpu: 0", "train: {gpu: 1", "settings.devices is 0"),
    "scale: more held out than rows": (
        TINY,
        "synthetic_rows: 6000",
        "synthetic_rows: 200",
        "256 problems of 200",
    ),
    "scale: a source twice": (TINY, "[deepmath-103k]", "[deepmath-103k, deepmath-103k]", "non-unique"),
    "scale: a mask of nothing": (TINY, "mask_share: 0.5", "mask_share: 0", "'spectra.diagnostics.mask_share'"),
    "scale: a mask of everything": (TINY, "mask_share: 0.5", "mask_share: 1", "'spectra.diagnostics.mask_share'"),
    "scale: a key twice": (TINY, "template: compact", "template: compact\ntemplate: r1_zero", "appears twice"),
    "scale: first steps on an unknown benchmark": (
        TINY,
        "first_steps: {benchmark: math-500",
        "first_steps: {benchmark: math-5",
        "benchmark 'math-5' is not known",
    ),
    "scale: template unknown": (TINY, "template: compact", "template: compct", "template 'compct'"),
    "scale: source unknown": (TINY, "sources: [skywork-or1]", "sources: [skywork-or2]", "source 'skywork-or2'"),
    "scale: factor of an unknown family": (TINY, "full: 30}", "ful: 30}", "family 'ful'"),
    "scale: a factor that makes a rate of 10,000": (TINY, "full: 30}", "full: 1.0e+9}", "at most 1"),
    "scale: more held out than there are rows": (
        TINY,
        "minimum_difficulty: null\n    eval_problems: 256          # ASSUME: not printed; 7",
        "minimum_difficulty: null\n    eval_problems: 256000       # ASSUME: not printed; 7",
        "256000 problems of 700 rows",
    ),
    "scale: factor .nan": (TINY, "full: 30}", "full: .nan}", "not a finite number"),
    "scale: sampling of an unknown benchmark": (TINY, "sampling:  ", "sampling:\n  mth: {}\n#", "benchmark 'mth'"),
    "scale: dims of another product": (TINY, "3: [4, 4, 4]", "3: [4, 4, 3]", "quanta_dims [4, 4, 3] does not fit"),
    "scale: dims of another number": (TINY, "3: [4, 4, 4]", "3: [8, 8]", "3 has the dims [8, 8]"),
    "scale: fewer problems than a step": (TINY, "max_train_problems: 160", "max_train_problems: 4", "at most 4"),
    "scale: principal rank above a side": (
        TINY,
        "principal_rank: 4 ",
        "principal_rank: 1000 ",
        "principal_rank is 1000",
    ),
    "scale: directions above a side": (TINY, "top_directions: 16", "top_directions: 999", "top_directions is 999"),
    "scale: a depth below the last layer": (
        TINY,
        "decomposed_depths: null",
        "decomposed_depths: [1.5]",
        "0 for the first layer",
    ),
    "scale: a path for a model": (TINY, "  apertus-8b:", "  ../../x:", "'../../x' does not match"),
    "scale: a blank in a model": (TINY, "  apertus-8b:", "  apertus 8b:", "'apertus 8b' does not match"),
    "scale: a data set with underscores": (TINY, "  skywork-hard:", "  sky_work:", "'sky_work' does not match"),
    "scale: seed 2**32": (
        TINY,
        "  batch_completions: 512\n  seed: 0",
        f"  batch_completions: 512\n  seed: {2**32}",
        "seed",
    ),
    "scale: huge": (TINY, "frozen_values: 64", "frozen_values: 1" + "0" * 30, "too large"),
    "scale: a suite named like a set": (TINY, "  puzzles: [enigmata-eval]", "  math: [enigmata-eval]", "suite 'math'"),
    "scale: level unknown": (
        TINY,
        "    strata:\n",
        "    strata:\n      unlabelled: {x: harder}\n",
        "level 'harder'",
    ),
    "scale: a level that no row has": (TINY, "{difficulty: 3,", "{difficulty: 7,", "strata.levels.hard"),
    "scale: two levels alike": (TINY, "{difficulty: 3,", "{difficulty: 2,", "levels 'medium' and 'hard'"),
    "scale: difficulty above the scale": (TINY, "difficulty: 8.5", "difficulty: 100", "rated 1 to 10"),
    "scale: difficulty below the scale": (TINY, "minimum_difficulty: 13", "minimum_difficulty: -1", "rated 0 to 16"),
    "scale: a list": (TINY, "comparable: false", "- a\n- b", "not valid YAML"),
    "scale: from nowhere": ("workflow/scales/realdata.yaml", "from: tiny", "from: ../tiny", "scale '../tiny'"),
    # outputs
    "outputs: an output twice": (OUTPUTS, "table5:\n", "table4:\n", "declares 'table4', which is declared above, too"),
    "outputs: unknown benchmark": (
        OUTPUTS,
        "  benchmark: deepmath-hard",
        "  benchmark: deepmth",
        "benchmark 'deepmth'",
    ),
    "outputs: a column that selects nothing": (
        SHARED,
        "ratio: &ratio {alpha_ratio: 2}",
        "ratio: &ratio {alpha_ratio: 3}",
        "alpha_ratio 3",
    ),
    "outputs: unknown statistic": (
        SHARED,
        "statistic: trainable_parameters}",
        "statistic: parameters}",
        "'parameters'",
    ),
    "outputs: unknown method": (
        SHARED,
        "where: {method: lora}, each",
        "where: {method: lorra}, each",
        "method 'lorra'",
    ),
    "outputs: a word for nothing": (
        FIGURES,
        "words: {target_modules: {all_linear: linear}}",
        "words: {target_modules: {all_lin: linear}}",
        "'target_modules: all_lin'",
    ),
    "outputs: unknown model of a figure": (FIGURES, "models: [apertus-8b", "models: [apertus-9b", "model 'apertus-9b'"),
    "outputs: unknown series": (FIGURES, "series: lora-ratio", "series: lora-ratiox", "series 'lora-ratiox'"),
    "outputs: unknown quantity": (
        FIGURES,
        "quantity: attained_share",
        "quantity: atained_share",
        "'atained_share' is not one of",
    ),
    "outputs: unknown data set of a figure": (
        FIGURES,
        "{dataset: deepmath-hard, header: Diff",
        "{dataset: deepmth, header: Diff",
        "data set 'deepmth'",
    ),
    "outputs: a criterion against no row": (SUPPLEMENTS, "above: full}", "above: ful}", "names the row 'ful'"),
    "outputs: a printed column of nobody": (APPENDICES, "printed: effective_rank}", "printed: rank}", "column 'rank'"),
    "outputs: a thousand digits": (APPENDICES, "decimals: 2}", "decimals: 1000}", "decimals"),
    "outputs: a number that is a truth": (
        APPENDICES,
        "{alpha_ratio: 2, seed",
        "{alpha_ratio: true, seed",
        "alpha_ratio",
    ),
    "outputs: a seed that is nothing": (APPENDICES, "{alpha: 32, seed: 42}", "{alpha: 32, seed: null}", "seed None"),
    "outputs: a step below zero": (FIGURES, "step: 200", "step: -200", "plot.marks.0.step"),
    "outputs: a shape that is a number": (FIGURES, "shapes: [64x64", "shapes: [64", "plot.shapes.0"),
    "outputs: a shape of three sides": (FIGURES, "shapes: [64x64", "shapes: [64x64x64", "plot.shapes.0"),
    "outputs: counts of no study": (SUPPLEMENTS, "{study: structure", "{study: structur", "study 'structur"),
    # other files of the study
    "claims: unknown cell": (
        CLAIMS,
        "table4/lora-r64/accuracy_<alpha>",
        "table4/lora-r65/accuracy_<alpha>",
        "claim 'rank-cliff-ratio' names the cell 'table4/lora-r65/accuracy_ratio'",
    ),
    "claims: unknown reading": (CLAIMS, "reading: alpha", "reading: beta", "reading 'beta'. Known: alpha"),
    "claims: word of no reading": (CLAIMS, "_<alpha>, op", "_<beta>, op", "accuracy_<beta>', which is not there"),
    "claims: unknown curve": (CLAIMS, "figure6/constant", "figure6/steady", "the curve 'figure6/steady'"),
    "claims: unknown model": (CLAIMS, "base/qwen3-8b/", "base/qwen4-8b/", "the base 'base/qwen4-8b/deepmath-hard'"),
    "claims: unknown benchmark": (CLAIMS, "qwen3-8b/deepmath-hard", "qwen3-8b/deepmth", "'base/qwen3-8b/deepmth'"),
    "claims: unknown count": (CLAIMS, "data/skywork-hard/cut", "data/skywork-hard/cat", "has: cut, easy"),
    "claims: half of what is not printed": (
        CLAIMS,
        "right: *untrained}",
        "right: *untrained, margin: half_printed}",
        "'base/qwen3-8b/deepmath-hard' is not printed",
    ),
    "claims: margin .nan": (CLAIMS, "{half_of: 68.4", "{half_of: .nan", "not a finite number"),
    "claims: margin without a reason": (CLAIMS, "{assume: 50, because: ", "{assume: 50, why: ", "'why' was unexpected"),
    "labels: series missing": (LABELS, "lora-ratio,", "lora-raio,", "no line for series 'lora-ratio'"),
    "labels: a series that nothing draws": (
        LABELS,
        "dora,DoRA,#D55E00,",
        "dorra,DoRA,#D55E00,s,full,-\ndora,DoRA,#D55E00,",
        "series or model 'dorra' is not known",
    ),
    "labels: bad colour": (LABELS, "#D55E00", "D55E0", "colour 'D55E0'"),
    "labels: no name": (LABELS, "dora,DoRA,", "dora,,", "has no key or no name"),
    "labels: no key": (LABELS, "dora,DoRA,", ",DoRA,", "has no key or no name"),
    "labels: a direction mark": (LABELS, "dora,DoRA,", "dora,Do\u202eRA,", "control character"),
    "facts: a count of nobody": (
        FACTS,
        "table 3 | FFT | qwen3-8b",
        "table 3 | FFT | qwen4-8b",
        "counted 'table 3 | FFT | qwen4",
    ),
    "facts: recorded by nobody": (FACTS, "settings/group_size", "settings/gruop_size", "has no 'gruop_size'"),
    "facts: a direction mark": (FACTS, "labels: [", "labels: [\u2067", "invisible character"),
    "labels: bad marker": (LABELS, ",s,full,-.", ",sq,full,-.", "marker 'sq'"),
    "reported: a word": (REPORTED, "lora-r8,", "lora-r8,seventy", "seventy"),
    "reported: unknown row": (REPORTED, "lora-r8,", "lora-r9,", "lora-r9"),
    "reported: no column of rows": (REPORTED, "row,", "rows,", "column 'row' is missing"),
    "reported: Arabic digits": (REPORTED, "lora-r8,", "lora-r8,\u0661", "is not a number"),
    # what selects nothing
    "scale: rotated in no layer": (
        TINY,
        "rotated_layers: [0], permuted_layers: []",
        "rotated_layers: [], permuted_layers: []",
        "model 'qwen3-4b-base-turned' is rotated in no layer",
    ),
    "scale: a factor of a study that is not there": (
        TINY,
        "{off-the-principals: {full",
        "{off-the-principal: {full",
        "key 'factors.studies': study 'off-the-principal'",
    ),
    "study: evaluated on behalf of runs that are not there": (
        STUDY,
        "out_of_distribution: true",
        "out_of_distribution: [gsm8k]",
        "key 'out_of_distribution': data set of the study's runs 'gsm8k' is not known",
    ),
    "grid: no row of the tier": (
        GRID,
        GRID_FILE.read_text(),
        re.sub("^(core|seeds),", "full,", GRID_FILE.read_text(), flags=re.MULTILINE),
        "tier 'core' takes none of its rows",
    ),
    # printed counts, which a target of its own reads
    "counts: a word": (
        COUNTS,
        ",lora,8,16,,all_linear,parameters,22M",
        ",lora,8,16,,all_linear,parameters,many",
        "'many'",
    ),
    "counts: Arabic digits": (COUNTS, ",lora,8,16,", ",lora,\u0661,16,", "column 'rank' holds"),
    "counts: a rank that is none": (COUNTS, ",lora,8,16,", ",lora,nan,16,", "column 'rank' holds 'nan'"),
    "counts: unknown method": (COUNTS, ",lora,8,16,", ",lorra,8,16,", "unknown method 'lorra'"),
    "counts: a setting too many": (COUNTS, ",lora,8,16,,", ",lora,8,16,3,", "has no setting 'axes'"),
    "counts: unknown unit": (COUNTS, "parameters,22M", "weights,22M", "unit 'weights'"),
    # sources
    "sources: a mirror's file outside": (SOURCES, "dapo/svs_dapo", "../svs_dapo", "outside its repository or mirror"),
    "sources: an absolute file": (SOURCES, "dapo/svs_dapo", "/etc/svs_dapo", "outside its repository or mirror"),
    "sources: a repository that is a path": (SOURCES, "zwhe99/DeepMath-103K", "../x", "outside its repository"),
    "sources: unknown reader": (SOURCES, ",deepmath,", ",depmath,", "reader 'depmath'"),
    "sources: a column missing": (SOURCES, "source,repository", "source,repo", "has the columns"),
    "sources: Arabic digits": (SOURCES, ",103022,", ",\u0661,", "is not a count"),
}


@pytest.mark.parametrize("case", EDITS)
def test_a_wrong_file(files: Configured, case: str) -> None:
    path, old, new, words = EDITS[case]
    with files.edited(path, old, new):
        message = files.refusal(**({"scale": "realdata", "studies": []} if "realdata" in path else {}))
    assert words in message


# Bytes of a whole file (of what it holds today), and words of the message; none where they are read rightly.
Bytes = Callable[[bytes], bytes | None]
WHOLE: dict[str, tuple[str, Bytes, str]] = {
    "grid: semicolons": (GRID, lambda text: text.replace(b",", b";"), "separated by ';'"),
    "grid: no line": (GRID, lambda text: b"", "is empty"),
    "grid: a header alone": (GRID, lambda text: text.partition(b"\n")[0], "has no rows"),
    "grid: not there": (GRID, lambda text: None, "no such file"),
    "grid: Latin-1": (GRID, lambda text: text + "caf\xe9".encode("latin-1"), "is not UTF-8"),
    "grid: BOM": (GRID, lambda text: b"\xef\xbb\xbf" + text, ""),
    "grid: CRLF": (GRID, lambda text: text.replace(b"\n", b"\r\n"), ""),
    "grid: CR": (GRID, lambda text: text.replace(b"\n", b"\r"), ""),
    "sources: BOM": (SOURCES, lambda text: b"\xef\xbb\xbf" + text, ""),
    "sources: CRLF": (SOURCES, lambda text: text.replace(b"\n", b"\r\n"), ""),
    "sources: not there": (SOURCES, lambda text: None, "cannot be read"),
    "labels: BOM": (LABELS, lambda text: b"\xef\xbb\xbf" + text, ""),
    "labels: not there": (LABELS, lambda text: None, ""),
    "labels: empty": (LABELS, lambda text: b"", "is empty"),
    "reported: BOM and CRLF": (REPORTED, lambda text: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"), ""),
    "reported: of no output": (f"{FOLDER}/reported/table44.csv", lambda text: b"row,x\n", "belongs to no output"),
    "config.yaml: BOM and CRLF": ("config.yaml", lambda text: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"), ""),
    "study: BOM and CRLF": (STUDY, lambda text: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"), ""),
    "claims: BOM and CRLF": (CLAIMS, lambda text: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"), ""),
    "scale: BOM": (TINY, lambda text: b"\xef\xbb\xbf" + text, ""),
    "scale: Latin-1": (TINY, lambda text: text + b"# \xe9", "is not UTF-8"),
    "scale: a list": (TINY, lambda text: b"- a", "is not a table of keys"),
    "scale: empty": (TINY, lambda text: b"", "is not a table of keys"),
    "study: not there": (STUDY, lambda text: None, "is not there"),
    "study: a list": (STUDY, lambda text: b"- a", "study.yaml"),
    "outputs: not there": (OUTPUTS, lambda text: None, "table1.csv: belongs to no output"),
    "outputs: empty": (OUTPUTS, lambda text: b"", "table1.csv: belongs to no output"),
    "outputs: a file beside the folder": (f"{FOLDER}/outputs.yaml", lambda text: b"outputs: {}", "Keep one of them"),
    "outputs: no YAML in the folder": (f"{FOLDER}/outputs/old.txt", lambda text: b"table1: {}", "is no *.yaml"),
    "outputs: a name twice": (
        f"{FOLDER}/outputs/more.yaml",
        lambda text: b"table4: {}",
        "declares 'table4', which is declared in more.yaml, too",
    ),
    "claims: not there": (CLAIMS, lambda text: None, "no such file"),
    "pairs: another revision": (f"{FOLDER}/pairs.csv", lambda text: PAIRS + b"a,x/y,main,x/z,main\n", "base_revision"),
    "pairs: no owner": (f"{FOLDER}/pairs.csv", lambda text: PAIRS + b"a,x,y,x,y\n", "base_repository"),
    "bibliography: without the paper": (BIBLIOGRAPHY, lambda text: b"@misc{other,\n}", "citation 'structure'"),
}
PAIRS = b"pair,base_repository,base_revision,tuned_repository,tuned_revision\n"


@pytest.mark.parametrize("case", WHOLE)
def test_a_file_of_other_bytes(files: Configured, case: str) -> None:
    path, change, words = WHOLE[case]
    today = (files.root / path).read_bytes() if (files.root / path).exists() else b""
    with files.bytes_of(path, change(today)):
        message = files.refusal()
    assert words in message if words else message == ""


# What two studies cannot share, by files of a second study that is the first one otherwise.
SECOND: dict[str, tuple[dict[str, tuple[str, str]], str]] = {
    "one name of samples": ({}, "keeps its samples under ''"),
    "equal specs are shared": ({"study.yaml": ('protocol: ""', "protocol: other")}, ""),
    "one id, other settings": (
        {"study.yaml": ('protocol: ""', "protocol: other"), "recipe": ("dropout: 0.0", "dropout: 0.1")},
        "Give study 'other' or 'structure-over-scale' a run_tag",
    ),
    "a tag sets them apart": (
        {"study.yaml": ('protocol: ""', "protocol: other\nrun_tag: other"), "recipe": ("dropout: 0.0", "dropout: 0.1")},
        "",
    ),
}


@pytest.mark.parametrize("case", SECOND)
def test_two_studies(files: Configured, case: str) -> None:
    edits, words = SECOND[case]
    other = files.root / "workflow" / "studies" / "other"
    shutil.copytree(files.root / FOLDER, other)
    try:
        for old, new in edits.values():
            text = (other / "study.yaml").read_text()
            assert old in text
            (other / "study.yaml").write_text(text.replace(old, new, 1))
        message = files.refusal(studies=["structure-over-scale", "other"])
    finally:
        shutil.rmtree(other)
    assert words in message if words else message == ""


def test_suites_of_two_studies_that_would_share_a_folder(files: Configured) -> None:
    other = files.root / "workflow" / "studies" / "other"
    shutil.copytree(files.root / FOLDER, other)
    try:
        text = (other / "study.yaml").read_text().replace('protocol: ""', "protocol: x\nrun_tag: x")
        (other / "study.yaml").write_text(text)
        with files.edited(TINY, "  puzzles: [enigmata-eval]", "  puzzles: [enigmata-eval]\n  main-x: [skywork-hard]"):
            message = files.refusal(studies=["structure-over-scale", "other"])
    finally:
        shutil.rmtree(other)
    assert "suite 'main-x' is also one of study 'structure-over-scale'" in message


def sentence(checkout: Checkout, *arguments: str) -> str:
    """What snakemake prints where a dry run is refused: no plan, no traceback."""
    done = checkout.snakemake("-n", "-q", "rules", *arguments)
    assert done.returncode != 0
    assert "Job stats" not in done.stdout
    assert not re.search(r"Traceback|File \"|, line \d+, in ", done.stdout), done.stdout
    return done.stdout


def test_snakemake_ends_with_the_sentence_alone(checkout: Checkout) -> None:
    assert "InputError: config.yaml: study 'other' is not there." in sentence(checkout, "--config", "studies=[other]")
    assert "vllm needs a GPU" in sentence(checkout, "--config", "engine=vllm")
    mirror = "sources={origin: mirror, mirror_dir: workflow}"  # found while Snakemake asks for a job's parameters
    assert "no such file, needed by source 'deepmath-103k'" in sentence(checkout, "--config", mirror)
    checkout.edit("config.yaml", "tier: core", "scale: tiny\ntier: core")
    assert "InputError: config.yaml: not valid YAML (key 'scale' appears twice" in sentence(checkout)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--config", "tier", "full"), "InputError: --config tier: is not name=value. Write e.g. `--config tier=full`"),
        (("--config", "tier:full"), "InputError: --config tier:full: is not name=value."),
        (("--config", "{tier: full}"), "InputError: --config {tier: full}: is not name=value."),
        (("--config", "tier=full", "table4"), "InputError: --config table4: is not name=value. Write"),
        (("--configfile", "mine.yaml"), "InputError: --configfile mine.yaml: no such file."),
        (("--profile", "slurm", "--config", "tier"), "InputError: --config tier: is not name=value."),
    ],
)
def test_what_snakemake_would_answer_with_a_traceback_ends_in_a_sentence(checkout: Checkout, arguments, words) -> None:
    assert words in sentence(checkout, *arguments).strip().splitlines()[-1]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--config"],
        ["table4", "--config", "tier=full", "-n"],
        ["-C", "tier=full", "pairs={a: {base: x, tuned: y}}", "empty=", "--", "table4"],
        ["--config=tier=full", "--cores", "2", "table4"],
        ["--configfile", __file__, "-n", "table4"],
    ],
)
def test_command_lines_that_are_right(arguments: list[str]) -> None:
    check_command_line(arguments)


@pytest.mark.parametrize(
    "arguments", [["-C", "tier"], ["--config=tier"], ["--config", "tier=full", "=x"], ["--configfiles", __file__, "x"]]
)
def test_command_lines_that_are_wrong(arguments: list[str]) -> None:
    with pytest.raises(InputError):
        check_command_line(arguments)


def test_a_claim_may_read_a_table_that_the_paper_lacks(files: Configured) -> None:
    with files.edited(CLAIMS, "table12/quanta-d3/hours", "tableS1/lora-r8/share"):
        assert files.refusal() == ""


def test_outputs_select_a_shared_run_by_the_id_under_which_it_is_trained(files: Configured) -> None:
    other = files.root / "workflow" / "studies" / "other"
    shutil.copytree(files.root / FOLDER, other)
    try:
        text = (other / "study.yaml").read_text().replace('protocol: ""', "protocol: other\nrun_tag: other")
        (other / "study.yaml").write_text(text)
        workspace = files.load(studies=["structure-over-scale", "other"])
    finally:
        shutil.rmtree(other)
    known = {*workspace.program.specs, *workspace.program.bases}
    for outputs in workspace.outputs.values():
        assert used_runs(outputs.values()) <= known
