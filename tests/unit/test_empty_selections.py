"""A row or a column of a table that selects no run of the grid and prints no number is refused by name."""

import copy
from pathlib import Path
from typing import Any

import pytest
from report_study import OUTPUTS, load_study, write_study

from rlvr.core.errors import InputError

PRINTED = "row,parameters,seed_1,mean\nlora,,62.3,78.1\n"


def narrowed(part: str, **condition: Any) -> dict[str, Any]:
    """The table of the tests' study with a condition more in each of its rows or columns, differences excepted."""
    table = copy.deepcopy(OUTPUTS["table1"])
    table["columns"] = [each for each in table["columns"] if "difference" not in each.get("reduce", {})]
    for each in table[part]:
        each["where"] = {**each.get("where", {}), **condition}
    return {"table1": table}


def test_a_row_that_no_column_shows_is_refused(tmp_path: Path) -> None:
    path = write_study(tmp_path, narrowed("columns", method="lora"), PRINTED)
    with pytest.raises(InputError, match="row 'dora' selects no run and prints no number"):
        load_study(path)


def test_a_column_that_no_row_fills_is_refused(tmp_path: Path) -> None:
    path = write_study(tmp_path, narrowed("rows", seed=[2, 3]), PRINTED)
    with pytest.raises(InputError, match="column 'parameters' selects no run and prints no number"):
        load_study(path)


def test_a_printed_number_alone_keeps_its_row(tmp_path: Path) -> None:
    path = write_study(tmp_path, narrowed("columns", method="lora"), f"{PRINTED}dora,43.6M,,\n")
    assert [row.key for row in load_study(path)["table1"].rows] == ["lora", "dora"]
