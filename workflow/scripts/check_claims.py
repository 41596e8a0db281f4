"""Judge the paper's claims on the reproduced numbers."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.judging import check_claims_file

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    check_claims_file(
        claims_path=snakemake.input.claims,
        cells_paths=snakemake.input.cells,
        csv_path=snakemake.output.csv,
        json_path=snakemake.output.json,
    )
