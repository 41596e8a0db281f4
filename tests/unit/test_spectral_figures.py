"""Maps of spectra and panels of diagnostics: the tables behind them by hand, and that they draw."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from report_study import spectra_frame

from rlvr.core.io import write_table
from rlvr.plan.outputs import UNITS, Column, Output, Required, Row, load_outputs, required_inputs
from rlvr.report.cells import Scope, reproduce
from rlvr.report.decay_figure import draw_projections
from rlvr.report.evidence import InputPaths, load_evidence
from rlvr.report.figures import FigureFiles, plot_file
from rlvr.report.looks import Label
from rlvr.report.spectral_figures import BINS, draw_geometry, draw_heatmap, geometry_table, heat_table, plot_pair
from rlvr.tables import DECAY, DIAGNOSTICS, SPECTRA

ROOT = Path(__file__).resolve().parents[2]
STYLE = str(ROOT / "paper/style.mplstyle")
STUDY = ROOT / "workflow/studies/structure-over-scale/outputs.yaml"
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
    draw_geometry(figure, geometry_table(diagnostics_frame()), {"run": Label("Run", "#000000", "o", "full", "-")})
    modes, energy, overlap, rotation = figure.axes
    assert [len(axes.lines) for axes in (modes, energy, overlap, rotation)] == [2, 2, 3, 1]
    assert list(rotation.lines[0].get_ydata()) == pytest.approx([3.0, 4.5])
    figure = Figure()
    draw_heatmap(figure, heat_table(spectra_frame(), ["lora-s1", "dora-s1"], "effective_rank"),
                 {"lora-s1": "LoRA", "dora-s1": "DoRA"}, "Rank")  # fmt: skip
    assert [axes.get_title() for axes in figure.axes[:2]] == ["LoRA", "DoRA"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.0", "2.0", "6.0"]
    assert figure.axes[0].images[0].get_clim() == figure.axes[1].images[0].get_clim() == (0.0, 30.0)


def test_a_tall_model_shows_colours_only():
    from matplotlib.figure import Figure

    tall = pd.concat(
        [
            spectra_frame().query("run_id == 'lora-s1'").assign(layer=lambda t, n=n: t["layer"] + 3 * n)
            for n in range(12)
        ]
    )
    figure = Figure()
    draw_heatmap(figure, heat_table(tall, ["lora-s1"], "effective_rank"), {"lora-s1": "LoRA"}, "Rank")
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
    return InputPaths(
        decay=[str(tmp_path / "decay.parquet")],
        spectra=[str(tmp_path / "spectra.parquet")],
        diagnostics=[str(tmp_path / "diagnostics.parquet")],
    )


@pytest.mark.parametrize("key", ["figureS1", "figureS2", "figureS3"])
@pytest.mark.parametrize("filled", [True, False])
def test_the_studys_figures_draw_with_and_without_runs(tmp_path, files, key, filled):
    paths = FigureFiles(*(str(tmp_path / f"{key}.{kind}") for kind in ("csv", "pdf", "png")))
    inputs = files if filled else InputPaths()
    plot_file(key, str(STUDY), STYLE, Scope("tiny", False, [RUN] if filled else []), inputs, paths)
    assert Path(paths.pdf).read_bytes().startswith(b"%PDF")
    assert pd.read_csv(paths.csv).empty != filled


def test_figures_ask_for_what_they_draw():
    outputs = load_outputs(STUDY)
    assert required_inputs(outputs["figureS1"], [RUN]).spectra == (RUN,)
    needed = required_inputs(outputs["figureS2"], [RUN])
    assert needed.diagnostics == (RUN,) and not needed.spectra and not needed.metrics


def test_scalars_of_the_diagnostics_fill_tables_beside_the_spectra(tmp_path, files):
    evidence = load_evidence(files)
    assert evidence.spectral(RUN, "attained_share", "mean").value == pytest.approx(11.5)
    assert evidence.spectral(RUN, "overlap_low", "mean").value == pytest.approx(0.6)
    column = Column("share", ("Share",), "overlap_low", ("main",))
    row = Row("one", (), {"main": (RUN,)})
    assert column.unit == "%" and reproduce(row, column, evidence, [RUN]).value == pytest.approx(60.0)
    output = Output("tableS9", "table", "ours", "Caption.", columns=(column,), rows=(row,))
    assert required_inputs(output, [RUN]) == Required(diagnostics=(RUN,))


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
    figure = draw_projections(pd.DataFrame(lines), ["some"], {"some": Label("Some", "#000000", "o", "full", "-")})
    assert [axes.get_title() for axes in figure.axes] == ["all", "q_proj", "up_proj"]
    assert [axes.texts[0].get_text() for axes in figure.axes] == [f"Some: {e:.2f} ± 0.10" for _, e in curves]
    assert required_inputs(load_outputs(STUDY)["figureS3"], []).decay == ("apertus-8b", "llama-3.1-8b", "qwen3-8b")


def test_the_schema_knows_every_statistic():
    schema = yaml.safe_load((ROOT / "workflow/schemas/outputs.schema.yaml").read_text())
    known = schema["$defs"]["column"]["properties"]["statistic"]["enum"]
    assert sorted(known) == sorted(UNITS)


def test_a_pair_is_drawn_as_two_files(tmp_path):
    spectra = spectra_frame().query("run_id == 'lora-s1'").assign(run_id="pair")
    write_table(spectra, tmp_path / "spectra.parquet", SPECTRA)
    write_table(diagnostics_frame("pair"), tmp_path / "diagnostics.parquet", DIAGNOSTICS)
    paths = [str(tmp_path / name) for name in ("spectra.parquet", "diagnostics.parquet")]
    drawn = [str(tmp_path / name) for name in ("map.pdf", "geometry.pdf")]
    plot_pair("pair", *paths, STYLE, *drawn)
    assert all(Path(path).read_bytes().startswith(b"%PDF") for path in drawn)
