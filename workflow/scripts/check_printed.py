"""Re-derive the paper's printed numbers from each other."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.audit import audit_file

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    audit_file(
        declarations=snakemake.params.outputs,
        csv_path=snakemake.output.csv,
        json_path=snakemake.output.json,
    )
