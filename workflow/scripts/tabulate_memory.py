"""Memory of one card for every run of the grids at real size, under each sharding, by arithmetic."""

from typing import TYPE_CHECKING

from rlvr.adapters.methods import METHODS
from rlvr.core.joblog import log_to
from rlvr.plan.memory_table import write_memory

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    write_memory(
        rows=snakemake.params.rows,
        config_paths=snakemake.input.configs,
        methods=METHODS,
        card_gib=snakemake.params.card_gib,
        stem=snakemake.params.stem,
    )
