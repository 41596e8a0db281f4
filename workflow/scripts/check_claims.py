"""Judge the paper's claims on the reproduced numbers."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.claim_files import ClaimInputs, check_claims_file
from rlvr.report.claim_table import ClaimScope
from rlvr.report.evidence import evidence_paths
from rlvr.report.scope import ReportScope

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    results = ReportScope(**snakemake.params.results)
    check_claims_file(
        claims_path=snakemake.input.claims,
        declarations=snakemake.params.outputs,
        inputs=ClaimInputs(
            evidence=evidence_paths(snakemake.input),
            curves=snakemake.input.curves,
            cards=snakemake.input.data_cards,
        ),
        scope=ClaimScope(results=results, **snakemake.params.scope),
        csv_path=snakemake.output.csv,
        json_path=snakemake.output.json,
    )
