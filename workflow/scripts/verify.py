"""Hash all results anew and say what is missing, changed or stale."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.verification import verify_or_fail

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    verify_or_fail(snakemake.params.results, snakemake.params.expected)
