"""Runs from one base: which weights they change together, streamed module by module."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from test_pairs import Q1, checkpoint, name_of, write, write_adapter

from rlvr.core.errors import InputError
from rlvr.report.figures.agreement import jaccard_table, shown_modules
from rlvr.report.measured import plot_agreement
from rlvr.spectra.offprincipal import independent_jaccard
from rlvr.spectra.shared_changes import changes_by_module, compare_runs

MODULE = Q1.removesuffix(".weight")
STYLE = str(Path(__file__).resolve().parents[2] / "paper/style.mplstyle")


def run_that_changes(folder, base, entries):
    """A checkpoint in which these entries of one matrix are another number."""
    tuned = {**base, Q1: base[Q1].clone()}
    for row, column in entries:
        tuned[Q1][row, column] += 1
    return write(folder, tuned)


@pytest.fixture
def runs(tmp_path):
    """Three runs that change 4, 4 and 2 of 48 weights; two of them share two."""
    base = checkpoint()
    base_dir = write(tmp_path / "base", base)
    places = {"one": [(0, n) for n in range(4)], "two": [(0, 2), (0, 3), (1, 0), (1, 1)], "three": [(5, 6), (5, 7)]}
    return base_dir, {name: run_that_changes(tmp_path / name, base, entries) for name, entries in places.items()}


@pytest.fixture
def compared(runs, tmp_path):
    table, maps = tmp_path / "agreement.parquet", tmp_path / "consensus.npz"
    compare_runs(*runs, "some-model", None, table, maps)
    return pd.read_parquet(table), np.load(maps)


def test_every_pair_of_runs_stands_beside_its_baseline(compared):
    table, _ = compared
    one = table[table["module"] == MODULE].set_index(["quantity", "first", "second"])["value"]
    assert one["jaccard", "one", "two"] == pytest.approx(2 / 6) and one["jaccard", "two", "three"] == 0.0
    assert one["independent_jaccard", "one", "three"] == pytest.approx(independent_jaccard(4 / 48, 2 / 48))
    others = table[(table["module"] != MODULE) & (table["quantity"] == "jaccard")]
    assert len(others) == 3 * 3 and (others["value"] == 0).all()  # the other three matrices: nothing changed


def test_the_consensus_map_is_the_share_of_runs(compared):
    table, maps = compared
    expected = np.zeros((6, 8))
    expected[0, :2] = expected[1, :2] = expected[5, 6:] = 33
    expected[0, 2:4] = 67
    np.testing.assert_array_equal(maps[MODULE], expected)
    rows = table[(table["module"] == MODULE) & (table["quantity"] == "row_consensus")].sort_values("index")["value"]
    assert list(rows) == pytest.approx([6 / 24, 2 / 24, 0, 0, 0, 2 / 24])


def test_checkpoints_whose_peaks_stay_in_place_are_aligned(tmp_path):
    """Figure 3 of "The Path Not Taken": two runs change the same rows, one of them more of each; a third other rows."""
    base = checkpoint()
    base_dir = write(tmp_path / "base", base)
    early = [(1, 0), (1, 1), (4, 0)]
    late = [*early, (1, 2), (1, 3), (4, 1)]
    steps = {"s240": early, "s720": late, "other": [(0, 0), (2, 0), (3, 0), (5, 0)]}
    folders = {name: run_that_changes(tmp_path / name, base, entries) for name, entries in steps.items()}
    compare_runs(base_dir, folders, "some-base", None, tmp_path / "a.parquet", tmp_path / "b.npz")
    table = pd.read_parquet(tmp_path / "a.parquet").query(f"module == '{MODULE}'")
    found = table.set_index(["quantity", "first", "second"])["value"]
    assert found["row_alignment", "s240", "s720"] == pytest.approx(1.0)
    assert found["row_alignment", "s240", "other"] < -0.5


def test_runs_with_other_targets_are_matched_by_name(runs, tmp_path):
    base_dir, folders = runs
    folders = {"adapter": write_adapter(tmp_path / "adapter"), "one": folders["one"]}
    found = {
        changes[0].update.module: [change.run_id for change in changes]
        for changes in changes_by_module(base_dir, folders)
    }
    assert sorted(found[MODULE]) == ["adapter", "one"]
    assert found[name_of(0, "mlp.down_proj").removesuffix(".weight")] == ["one"] and len(found) == 4


def test_kept_layers_limit_the_maps_not_the_table(runs, tmp_path):
    compare_runs(*runs, "some-model", [0], tmp_path / "agreement.parquet", tmp_path / "consensus.npz")
    assert all(".layers.0." in name for name in np.load(tmp_path / "consensus.npz"))
    assert set(pd.read_parquet(tmp_path / "agreement.parquet")["layer"]) == {0, 1}


def test_one_run_has_nothing_to_agree_with(runs, tmp_path):
    base_dir, folders = runs
    with pytest.raises(InputError, match="1 runs to compare"):
        compare_runs(base_dir, {"one": folders["one"]}, "some-model", None, tmp_path / "a", tmp_path / "b")


def test_the_figure_shows_the_middle_kept_layer_and_the_mean_of_pairs(compared, tmp_path):
    table, maps = compared
    assert shown_modules(table, maps) == [MODULE, MODULE.replace("self_attn.q_proj", "mlp.down_proj")]
    means = jaccard_table(table).set_index("layer")
    assert means.loc[1, "jaccard"] == pytest.approx((2 / 6) / 6)  # three pairs of two modules
    plot_agreement(str(tmp_path / "agreement.parquet"), str(tmp_path / "consensus.npz"), STYLE, str(tmp_path / "a.pdf"))
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_equal_runs_agree_wholly(tmp_path):
    base = checkpoint(dtype=torch.float32)
    base_dir = write(tmp_path / "base", base)
    folders = {name: run_that_changes(tmp_path / name, base, [(2, 2), (3, 3)]) for name in ("one", "two")}
    compare_runs(base_dir, folders, "some-model", None, tmp_path / "a.parquet", tmp_path / "b.npz")
    table = pd.read_parquet(tmp_path / "a.parquet")
    assert list(table[(table["module"] == MODULE) & (table["quantity"] == "jaccard")]["value"]) == [1.0]
