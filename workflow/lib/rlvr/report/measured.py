"""Figures of measurements that no output of a study asks for: a pair of checkpoints, the runs from one base."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rlvr.plan.labels import Label
from rlvr.plan.outputs import Output
from rlvr.report.cells import ReportScope
from rlvr.report.evidence import InputPaths, read_tables
from rlvr.report.figures import KINDS, agreement, geometry, heatmap
from rlvr.report.looks import FULL_WIDTH_MM, ONE_COLUMN_MM, Drawing, new_figure, save_figure
from rlvr.report.plotting import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ONE_PAIR = Label("", "#0072B2")


def plot_pair(pair: str, spectra: str, diagnostics: str, style: str, map_path: str, geometry_path: str) -> None:
    """Both figures of one pair from anywhere, as PDF or PNG by the endings of their paths.

    Args:
        pair: Its name.
        spectra: ``tables.SPECTRA`` of the pair.
        diagnostics: ``tables.DIAGNOSTICS`` of the pair.
        style: Matplotlib style file.
        map_path: Where the effective rank of every layer and projection goes.
        geometry_path: Where the update against the geometry of its base goes.
    """
    from rlvr.tables import DIAGNOSTICS, SPECTRA

    table = heatmap.heat_table(read_tables([spectra], SPECTRA), [pair], "effective_rank")
    against = geometry.geometry_table(read_tables([diagnostics], DIAGNOSTICS))
    with styled(style):
        heat = new_figure((ONE_COLUMN_MM[0], heatmap.map_height(table)))
        heatmap.draw_maps(heat, table, {pair: pair}, "Effective rank")
        panels = new_figure((FULL_WIDTH_MM[0], geometry.HEIGHT_MM))
        geometry.draw_panels(panels, against, {pair: ONE_PAIR})
        _save({map_path: heat, geometry_path: panels}, f"pair {pair}")


def plot_agreement(table_path: str, consensus_path: str, style: str, out_path: str) -> None:
    """Where the runs from one base agree, as PDF.

    Args:
        table_path: ``tables.AGREEMENT`` of one base.
        consensus_path: NumPy archive of its consensus maps, in percent of the runs.
        style: Matplotlib style file.
        out_path: PDF file.
    """
    inputs: InputPaths = {"agreement": [table_path], "consensus": [consensus_path]}
    kind = KINDS["agreement"]
    output = Output("agreement", kind.name, "ours", "")
    drawing = Drawing(output, agreement.Options(base=""), {}, ReportScope("", comparable=False, runs=()), inputs)
    with styled(style):
        _save({out_path: kind.draw(drawing, kind.table(drawing))}, "agreement")


def _save(figures: "Mapping[str, Figure]", subject: str) -> None:
    metadata: dict[str, dict[str, str | None]] = {
        "pdf": {"Subject": subject, "CreationDate": None},
        "png": {"Description": subject, "Software": None},
    }
    for path, figure in figures.items():
        kind = path.rpartition(".")[2]
        save_figure(figure, path, kind, metadata[kind])
