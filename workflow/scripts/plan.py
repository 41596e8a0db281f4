"""Write and print what a launch would cost."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import announce, log_to
from rlvr.plan.launch import write_plan

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    announce(write_plan(snakemake.params.rows, snakemake.params.missing, snakemake.params.stem))
