"""Merge an existing adapter into a base of the scale."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.adapters.existing import merge_existing
from rlvr.core.joblog import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    merge_existing(
        base=Path(snakemake.input.model).parent,
        declared=snakemake.params.model,
        out_dir=Path(snakemake.output.model).parent,
    )
