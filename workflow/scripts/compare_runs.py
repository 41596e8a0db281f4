"""Compare which weights the runs from one base change."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.spectra.shared_changes import compare_runs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    compare_runs(
        base_dir=snakemake.params.group["base"],
        tuned_dirs=snakemake.params.group["tuned"],
        name=snakemake.wildcards.base,
        kept_depths=snakemake.params.kept_depths,
        table_path=snakemake.output.table,
        consensus_path=snakemake.output.consensus,
    )
