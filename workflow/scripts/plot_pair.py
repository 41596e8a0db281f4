"""Both figures of a pair from anywhere."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.measured import plot_pair

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    plot_pair(
        pair=snakemake.wildcards.pair,
        spectra=snakemake.input.spectra,
        diagnostics=snakemake.input.diagnostics,
        style=snakemake.input.style,
        map_path=snakemake.output.map,
        geometry_path=snakemake.output.geometry,
    )
