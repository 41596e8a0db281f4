"""Bring the raw rows of one source, in the columns in which they are released."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.data.fetching import Origin, fetch_source
from rlvr.plan.sources import Source

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    fetch_source(
        source=Source(**snakemake.params.source),
        origin=Origin(**snakemake.params.origin),
        rows_path=snakemake.output.rows,
        provenance_path=snakemake.output.provenance,
    )
