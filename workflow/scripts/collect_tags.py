"""Write the assumptions and departures that the files of a study name."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.assumptions import write_tags

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    write_tags(snakemake.params.tags, snakemake.output.json, snakemake.output.csv)
