"""Measure the spectrum and the weight-space diagnostics of every module's update."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.spectra.measure import measure_pair
from rlvr.spectra.settings import DiagnosticsSettings

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    measure_pair(
        base_dir=Path(snakemake.input.base).parent,
        tuned_dir=Path(snakemake.input.run).parent,
        run_id=snakemake.wildcards.run_id,
        settings=DiagnosticsSettings(**snakemake.params.diagnostics),
        spectra_path=snakemake.output.spectra,
        diagnostics_path=snakemake.output.diagnostics,
        factors_dir=Path(snakemake.input.factors).parent,
    )
