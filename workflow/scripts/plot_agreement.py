"""Draw where the runs from one base agree."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.measured import plot_agreement

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    plot_agreement(
        table_path=snakemake.input.table,
        consensus_path=snakemake.input.consensus,
        style=snakemake.input.style,
        out_path=snakemake.output.figure,
    )
