"""Write the configuration of this call."""

from typing import TYPE_CHECKING

from rlvr.core.io import write_json
from rlvr.core.joblog import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    write_json(snakemake.params.config, snakemake.output.config)
