"""Hold every result of a study against the invariants."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.invariant_files import ResultFiles, check_results_file
from rlvr.report.invariants import Protocol

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    named = ("cells", "scores", "manifests", "metrics", "spectra", "diagnostics", "cards")
    check_results_file(
        files=ResultFiles(**{name: list(snakemake.input.get(name, [])) for name in named}),
        protocol=Protocol(**snakemake.params.protocol),
        log=print,
        checked_path=snakemake.output.checked,
    )
