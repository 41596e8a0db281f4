"""Measure the spectrum and the weight-space diagnostics of a base / fine-tuned pair from anywhere."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.spectra.measure import measure_pair
from rlvr.spectra.settings import DiagnosticsSettings

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    measure_pair(
        base_dir=snakemake.params.pair["base"],
        tuned_dir=snakemake.params.pair["tuned"],
        run_id=snakemake.wildcards.pair,
        settings=DiagnosticsSettings(**snakemake.params.diagnostics),
        spectra_path=snakemake.output.spectra,
        diagnostics_path=snakemake.output.diagnostics,
        estimated=snakemake.params.pair.get("values") == "estimated",
    )
