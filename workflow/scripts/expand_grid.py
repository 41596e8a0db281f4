"""Write the resolved runs of a study as CSV."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.plan.resolved import write_resolved

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    write_resolved(snakemake.params.runs, snakemake.output.grid)
