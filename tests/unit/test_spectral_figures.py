"""Maps of spectra and panels of diagnostics: the tables behind them by hand, and that they draw."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_study import spectra_frame

from rlvr.core.errors import InputError
from rlvr.core.io import write_table
from rlvr.plan.labels import Label
from rlvr.plan.outputs import Column, Output, Row, required_inputs
from rlvr.report.cells import ReportScope, reproduce
from rlvr.report.evidence import load_evidence
from rlvr.report.figures import KINDS
from rlvr.report.figures.geometry import BINS, draw_panels, geometry_table
from rlvr.report.figures.heatmap import draw_maps, heat_table
from rlvr.report.figures.projections import complete_curves
from rlvr.report.looks import Drawing
from rlvr.report.measured import plot_pair
from rlvr.report.plotting import FigureFiles, plot_file, styled
from rlvr.tables import DECAY, DIAGNOSTICS, SPECTRA

ROOT = Path(__file__).resolve().parents[2]
STYLE = str(ROOT / "paper/style.mplstyle")
LABELS = str(ROOT / "workflow/studies/structure-over-scale/labels.csv")
RUN = "qwen3-8b_deepmath-hard_lora-r16_bs64_s42"


def diagnostics_frame(run_id: str = "run", modes: int = 2 * BINS) -> pd.DataFrame:
    """Two layers of q_proj: an even spread over the modes, overlaps of 0.4 and 0.6 where 0.5 is chance."""
    lines = []
    for layer in (0, 1):
        curves = {
            "mode_share": np.full(modes, 1 / modes),
            "cumulative_energy": np.arange(1, modes + 1) / modes,
            "left_angle": np.radians([1.0, 2.0]) * (layer + 1),
            "right_angle": np.radians([3.0, 4.0]) * (layer + 1),
        }
        scalars = {"overlap_principal": 0.4, "chance_principal": 0.5, "overlap_low": 0.6, "chance_low": 0.5}
        entries = [(name, index, value) for name, curve in curves.items() for index, value in enumerate(curve, start=1)]
        entries += [(name, 0, value) for name, value in scalars.items()]
        lines += [
            {
                "run_id": run_id, "module": f"layers.{layer}.q_proj", "layer": layer, "projection": "q_proj",
                "rows": modes, "cols": 2 * modes, "quantity": name, "index": index, "value": value,
            }
            for name, index, value in entries
        ]  # fmt: skip
    return pd.DataFrame(lines)


def test_heat_tables_keep_the_order_of_runs_and_average_experts():
    spectra = pd.concat([spectra_frame(), spectra_frame().assign(module="layers.0.expert.q_proj", value=100.0)])
    table = heat_table(spectra, ["dora-s1", "lora-s1", "gone"], "effective_rank")
    assert list(dict.fromkeys(table["run_id"])) == ["dora-s1", "lora-s1"]
    first = table[(table["run_id"] == "lora-s1") & (table["layer"] == 0)].iloc[0]
    assert first["value"] == pytest.approx((1.0 + 100.0) / 2)


def test_ratios_are_shown_in_percent():
    spectra = spectra_frame().assign(quantity="attained_share", value=0.25)
    assert set(heat_table(spectra, ["lora-s1"], "attained_share")["value"]) == {25.0}


def test_geometry_by_hand():
    table = geometry_table(diagnostics_frame()).set_index(["quantity", "x"])
    density = table.loc["mode_density"]
    assert len(density) == BINS and density["mean"].to_numpy() == pytest.approx(1.0)  # an even spread
    energy = table.loc["cumulative_energy"]
    assert energy.index.to_numpy() == pytest.approx(energy["mean"].to_numpy())  # and so the diagonal
    assert table.loc[("principal", 0.0), "mean"] == pytest.approx(0.8)
    assert table.loc[("low", 1.0), "mean"] == pytest.approx(1.2)
    angle = table.loc[("angle", 2.0)]  # the mean of both sides and of two layers
    assert angle["mean"] == pytest.approx((3.0 + 6.0) / 2) and angle["std"] == pytest.approx(3 / np.sqrt(2))
    assert angle["modules"] == 2


@pytest.mark.parametrize("modes", [BINS - 3, 5 * BINS + 1])
def test_matrices_of_any_size_share_the_bins(modes):
    table = geometry_table(diagnostics_frame(modes=modes))
    for quantity in ("mode_density", "cumulative_energy"):
        part = table[table["quantity"] == quantity]
        assert part["x"].between(0, 1).all() and len(part) <= BINS


def test_undecomposed_layers_leave_their_panels_empty():
    frame = diagnostics_frame()
    only_masks = frame[frame["quantity"].isin(["overlap_low", "chance_low"])]
    assert set(geometry_table(only_masks)["quantity"]) == {"low"}


def test_what_is_drawn():
    from matplotlib.figure import Figure

    figure = Figure()
    draw_panels(figure, geometry_table(diagnostics_frame()), {"run": Label("Run", "#000000")})
    modes, energy, overlap, rotation = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "b", "c", "d"]
    assert [len(axes.lines) for axes in (modes, energy, rotation)] == [2, 2, 1]
    assert list(rotation.lines[0].get_ydata()) == pytest.approx([3.0, 4.5])
    ratios = [list(container[0].get_ydata()) for container in overlap.containers]
    assert ratios == [pytest.approx([0.8, 0.8]), pytest.approx([1.2, 1.2])]
    figure = Figure()
    draw_maps(figure, heat_table(spectra_frame(), ["lora-s1", "dora-s1"], "effective_rank"),
              {"lora-s1": "LoRA", "dora-s1": "DoRA"}, "Rank")  # fmt: skip
    assert [axes.get_title() for axes in figure.axes[:2]] == ["LoRA", "DoRA"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.0", "2.0", "6.0"]
    colours = [axes.collections[0].get_clim() for axes in figure.axes[:2]]
    assert colours == [(0.0, 30.0), (0.0, 30.0)]


def test_a_tall_model_shows_colours_only():
    from matplotlib.figure import Figure

    tall = pd.concat(
        [
            spectra_frame().query("run_id == 'lora-s1'").assign(layer=lambda t, n=n: t["layer"] + 3 * n)
            for n in range(12)
        ]
    )
    figure = Figure()
    draw_maps(figure, heat_table(tall, ["lora-s1"], "effective_rank"), {"lora-s1": "LoRA"}, "Rank")
    assert not figure.axes[0].texts and len(figure.axes[0].get_yticks()) <= 8


@pytest.fixture
def files(tmp_path):
    spectra = spectra_frame().assign(run_id=RUN, quantity="attained_share")
    spectra["module"] += spectra.index.astype(str)
    write_table(spectra, tmp_path / "spectra.parquet", SPECTRA)
    write_table(diagnostics_frame(RUN), tmp_path / "diagnostics.parquet", DIAGNOSTICS)
    fits = [("normalised", 1, 1.0), ("normalised", 2, 0.5), ("exponent_full", 0, 1.0)]
    decay = [
        {
            "model": "qwen3-8b",
            "projection": "all",
            "quantity": name,
            "index": index,
            "mean": mean,
            "std": 0.0,
            "layers": 1,
        }
        for name, index, mean in fits
    ]
    write_table(pd.DataFrame(decay), tmp_path / "decay.parquet", DECAY)
    return {name: [str(tmp_path / f"{name}.parquet")] for name in ("decay", "spectra", "diagnostics")}


CURVES = [{"series": "lora-ratio", "runs": [RUN]}]
FIGURES = {
    "heatmap": {"quantity": "attained_share", "header": "Share (%)", "curves": CURVES},
    "geometry": {"curves": CURVES},
    "projections": {"models": ["qwen3-8b"]},
}


@pytest.mark.parametrize("kind", sorted(FIGURES))
@pytest.mark.parametrize("filled", [True, False])
def test_figures_of_spectra_draw_with_and_without_runs(tmp_path, files, kind, filled):
    paths = FigureFiles(*(str(tmp_path / f"{kind}.{form}") for form in ("csv", "pdf", "png")))
    declared = Output("figureS1", kind, "ours", "Caption.", plot=FIGURES[kind]).declaration()
    scope = ReportScope("tiny", False, [RUN] if filled else [])
    plot_file(declared, LABELS, STYLE, scope, files if filled else {}, paths)
    assert Path(paths.pdf).read_bytes().startswith(b"%PDF")
    assert pd.read_csv(paths.csv).empty != filled


def test_a_map_shows_one_run(tmp_path, files):
    twice = {**FIGURES["heatmap"], "curves": [{"series": "lora-ratio", "runs": [RUN, "another"]}]}
    paths = FigureFiles(*(str(tmp_path / f"x.{form}") for form in ("csv", "pdf", "png")))
    declared = Output("figureS1", "heatmap", "ours", "Caption.", plot=twice).declaration()
    with pytest.raises(InputError, match="selects 2 runs"):
        plot_file(declared, LABELS, STYLE, ReportScope("tiny", False, [RUN]), files, paths)


def test_scalars_of_the_diagnostics_fill_tables_beside_the_spectra(tmp_path, files):
    evidence = load_evidence(files)
    assert evidence.spectral(RUN, "attained_share", "mean").value == pytest.approx(11.5)
    assert evidence.spectral(RUN, "overlap_low", "mean").value == pytest.approx(0.6)
    column = Column("share", ("Share",), "overlap_low")
    row = Row("one", (), {"share": ((RUN,),)})
    scope = ReportScope("tiny", False, [RUN])
    assert column.unit == "%" and reproduce(row, column, evidence, scope).value == pytest.approx(60.0)
    output = Output("tableS9", "table", "ours", "Caption.", columns=(column,), rows=(row,))
    needed = required_inputs(output, {RUN: "base"})
    assert {kind: keys for kind, keys in needed.items() if keys} == {"diagnostics": ((RUN,),)}


def test_a_figure_leaves_out_models_that_the_scale_lacks():
    output = Output("figureS9", "decay", "ours", "Caption.", reads={"frozen": ("here", "elsewhere")})
    assert required_inputs(output, {}, models=["here"])["frozen"] == (("here",),)
    assert required_inputs(output, {})["frozen"] == (("elsewhere",), ("here",))


def test_the_decay_of_every_projection_has_its_panel_and_exponents():
    curves = [("all", 0.75), ("q_proj", 0.5), ("up_proj", 1.0)]
    lines = [
        {
            "model": "some",
            "projection": name,
            "quantity": "normalised",
            "index": n,
            "mean": n**-e,
            "std": 0.1,
            "layers": 2,
        }
        for name, e in curves
        for n in range(1, 9)
    ]
    lines += [
        {**lines[0], "projection": name, "quantity": "exponent_full", "index": 0, "mean": e} for name, e in curves
    ]
    lines += [{**line, "quantity": "r_squared_full", "mean": 0.7} for line in lines[-len(curves) :]]
    kind, output = KINDS["projections"], Output("figureS3", "projections", "ours", "")
    labels = {"some": Label("Some", "#000000")}
    drawing = Drawing(output, kind.options(models=("some",)), labels, ReportScope("tiny", False, []), {})
    with styled(STYLE):
        figure = kind.draw(drawing, pd.DataFrame(lines))
        assert [axes.get_title() for axes in figure.axes] == ["all", "q_proj", "up_proj"]
        assert [axes.texts[0].get_text() for axes in figure.axes] == [f"{e:.2f} (r² 0.70)" for _, e in curves]


def test_a_curve_ends_with_its_smallest_matrix():
    """Beyond, it would be a mean over other matrices, and jump."""
    heights = [(1, 1.0, 4), (2, 0.5, 4), (3, 0.7, 2)]
    part = pd.DataFrame([
        {"model": "m", "quantity": "normalised", "index": n, "mean": mean, "std": 0.1, "layers": layers}
        for n, mean, layers in heights
    ])  # fmt: skip
    assert list(complete_curves(part)["x"]) == [1, 2]


def test_a_pair_is_drawn_as_two_files(tmp_path):
    spectra = spectra_frame().query("run_id == 'lora-s1'").assign(run_id="pair")
    write_table(spectra, tmp_path / "spectra.parquet", SPECTRA)
    write_table(diagnostics_frame("pair"), tmp_path / "diagnostics.parquet", DIAGNOSTICS)
    paths = [str(tmp_path / name) for name in ("spectra.parquet", "diagnostics.parquet")]
    drawn = [str(tmp_path / name) for name in ("map.pdf", "geometry.pdf")]
    plot_pair("pair", *paths, STYLE, *drawn)
    assert all(Path(path).read_bytes().startswith(b"%PDF") for path in drawn)
