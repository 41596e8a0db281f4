"""Find what the diagnostics ask of a base alone."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.spectra.bases import factor_base
from rlvr.spectra.settings import DiagnosticsSettings

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    factor_base(
        base_dir=Path(snakemake.input.base).parent,
        settings=DiagnosticsSettings(**snakemake.params.diagnostics),
        out=snakemake.output.factors,
    )
