"""Numbers for the paper's text."""

import json
import re

import pytest
from report_study import SCORES, evidence, load_study, score_frame, write_study

from rlvr.report.cells import ReportScope, build_cells
from rlvr.report.numbers import cell_numbers, collect_numbers_file, macro_name, macros, score_numbers, study_numbers
from rlvr.report.render import DASH


@pytest.fixture
def numbers(tmp_path):
    table = load_study(write_study(tmp_path))["table1"]
    return cell_numbers(build_cells(table, evidence(), ReportScope("tiny", False, list(SCORES))))


def test_cells_are_ready_to_print(numbers):
    assert numbers["table1"]["lora"]["mean"] == {
        "value": "70.0", "low": "45.2", "high": "94.8", "printed": "78.1", "verdict": "stand-in",
        "exact": {
            "value": pytest.approx(70), "low": pytest.approx(45.2, abs=0.1), "high": pytest.approx(94.8, abs=0.1),
        },
    }  # fmt: skip
    assert numbers["table1"]["lora"]["parameters"]["value"] == "5.38K"
    assert numbers["table1"]["dora"]["mean"] == {"value": DASH, "printed": "74.4", "verdict": "not run"}


def test_scores_and_study():
    entry = score_numbers(score_frame())["dora-s1"]["hard"]["avg_at_k"]
    assert (entry["value"], entry["low"], entry["k"], entry["unparsed_share"]) == ("55.0", "50.0", "4", "25.0")
    runs = [{"wall_time_s": 1800, "settings": {"seed": seed, "model": "a"}} for seed in (43, 42, 42)]
    found = study_numbers(runs, ReportScope("tiny", False, []))
    assert "not judged by the printed numbers" in found.pop("note")
    assert found.pop("data_note") == "Scale 'tiny': a small stand-in for the data set."
    assert found == {"scale": "tiny", "runs": "3", "models": "1", "seeds": "42, 43", "training_hours": "1.50"}
    comparable = study_numbers(runs, ReportScope("paper", True, []))
    assert comparable["note"] == comparable["data_note"] == ""


def test_a_study_without_outputs_still_has_numbers(tmp_path):
    files = [str(tmp_path / name) for name in ("numbers.json", "numbers.tex")]
    collect_numbers_file(ReportScope("tiny", False, []), [], [], [], [], *files)
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    assert numbers["cells"] == numbers["scores"] == {} and numbers["study"]["runs"] == "0"


def test_macro_names_are_letters():
    assert macro_name(["table4", "lora-r8", "accuracy_ratio", "value"]) == "TableFourLoraREightAccuracyRatio"
    assert macro_name(["table10", "lora-r128", "norm", "low"]) == "TableOneZeroLoraROneTwoEightNormLow"


def test_macros_define_every_number_once(numbers):
    tex = macros({"cells": numbers, "study": {"runs": "3"}})
    names = re.findall(r"\\newcommand\{\\([A-Za-z]+)\}\{[^{}]*\}", tex)
    assert len(names) == len(set(names)) == tex.count("\\newcommand")
    assert "\\newcommand{\\TableOneLoraMean}{70.0}" in tex and "\\newcommand{\\Runs}{3}" in tex


def test_two_numbers_of_one_name_are_refused():
    with pytest.raises(ValueError, match="share a macro"):
        macros({"cells": {"a-b": {"value": "1"}, "a_b": {"value": "2"}}, "study": {}})
