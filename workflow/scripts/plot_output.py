"""Make one figure."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.cells import Scope
from rlvr.report.evidence import InputPaths
from rlvr.report.figures import FigureFiles, plot_file

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    plot_file(
        output_id=snakemake.wildcards.figure,
        outputs_path=snakemake.input.outputs,
        style_path=snakemake.input.style,
        scope=Scope(**snakemake.params.scope),
        inputs=InputPaths(
            scores=snakemake.input.scores,
            spectra=snakemake.input.spectra,
            metrics=snakemake.input.metrics,
            diagnostics=snakemake.input.diagnostics,
            frozen=snakemake.input.frozen,
            decay=snakemake.input.decay,
            cards=snakemake.input.cards,
        ),
        files=FigureFiles(**dict(snakemake.output.items())),
    )
