"""Printed tables of the papers that no output shows yet, and what the audit finds in these papers."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from bound_rows import ROOT, STUDIES
from configured import copy_configuration

from rlvr.core.csvfile import read_csv
from rlvr.plan.declarations import read_declarations
from rlvr.plan.reported import read_reported
from rlvr.plan.study import study_names
from rlvr.report.audit.judging import audit_study
from rlvr.report.audit.printed_cells import PrintedCells

PRIMARY = "structure-over-scale"
WORDS_ONLY = ("printed",)  # the column of a table of facts
PEFT, PRINCIPALS, ORTHONORMAL = "peft-for-rlvr", "off-the-principals", "orthonormal-initialisation"

# SOURCE: the papers, read beside these files: shape of each table, and cells from its corners and its middle.
SHAPES = {
    (PRIMARY, "table1"): (3, 1),
    (PRIMARY, "section1.2"): (6, 1),
    (PRIMARY, "appendixB.3"): (12, 1),
    (PEFT, "table2"): (6, 2),
    (PEFT, "table3"): (14, 13),
    (PEFT, "table4"): (6, 2),
    (PEFT, "table5"): (10, 13),
    (PEFT, "table6"): (4, 13),
    (PRINCIPALS, "table1"): (15, 1),
    (PRINCIPALS, "table3"): (6, 6),
    (PRINCIPALS, "table4"): (5, 1),
    (PRINCIPALS, "table5"): (11, 1),
    (ORTHONORMAL, "table1"): (5, 12),
    (ORTHONORMAL, "table2"): (26, 2),
    (ORTHONORMAL, "table3"): (3, 4),
    (ORTHONORMAL, "table4"): (2, 1),
    (ORTHONORMAL, "table5"): (3, 2),
    (ORTHONORMAL, "table6"): (5, 11),
    (ORTHONORMAL, "table7"): (3, 3),
    (ORTHONORMAL, "table8"): (3, 6),
}
CELLS = [
    (PRIMARY, "table1", "llama", "tokens", "~15.6T"),
    (PRIMARY, "section1.2", "lora-r64", "accuracy", "73.1"),
    (PRIMARY, "section1.2", "lora-r256", "accuracy", "2.3"),
    (PRIMARY, "appendixB.3", "arc_agi", "rows", "11,116"),
    (PRIMARY, "appendixB.3", "symbolic_hard", "rows", "416"),
    (PEFT, "table2", "minerva", "problems", "272"),
    (PEFT, "table2", "math-500", "samples", "4"),
    (PEFT, "table3", "base", "average", "40.5"),
    (PEFT, "table3", "dora", "aime_2024_pass", "80.0"),
    (PEFT, "table3", "adalora", "minerva_pass", "27.5"),
    (PEFT, "table3", "lora-plus", "hmmt_2025", "16.5"),
    (PEFT, "table3", "pissa", "math_500", "0.6"),
    (PEFT, "table3", "ln-tuning", "minerva_pass", "25.0"),
    (PEFT, "table4", "lora-r1", "parameters", "0.0015"),
    (PEFT, "table4", "ln-tuning", "accuracy", "41.8"),
    (PEFT, "table5", "batch-32", "average", "43.0"),
    (PEFT, "table5", "rate-5e-6", "aime_2025", "18.2"),
    (PEFT, "table5", "rank-16", "math_500_pass", "89.6"),
    (PEFT, "table5", "grpo", "minerva_pass", "28.3"),
    (PEFT, "table6", "lora", "average", "54.8"),
    (PEFT, "table6", "lora-plus", "amc_2023_pass", "100.0"),
    (PEFT, "table6", "miss", "hmmt_2025_pass", "60.0"),
    (PRINCIPALS, "table1", "sft-klear-reasoner-8b", "sparsity", "0.6"),
    (PRINCIPALS, "table1", "rl-nv-prorl-v2-1.5b", "sparsity", "36.3"),
    (PRINCIPALS, "table1", "rl-ulorl-a3b", "sparsity", "91.7"),
    (PRINCIPALS, "table3", "dense", "aime_2025", "28.075"),
    (PRINCIPALS, "table3", "principal", "math_500", "83.60"),
    (PRINCIPALS, "table3", "random", "average", "56.89"),
    (PRINCIPALS, "table3", "low", "parameters", "58.59"),
    (PRINCIPALS, "table4", "self-certainty-math", "sparsity", "83.24"),
    (PRINCIPALS, "table4", "grpo-dapo-14k", "sparsity", "66.00"),
    (PRINCIPALS, "table5", "agent-gigpo-webshop-7b", "sparsity", "51.7"),
    (PRINCIPALS, "table5", "sft-openvla-oft-7b", "sparsity", "3.46"),
    (PRINCIPALS, "table5", "embodied-r1-3b", "sparsity", "44.28"),
    (ORTHONORMAL, "table1", "lora", "math_500_std", "7.56"),
    (ORTHONORMAL, "table1", "milora", "average", "51.71"),
    (ORTHONORMAL, "table1", "lora-rlpo", "aime_2024", "73.33"),
    (ORTHONORMAL, "table1", "pissa", "gsm8k_std", "8.20"),
    (ORTHONORMAL, "table2", "clip_upper", "constant", "0.28"),
    (ORTHONORMAL, "table2", "gpu_memory", "cosine", "0.75"),
    (ORTHONORMAL, "table3", "aime", "response_tokens", "16384"),
    (ORTHONORMAL, "table4", "milora", "norm", "5.11"),
    (ORTHONORMAL, "table5", "lora-rlmo", "mbpp_std", "1.26"),
    (ORTHONORMAL, "table6", "pissa", "gsm8k_std", "44.0"),
    (ORTHONORMAL, "table6", "lora-rlmo", "average", "32.42"),
    (ORTHONORMAL, "table6", "lora-rlpo", "aime_2024_std", "6.8"),
    (ORTHONORMAL, "table7", "qwen2.5-14b-instruct", "minutes", "12.3"),
    (ORTHONORMAL, "table8", "lora", "gsm8k_std", "8.89"),
    (ORTHONORMAL, "table8", "lora-rlpo", "mrpc", "88.48"),
]


@cache
def printed(study: str, table: str) -> dict[str, dict[str, str]]:
    """A printed table, wherever it lies: beside our cells once an output shows it."""
    paths = [STUDIES / study / folder / f"{table}.csv" for folder in ("printed", "reported")]
    return read_reported(next(path for path in paths if path.is_file()))


@pytest.mark.parametrize(("study", "table"), SHAPES)
def test_every_row_and_column_is_there(study: str, table: str) -> None:
    rows = printed(study, table)
    assert (len(rows), len(next(iter(rows.values())))) == SHAPES[study, table]


def test_every_printed_table_is_checked() -> None:
    assert {(path.parents[1].name, path.stem) for path in STUDIES.glob("*/printed/*.csv")} <= {*SHAPES}
    assert {cell[:2] for cell in CELLS} == {*SHAPES}


@pytest.mark.parametrize(("study", "table", "row", "column", "text"), CELLS)
def test_cells_are_as_printed(study: str, table: str, row: str, column: str, text: str) -> None:
    assert printed(study, table)[row][column] == text


COUNTED = [
    ("table3", "lora-r256", "qwen3-8b", "~700M"),
    ("table3", "dora-r8", "qwen3-8b", "23M"),
    ("table9", "lora-r16", "llama-3.1-8b", "41.9M"),
    ("table9", "quanta-d4", "llama-3.1-8b", "6.9M"),
    ("table9", "lora-alpha", "printed", "\N{GREEK SMALL LETTER ALPHA} = 32"),
]


@pytest.mark.parametrize(("table", "row", "column", "text"), COUNTED)
def test_counts_of_parameters_are_cells_of_the_tables_that_print_them(table, row, column, text) -> None:
    assert PrintedCells(STUDIES, ROOT / "data/configs").table(PRIMARY, table, "here")[row][column] == text


@pytest.mark.parametrize("study", study_names(STUDIES))
def test_a_printed_number_stands_once(study: str) -> None:
    """In one file: of two copies one is corrected and the other forgotten."""
    cells = PrintedCells(STUDIES, ROOT / "data/configs")
    for path in [*(STUDIES / study / "printed").glob("*.csv"), *(STUDIES / study / "reported").glob("table*.csv")]:
        assert cells.table(study, path.stem, "here")
    counts = STUDIES / study / "reported" / "parameters.csv"
    for _, line in read_csv(counts) if counts.is_file() else ():
        for table in (counts.parent / f"{name.replace(' ', '')}.csv" for name in line["output"].split(" and ")):
            rows = dict(read_reported(table, WORDS_ONLY)) if table.is_file() else {}
            same = [row for row in rows.values() if row.get("parameters") and row["parameters"] == line["printed"]]
            assert not same, f"{table.name} prints {line['printed']}: point to its cell"


def test_labels_say_what_the_paper_prints_beside_them() -> None:
    fields, _ = read_declarations(STUDIES / PRIMARY / "outputs.yaml")["table1"]
    tokens = {row: cells["tokens"] for row, cells in printed(PRIMARY, "table1").items()}
    assert {row["key"]: row["labels"][1] for row in fields["rows"]} == tokens


@cache
def verdicts(study: str) -> dict[str, dict[str, Any]]:
    return {record["id"]: record for record in audit_study(STUDIES / study, ROOT / "data" / "configs")}


@pytest.mark.parametrize(
    ("study", "statement", "verdict"),
    [
        (PEFT, "t3-average:lora", "does not follow"),  # 36.6 is printed as 42.5
        (PEFT, "s32-batch", "contradicted"),  # 42.5 in the text, 43.0 in the table
        (PEFT, "s33-lead-aime25", "contradicted"),  # LoRA+ has 39.0
        (PEFT, "pass-minerva", "does not follow"),  # 27.5 is no multiple of 1 / 272
        (PEFT, "t5-repeats-lora", "follows"),
        (PEFT, "s32-table4", "contradicted"),  # figure 4 is meant
        (PRINCIPALS, "t3-average:principal", "does not follow"),  # 55.53 is printed as 55.44
        (PRINCIPALS, "t3-average:union", "follows within rounding"),
        (PRINCIPALS, "t3-aime_2024", "does not follow"),
        (PRINCIPALS, "s21-rl-range", "follows"),
        (PRINCIPALS, "g1-figure", "contradicted"),  # figure 14 is meant
        (PRINCIPALS, "s41-nss", "cannot be checked"),
        (ORTHONORMAL, "t6-sd-aime_2024:lora-rlpo", "follows with n instead of n - 1"),
        (ORTHONORMAL, "t6-sd-aime_2024:pissa", "follows"),
        (ORTHONORMAL, "s6-test-rlpo", "within chance"),
        (ORTHONORMAL, "s6-metric", "contradicted"),
        (ORTHONORMAL, "d2-consistent", "contradicted"),  # 74.30 is below 79.13
        (ORTHONORMAL, "s6-best", "follows"),
    ],
)
def test_known_findings(study: str, statement: str, verdict: str) -> None:
    assert verdicts(study)[statement]["verdict"] == verdict


@pytest.mark.parametrize("study", study_names(STUDIES))
def test_places_that_contradict_are_named(study: str) -> None:
    contradicted = [record for record in verdicts(study).values() if record["verdict"] == "contradicted"]
    assert all(record["by"] and record["by"] != record["where"] for record in contradicted)


def test_a_study_with_printed_tables_and_no_outputs_is_planned(tmp_path: Path) -> None:
    configured = copy_configuration(tmp_path)
    folder = tmp_path / "workflow" / "studies" / PEFT
    (folder / "facts.yaml").unlink()
    (folder / "claims.yaml").write_text("claims: {}\n")
    for path in (folder / "reported").glob("table*.csv"):
        path.rename(folder / "printed" / path.name)
    (folder / "outputs.yaml").write_text("outputs: {}\n")
    assert (folder / "statements.csv").is_file()
    workspace = configured.load(studies=[PEFT], scale="paper")
    assert workspace.outputs[PEFT] == {}
    assert workspace.program.rows
