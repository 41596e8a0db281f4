"""Make one table in every format."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.cells import ReportScope
from rlvr.report.evidence import evidence_paths
from rlvr.report.files import TableFiles, tabulate_file

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    tabulate_file(
        declaration=snakemake.params.output,
        scope=ReportScope(**snakemake.params.scope),
        inputs=evidence_paths(snakemake.input),
        files=TableFiles(**dict(snakemake.output.items())),
    )
