"""Count what each method trains at real size, on modules without storage."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.train.footprint import count_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    count_files(
        rows=snakemake.params.rows,
        config_paths=snakemake.input.configs,
        out=snakemake.output.counts,
    )
