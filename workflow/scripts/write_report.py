"""Write the HTML report."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.page import StudyFiles, write_page

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    write_page(
        studies=map(StudyFiles.of, snakemake.params.studies),
        tier=snakemake.params.tier,
        templates=snakemake.params.templates,
        html_path=snakemake.output.html,
    )
