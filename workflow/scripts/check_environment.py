"""Import what the stages of an environment import."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.core.preflight import check_environment

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    check_environment(snakemake.params.environment, snakemake.params.scripts, snakemake.output.record)
