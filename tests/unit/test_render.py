"""Tables as text: every kind of cell in every format."""

import copy
import json
import math
from dataclasses import replace

import pandas as pd
import pytest
from report_study import (
    OUTPUTS,
    PARAMETERS,
    SCORES,
    answer_frame,
    evidence,
    load_study,
    manifest,
    score_frame,
    spectra_frame,
    write_study,
)

from rlvr.core.io import write_json, write_table
from rlvr.plan.printed import MINUS
from rlvr.report.cells import ReportScope, build_cells
from rlvr.report.files import TableFiles, read_cells, tabulate_file
from rlvr.report.render import DASH, cell_text, compose, escape_tex, text_columns, to_json, to_latex, to_markdown
from rlvr.tables import ANSWERS, SPECTRA
from rlvr.tables import SCORES as SCORES_SCHEMA


@pytest.fixture
def table(tmp_path):
    output = load_study(write_study(tmp_path))["table1"]
    scope = ReportScope("paper", True, list(SCORES))
    return compose(output, build_cells(output, evidence(), scope), scope, ["made by hand", "from 3 files"])


LOST = ", 6.2 % lost"


def test_texts_of_all_cell_kinds(table):
    assert table.texts[0] == [
        "LoRA", "r = 8", "5.38K†", "22M", "3.00", f"60.0 [55.0, 65.0]{LOST}", "62.3", f"70.0 [65.0, 75.0]{LOST}",
        f"70.0 [45.2, 94.8]{LOST}", "78.1", "10.0 [5.2, 62.8]", f"80.0 [75.8, 83.7]{LOST}", "10.0 [7.0, 12.9]",
    ]  # fmt: skip
    assert table.texts[1][2:] == [
        "43.6M", "43.6M", "20.00", f"55.0 [50.0, 60.0]{LOST}", "", DASH, DASH, "74.4", DASH,
        f"55.0 [50.1, 59.8]{LOST}", DASH,
    ]  # fmt: skip


def test_a_cell_whose_run_failed_says_so_and_names_the_log(tmp_path):
    output = load_study(write_study(tmp_path))["table1"]
    present, failed = list(SCORES)[:-1], list(SCORES)[-1]
    lacking = ReportScope("paper", True, present)
    scope = replace(lacking, failed={failed: "results/paper/logs/train_run/x.log"})
    before, after = (compose(output, build_cells(output, evidence(), each), each, []) for each in (lacking, scope))
    changed = {(old, new) for row, now in zip(before.texts, after.texts, strict=True)
               for old, new in zip(row, now, strict=True) if old != new}  # fmt: skip
    assert changed == {(DASH, "failed")}
    assert after.notes == [*before.notes, f"failed: {failed} (log: results/paper/logs/train_run/x.log)."]


def test_printed_numbers_stand_in_columns_of_their_own(table):
    printed = [(column.header, column.texts) for column in table.columns if column.kind == "printed"]
    assert printed == [
        (("", "Paper"), ["22M", "43.6M"]),
        (("Score (%)", "Paper"), ["62.3", ""]),
        (("Score (%)", "Paper"), ["78.1", "74.4"]),
    ]


def test_a_printed_number_beside_two_readings_comes_once_behind_both(tmp_path):
    declared = copy.deepcopy(OUTPUTS)
    declared["table1"]["columns"][3]["printed"] = "seed_1"
    output = load_study(write_study(tmp_path, declared))["table1"]
    columns = text_columns(output, build_cells(output, evidence(), ReportScope("paper", True, list(SCORES))))
    assert [column.header for column in columns if column.kind == "printed"][-1] == ("Paper", "Seed 1")
    assert columns[-1].texts == ["62.3", ""]
    assert [text for column in columns for text in column.texts].count("62.3") == 1


def test_negative_numbers_carry_a_minus_sign():
    cell = {"verdict": "stand-in", "value": -3.52, "low": -9.96, "high": 2.9, "decimals": 1, "unit": "%"}
    cell |= {"printed": "+1.2", "lost_share": math.nan}
    assert cell_text(cell) == f"{MINUS}3.5 [{MINUS}10.0, 2.9]"
    assert cell_text({**cell, "lost_share": 0.0}) == f"{MINUS}3.5 [{MINUS}10.0, 2.9]"
    assert cell_text({**cell, "lost_share": 0.0123, "verdict": "spread unknown"}).startswith(
        f"{MINUS}3.5\N{DOUBLE DAGGER}"
    )
    assert cell_text({**cell, "lost_share": 0.7123}).endswith("2.9], 71 % lost")


def test_notes_explain_what_occurs_and_nothing_else(table):
    text = " ".join(table.notes)
    assert all(mark in text for mark in ("†", DASH, "In brackets", "Paper:", "Student's t", "modified Wilson interval"))
    assert "stand-ins" not in text
    assert "estimated spectrum" not in text


def test_latex_structure(table):
    tex = to_latex(table)
    assert tex.startswith("% made by hand\n% from 3 files\n\\begin{table}")
    for part in ("\\toprule", "\\midrule", "\\bottomrule", "\\caption{Scores of 100 \\% \\& more\\_or\\_less.}"):
        assert tex.count(part) == 1
    assert "\\multicolumn{8}{c}{Score (\\%)}" in tex
    body = tex[tex.index("\\midrule") : tex.index("\\bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith("\\\\")]
    assert len(rows) == 2 and all(row.count("&") == 12 for row in rows)
    assert "DoRA & r = 8\\_x & 43.6M & \\textcolor[gray]{0.4}{43.6M}" in body
    assert "$^\\dagger$" in body and "-- & \\textcolor[gray]{0.4}{74.4}" in body
    assert tex.isascii()


@pytest.mark.parametrize(
    ("text", "tex"),
    [("a_b & 5 %", r"a\_b \& 5 \%"), ("~15T", r"$\sim$15T"), ("\N{GREEK SMALL LETTER ALPHA} = 2r", r"$\alpha$ = 2r")],
)
def test_escape_tex(text, tex):
    assert escape_tex(text) == tex


def test_markdown_has_one_line_a_row(table):
    lines = to_markdown(table).splitlines()
    assert lines[0] == "<!-- made by hand" and lines[1].endswith("from 3 files -->")
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) == 3 and "Score (%) Seed 1" in rows[0]


def test_json_rows_carry_verdicts(table):
    content = to_json(table)
    row = content["rows"][1]
    assert row["key"] == "dora" and len(row["texts"]) == len(content["kinds"]) == 13
    assert content["kinds"][:4] == ["label", "label", "ours", "printed"]
    assert row["verdicts"] == [
        "agrees", "not reported", "not reported", "not run", "not run", "not run", "not reported", "not run",
    ]  # fmt: skip


@pytest.fixture
def inputs(tmp_path):
    """Files of the four runs, as the earlier stages write them."""
    write_table(score_frame(), tmp_path / "scores.parquet", SCORES_SCHEMA)
    write_table(answer_frame(), tmp_path / "answers.parquet", ANSWERS)
    write_table(spectra_frame(), tmp_path / "spectra.parquet", SPECTRA)
    for run_id in PARAMETERS:
        write_json(manifest(run_id), tmp_path / f"{run_id}.json")
    manifests = [str(tmp_path / f"{run_id}.json") for run_id in PARAMETERS]
    tables = {name: [str(tmp_path / f"{name}.parquet")] for name in ("scores", "answers", "spectra")}
    return {"manifests": manifests, **tables}


def declared(folder):
    """The declaration of table 1."""
    return load_study(write_study(folder))["table1"].declaration()


def test_a_table_whose_runs_do_not_exist_is_all_dashes(tmp_path):
    files = TableFiles(*(str(tmp_path / f"out.{kind}") for kind in ("csv", "md", "tex", "json")))
    tabulate_file(declared(tmp_path), ReportScope("tiny", False, []), {}, files)
    assert set(read_cells([files.csv])["verdict"]) == {"not run"}


def test_tabulate_file_writes_every_format(tmp_path, inputs):
    files = TableFiles(*(str(tmp_path / f"out.{kind}") for kind in ("csv", "md", "tex", "json")))
    tabulate_file(declared(tmp_path), ReportScope("tiny", False, list(SCORES)), inputs, files)
    cells = read_cells([files.csv])
    assert len(cells) == 16 and cells.loc[cells["verdict"] == "not run", "runs"].eq("").all()
    assert pd.read_csv(files.csv).columns[0] == "output"  # tidy, no comment line
    content = json.loads((tmp_path / "out.json").read_text())
    assert "stand-ins" in content["scope"] and not any("stand-ins" in note for note in content["notes"])
    assert "% Scale 'tiny'" in (tmp_path / "out.tex").read_text()
    first = (tmp_path / "out.tex").read_bytes()
    tabulate_file(declared(tmp_path), ReportScope("tiny", False, list(SCORES)), inputs, files)
    assert (tmp_path / "out.tex").read_bytes() == first
