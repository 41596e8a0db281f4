"""Pack what belongs to a study."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.archive import archived_files, pack
from rlvr.core.joblog import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    results = Path(snakemake.params.results)
    files = archived_files(results, snakemake.params.names)
    pack(results, files, snakemake.output.archive, snakemake.output.listing)
