"""Figures of "The Path Not Taken": the tables behind them by hand and against slow versions, and that they draw."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rlvr.core.io import write_json, write_table
from rlvr.plan.claim_checks import curves_of
from rlvr.plan.options import build
from rlvr.plan.outputs import Output
from rlvr.report.cells import ReportScope
from rlvr.report.claim_files import read_curves
from rlvr.report.figures import KINDS
from rlvr.report.figures.consensus import shrunk
from rlvr.report.figures.intervention import intervention_table, same_seed
from rlvr.report.figures.jaccard import jaccard_table
from rlvr.report.figures.overlap import overlap_table
from rlvr.report.figures.probe import probe_table
from rlvr.report.figures.profiles import profile_table
from rlvr.report.figures.stripes import stripe_table
from rlvr.report.footprints import Footprint, jaccard
from rlvr.report.plotting import FigureFiles, plot_file
from rlvr.tables import DIAGNOSTICS, METRICS

ROOT = Path(__file__).resolve().parents[2]
STYLE = str(ROOT / "paper/style.mplstyle")
RUNS = ("base_s1", "base_s2", "turned_s3")
SHAPE = (6, 8)
NAMES = [f"model.layers.{layer}.self_attn.{part}" for layer in (0, 1) for part in ("o_proj", "q_proj")]


def masks_of(seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    return {name: generator.random(SHAPE) < 0.3 + 0.1 * place for place, name in enumerate(NAMES)}


def write_footprint(path: Path, run_id: str, masks: dict[str, np.ndarray]) -> str:
    """As ``rlvr.spectra.footprints`` writes it; layer 1 has principal masks, the upper half of every matrix."""
    layers = [int(name.split(".")[2]) for name in masks]
    principal = np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE) < SHAPE[0] * SHAPE[1] / 2
    bits = {f"update/{place}": np.packbits(mask) for place, mask in enumerate(masks.values())}
    bits |= {f"principal/{place}": np.packbits(principal) for place, layer in enumerate(layers) if layer == 1}
    facts: dict[str, Any] = {"module": list(masks), "layer": layers, "rows": [SHAPE[0]] * 4, "cols": [SHAPE[1]] * 4}
    facts["projection"] = [name.rpartition(".")[2] for name in masks]
    np.savez_compressed(path, run_id=np.array(run_id), **{key: np.array(value) for key, value in facts.items()}, **bits)
    return str(path)


@pytest.fixture
def footprints(tmp_path: Path) -> dict[str, str]:
    """A file per run."""
    return {
        run_id: write_footprint(tmp_path / f"{run_id}.npz", run_id, masks_of(seed)) for seed, run_id in enumerate(RUNS)
    }


def diagnostic(run_id: str, name: str, quantity: str, index: int, value: float) -> dict[str, Any]:
    layer, projection = int(name.split(".")[2]), name.rpartition(".")[2]
    return {
        "run_id": run_id, "module": name, "layer": layer, "projection": projection, "rows": SHAPE[0], "cols": SHAPE[1],
        "quantity": quantity, "index": index, "value": value,
    }  # fmt: skip


def diagnostics_of(run_id: str, seed: int) -> list[dict[str, Any]]:
    rows = []
    for place, (name, mask) in enumerate(masks_of(seed).items()):
        curves = {"row_ratio": mask.mean(axis=1), "column_ratio": mask.mean(axis=0), "left_angle": [0.1, 0.2]}
        curves |= {"right_angle": [0.3, 0.4], "base_value": [4.0, 2.0], "tuned_value": [4.4, 1.9]}
        scalars = {"overlap_principal": 0.2 + 0.1 * place, "chance_principal": 0.5, "overlap_low": 0.75}
        scalars |= {"chance_low": 0.5, "overlap_principal_not_low": 0.1, "chance_principal_not_low": 0.25}
        rows += [diagnostic(run_id, name, key, n, v) for key, curve in curves.items() for n, v in enumerate(curve, 1)]
        rows += [diagnostic(run_id, name, key, 0, value) for key, value in scalars.items()]
    return rows


def lines(table: pd.DataFrame, series: str) -> dict[int, float]:
    part = table[table["series"] == series]
    return dict(zip(part["index"].astype(int), part["mean"], strict=True))


def test_overlaps_by_layer_in_percent():
    frame = pd.DataFrame([*diagnostics_of("a", 0), *diagnostics_of("b", 1)])
    table = overlap_table(frame, {"a": "rl", "b": "rl"})
    assert lines(table, "rl-principal") == pytest.approx({0: 25.0, 1: 45.0})
    assert lines(table, "rl-principal-chance") == pytest.approx({0: 50.0, 1: 50.0})
    assert lines(table, "rl-principal-not-low") == pytest.approx({0: 10.0, 1: 10.0})
    assert set(table["runs"]) == {"a b"}
    assert overlap_table(frame, {"c": "rl"}).empty


def test_pairs_are_compared_over_all_weights_and_by_layer(footprints):
    found = {run_id: Footprint(path) for run_id, path in footprints.items()}
    table = jaccard_table(found)
    pairs = table[table["first"].notna()]
    assert len(pairs) == 3
    for row in pairs.to_dict("records"):
        one, other = (masks_of(RUNS.index(row[side])) for side in ("first", "second"))
        first, second = (np.concatenate([mask.ravel() for mask in each.values()]) for each in (one, other))
        assert row["mean"] == pytest.approx(jaccard(first, second))
        p, q = first.mean(), second.mean()
        assert row["independent"] == pytest.approx(p * q / (p + q - p * q))
    every = [masks_of(seed) for seed in range(3)]
    expected = np.mean([jaccard(a[n], b[n]) for a, b in itertools.combinations(every, 2) for n in NAMES[:2]])
    assert lines(table, "jaccard")[0] == pytest.approx(expected)
    assert jaccard_table({"a": found[RUNS[0]]}).empty and jaccard_table({}).empty


def intervention_options(**changes: Any):
    plot = {
        "projections": ["o_proj"], "reference": [{"runs": ["base_s1", "base_s2"]}],
        "curves": [
            {"series": "independent", "model": "base", "runs": ["base_s1", "base_s2"]},
            {"series": "turned", "model": "turned", "runs": ["turned_s3"]},
        ],
    }  # fmt: skip
    return build(KINDS["intervention"].options, {**plot, **changes}, "here")


def test_runs_of_one_seed_are_not_compared_and_layers_are_told_apart(footprints):
    found = {run_id: Footprint(path) for run_id, path in footprints.items()}
    table = intervention_table(intervention_options(), found, {"base": frozenset(), "turned": frozenset({0})})
    shares = []
    for seed in (0, 1):
        reference, run = masks_of(seed)[NAMES[0]], masks_of(2)[NAMES[0]]
        shares.append(100 * (reference & run).sum() / run.sum())
    assert lines(table, "turned-touched") == pytest.approx({0: np.mean(shares)})
    chance = [100 * masks_of(seed)[NAMES[0]].mean() for seed in (0, 1)]
    assert lines(table, "turned-touched-chance") == pytest.approx({0: np.mean(chance)})
    assert lines(table, "turned-untouched").keys() == {1}
    assert lines(table, "independent-untouched").keys() == {0, 1} and not lines(table, "independent-touched")
    assert same_seed("a_bs64_s42_tag", "b_s42") and not same_seed("a_s42", "a_s43") and not same_seed("a", "a")


def test_a_scattered_mask_has_no_contrast_and_half_full_rows_have_one():
    size = 400
    striped = np.zeros((size, size), dtype=bool)
    striped[::2] = True
    scattered = np.random.default_rng(0).random((size, size)) < 0.5
    rows = []
    for run_id, mask in (("striped", striped), ("scattered", scattered)):
        for quantity, profile in (("row_ratio", mask.mean(axis=1)), ("column_ratio", mask.mean(axis=0))):
            for index, value in enumerate(profile, 1):
                rows.append({**diagnostic(run_id, NAMES[1], quantity, index, value), "rows": size, "cols": size})
    table = stripe_table(pd.DataFrame(rows), {"striped": "a", "scattered": "b"})
    assert lines(table, "a-qkv-rows")[0] == pytest.approx(1.0, abs=0.01)
    assert lines(table, "a-qkv-columns")[0] == 0.0
    assert lines(table, "b-qkv-rows")[0] < 0.02 and lines(table, "b-qkv-columns")[0] < 0.02
    assert not lines(table, "a-o-rows")


def test_the_probe_by_hand():
    frame = pd.DataFrame(diagnostics_of("a", 0))
    table = probe_table(frame, {"a": "rl"}, None, "o_proj")
    assert lines(table, "rl-angle") == pytest.approx({1: np.degrees(0.2), 2: np.degrees(0.3)})
    assert lines(table, "rl-value") == pytest.approx({1: 1.1, 2: 0.475})
    assert lines(table, "rl-shift") == pytest.approx({1: 10.0, 2: -5.0})
    assert lines(table, "base-value") == {1: 1.0, 2: 0.5}
    assert probe_table(frame, {"a": "rl"}, 1.0, "down_proj").empty


def test_profiles_of_one_run_at_several_steps_and_their_agreement():
    plot = {"panels": [{"projection": "q_proj", "axis": "row"}], "curves": [
        {"series": name, "runs": [name]} for name in ("early", "late")], "depth": 0, "window": 1}  # fmt: skip
    options = build(KINDS["profiles"].options, plot, "here")
    frame = pd.DataFrame([*diagnostics_of("early", 0), *diagnostics_of("late", 1)])
    table = profile_table(frame, ["early", "late"], options)
    one, other = (masks_of(seed)[NAMES[1]].mean(axis=1) for seed in (0, 1))
    assert lines(table, "q-row") == pytest.approx({1: np.corrcoef(one, other)[0, 1]})
    early = table[table["run_id"] == "early"]
    assert list(early["share"]) == pytest.approx(list(one)) and set(early["line"]) == {"q-row"}
    assert profile_table(frame, ["never"], options)["position"].notna().sum() == 0


def test_a_large_map_is_shown_as_means_over_blocks():
    matrix = np.arange(48.0).reshape(6, 8)
    np.testing.assert_allclose(shrunk(matrix, 2), matrix.reshape(2, 3, 2, 4).mean(axis=(1, 3)))
    assert shrunk(matrix, 10) is matrix
    assert shrunk(np.random.default_rng(0).random((1000, 7)), 384).mean() == pytest.approx(0.5, abs=0.02)


SERIES = [{"series": run_id, "runs": [run_id]} for run_id in RUNS]
ONE = [{"series": "rl", "runs": list(RUNS[:2])}]
PLOTS: dict[str, dict[str, Any]] = {
    "overlap": {"curves": ONE},
    "stripes": {"curves": ONE},
    "probe": {"curves": ONE},
    "profiles": {"panels": [{"projection": "q_proj", "axis": "row"}, {"projection": "o_proj", "axis": "column"}],
                 "curves": SERIES},
    "jaccard": {"curves": SERIES},
    "consensus": {"curves": ONE},
    "mask_images": {"shown": [
        {"name": "decomposed", "runs": [RUNS[0]], "depth": 1, "projection": "o_proj"},
        {"name": "not decomposed", "runs": [RUNS[1]], "depth": 0, "projection": "q_proj"},
        {"name": "not there", "runs": ["other"], "depth": 0, "projection": "q_proj"},
    ]},
    "intervention": {"projections": ["o_proj"], "reference": [{"runs": list(RUNS[:2])}], "curves": [
        {"series": "independent", "model": "base", "runs": list(RUNS[:2])},
        {"series": "turned", "model": "turned", "runs": [RUNS[2]]},
    ]},
    "curve_grid": {"metric": "accuracy", "header": "Accuracy (%)", "per_row": 2, "panels": [
        {"title": "one", "curves": ONE}, {"title": "other", "curves": [{"series": "rl", "runs": ["other"]}]},
        {"title": "third", "curves": ONE},
    ]},
}  # fmt: skip


@pytest.fixture
def inputs(tmp_path: Path, footprints: dict[str, str]) -> dict[str, list[str]]:
    """Every kind of evidence of three runs and two bases."""
    frame = pd.DataFrame([row for seed, run_id in enumerate(RUNS) for row in diagnostics_of(run_id, seed)])
    write_table(frame, tmp_path / "diagnostics.parquet", DIAGNOSTICS)
    numbers = {name: 0.5 for name, column in METRICS.columns.items() if str(column.dtype) == "float64"}
    steps = [{**numbers, "run_id": run_id, "step": step, "accuracy": 0.1 * step} for run_id in RUNS for step in (1, 2)]
    steps = [{name: 0 for name in METRICS.columns if name not in row} | row for row in steps]
    write_table(pd.DataFrame(steps), tmp_path / "metrics.parquet", METRICS)
    for model, content in (("base", {"kind": "hub"}), ("turned", {"rotated_layers": [0], "permuted_layers": []})):
        (tmp_path / model).mkdir()
        write_json(content, tmp_path / model / "model.json")
    models = [str(tmp_path / model / "model.json") for model in ("base", "turned")]
    files = {name: [str(tmp_path / f"{name}.parquet")] for name in ("diagnostics", "metrics")}
    return {**files, "models": models, "footprints": list(footprints.values())}


@pytest.mark.parametrize("kind", sorted(PLOTS))
@pytest.mark.parametrize("filled", [True, False])
def test_figures_draw_with_and_without_runs_and_claims_read_their_lines(tmp_path, inputs, kind, filled):
    paths = FigureFiles(*(str(tmp_path / f"figure1.{form}") for form in ("csv", "pdf", "png")))
    options = build(KINDS[kind].options, PLOTS[kind], "here")
    named = tuple(options.lines())
    output = Output("figure1", kind, "ours", "Caption.", plot=PLOTS[kind], lines=named)
    plot_file(
        output.declaration(), None, STYLE, ReportScope("tiny", False, list(RUNS)), inputs if filled else {}, paths
    )
    assert Path(paths.pdf).read_bytes().startswith(b"%PDF")
    written = pd.read_csv(paths.csv)
    shown = written.dropna(how="all", axis=1)
    assert shown.empty != filled
    assert curves_of(output) == list(named)
    if named and filled:
        found = {name for _, name in read_curves(paths.csv)}
        assert found and found <= {*named, "base-value"}
        assert all(len(curve.runs) for curve in read_curves(paths.csv).values())
