"""DoRA's start on a bfloat16 base: what PEFT rounds, what an exact start keeps, what the figure makes of both."""

import math

import matplotlib as mpl
import pandas as pd
import pytest
import torch

from rlvr.core.io import read_table, write_table
from rlvr.plan.labels import Label
from rlvr.plan.outputs import Output
from rlvr.plan.starts import RATES, parse_shape, start_shapes
from rlvr.report.cells import ReportScope
from rlvr.report.figures.starts import Options, draw, explained, table
from rlvr.report.looks import Drawing
from rlvr.spectra.starts import STEPS, adapted_module, describe, measure_rate, measure_starts, train_module, update_of
from rlvr.tables import STARTS

SHAPE, RATE = (48, 96), 1e-6
ASKED = Options(shapes=("48x96", "1024x4096"), rate=1e-5, low=7.0, high=900.0)


def test_an_untrained_exact_start_is_the_base_and_peft_s_is_its_rounded_row_norms():
    weight, exact = update_of(adapted_module(SHAPE, exact=True))
    _, rounded = update_of(adapted_module(SHAPE, exact=False))
    assert exact.norm() < 1e-6 * weight.double().norm()
    norms = weight.double().norm(dim=1)
    nearest = norms.to(torch.bfloat16).double()  # the best that a bfloat16 magnitude can be
    scales = (rounded / weight.double()).mean(dim=1)
    assert torch.allclose(rounded, scales[:, None] * weight.double(), atol=1e-9), "rows are scaled, nothing else"
    assert (scales.abs() >= (nearest / norms - 1).abs() - 1e-6).all() and scales.abs().max() < 2**-6


def test_the_update_is_that_of_the_module_s_own_forward_pass():
    model = adapted_module(SHAPE, exact=True)
    train_module(model, 1e-3)
    weight, update = update_of(model)
    inputs = torch.eye(SHAPE[1])
    found = model.float()(inputs).detach().double().T - weight.double()
    assert (found - update).norm() < 1e-4 * update.norm()


def test_rows_of_a_rate():
    rows = pd.DataFrame(list(measure_rate(SHAPE, RATE))).set_index("start")
    assert rows.loc["rounded", "effective_rank"] > 1.2 * rows.loc["exact", "effective_rank"]
    assert rows.loc["stored", "effective_rank"] > rows.loc["exact", "effective_rank"] > 1
    moved = rows.loc["exact", "relative_norm"]
    assert 0 < moved < 10 * STEPS * RATE / 0.02
    again = pd.DataFrame(list(measure_rate(SHAPE, RATE))).set_index("start")
    pd.testing.assert_frame_equal(rows, again)


def test_an_update_of_rounding_alone_has_no_rank():
    weight = torch.randn(8, 8)
    assert describe(weight, 1e-9 * torch.randn(8, 8).double())["effective_rank"] == 0
    assert describe(weight, 0.1 * torch.eye(8).double())["effective_rank"] == pytest.approx(8)


def test_the_file_has_every_rate_and_start(tmp_path):
    measure_starts("8x16", tmp_path / "starts.parquet")
    found = read_table(tmp_path / "starts.parquet", STARTS)
    assert len(found) == 3 * len(RATES) and set(found["rate"]) == set(RATES)


def starts_frame():
    ranks = {"rounded": {"48x96": 30.0, "1024x4096": 530.0}, "exact": {"48x96": 5.0, "1024x4096": 5.5}}
    ranks["stored"] = {"48x96": 9.0, "1024x4096": 300.0}
    rows = [
        {"shape": shape, "start": start, "rate": rate, "relative_norm": 1e-3}
        | {"effective_rank": rank if rate or start == "rounded" else 0.0}
        for start, by_shape in ranks.items()
        for shape, rank in by_shape.items()
        for rate in (0.0, 1e-5, 1e-4)
    ]
    return pd.DataFrame(rows)


def test_the_share_of_the_gap_is_said_where_the_weight_can_reach_it():
    found = explained(starts_frame().sample(frac=1, random_state=0), ASKED).set_index(["shape", "start", "rate"])
    assert found.loc[("1024x4096", "rounded", 1e-5), "gap_share"] == pytest.approx((530 - 5.5) / 893)
    assert found["gap_share"].notna().sum() == 3, "only where the bound is beyond 900, and for the rounded start"
    assert found.loc[("48x96", "exact", 1e-4), "bound"] == 48


def test_it_draws_what_the_tier_measured(tmp_path):
    mpl.use("Agg")
    write_table(starts_frame(), tmp_path / "starts.parquet", STARTS)
    labels = {name: Label(name, "#000000") for name in ASKED.series()}
    output = Output("figureS5", "starts", "ours", "c")
    for inputs, panels in (({"starts": [str(tmp_path / "starts.parquet")]}, 2), ({}, 1)):
        drawing = Drawing(output, ASKED, labels, ReportScope("tiny", False, frozenset()), inputs)
        figure = draw(drawing, table(drawing))
        assert len(figure.axes) == panels
        words = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
        assert ("59 % of the printed gap" in words) == (panels == 2)


def test_tiers_say_which_shapes_are_measured():
    scale = {"spectra": {"starts": {"core": ["64x64"], "full": ["64x64", "1024x4096"]}}}
    assert start_shapes(scale, "core") == ["64x64"] and start_shapes(scale, "all") == ["1024x4096", "64x64"]
    assert start_shapes({"spectra": {}}, "core") == []
    assert parse_shape("1024x4096") == (1024, 4096)
    assert math.isclose(max(RATES), 1e-3)
