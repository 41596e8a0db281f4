"""Record the digests of a study's tables, figures and documents, and of what they were made from."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.verification import seal_paper

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    seal_paper(
        Path(snakemake.output.seal).parent,
        snakemake.wildcards.study,
        Path(snakemake.params.results),
        snakemake.params.evidence,
    )
