"""The printed counts with a verdict each; memory of each run before a launch."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.parameter_tables import write_parameters

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    write_parameters(counts_path=snakemake.input.counts, stems=snakemake.params.stems)
