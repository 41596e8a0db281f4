"""The audits of all papers in one table, with the summary that the terminal shows."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.audit.files import AuditFiles, collect_audits

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    collect_audits(
        paths=list(snakemake.input.audits),
        titles=snakemake.params.titles,
        files=AuditFiles(
            csv=snakemake.output.csv,
            json=snakemake.output.json,
            md=snakemake.output.md,
            summary=snakemake.output.summary,
        ),
    )
