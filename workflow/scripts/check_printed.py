"""Re-derive a paper's statements from what it prints."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.audit.files import AuditFiles, audit_file

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    audit_file(
        folder=snakemake.params.folder,
        configurations=snakemake.params.configurations,
        titles=snakemake.params.titles,
        files=AuditFiles(csv=snakemake.output.csv, json=snakemake.output.json, md=snakemake.output.md),
    )
