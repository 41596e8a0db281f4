"""Make one figure."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.cells import ReportScope
from rlvr.report.evidence import evidence_paths
from rlvr.report.plotting import FigureFiles, plot_file

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    plot_file(
        declaration=snakemake.params.output,
        labels_path=snakemake.input.labels or None,
        style_path=snakemake.input.style,
        scope=ReportScope(**snakemake.params.scope),
        inputs=evidence_paths(snakemake.input),
        files=FigureFiles(**dict(snakemake.output.items())),
    )
