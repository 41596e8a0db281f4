"""Judge the paper's claims on the reproduced numbers."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.claim_files import ClaimInputs, check_claims_file
from rlvr.report.claim_table import ClaimScope

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    check_claims_file(
        claims_path=snakemake.input.claims,
        inputs=ClaimInputs(
            cells=snakemake.input.get("cells", []),
            curves=snakemake.input.get("curves", []),
            bases=snakemake.input.get("bases", []),
            cards=snakemake.input.get("cards", []),
        ),
        scope=ClaimScope(**snakemake.params.scope),
        csv_path=snakemake.output.csv,
        json_path=snakemake.output.json,
    )
