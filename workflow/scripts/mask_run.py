"""Write down which weights a run changed, and which of them are principal."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.spectra.footprints import write_footprint
from rlvr.spectra.settings import DiagnosticsSettings

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    write_footprint(
        base_dir=Path(snakemake.input.base).parent,
        tuned_dir=Path(snakemake.input.run).parent,
        run_id=snakemake.wildcards.run_id,
        settings=DiagnosticsSettings(**snakemake.params.diagnostics),
        path=snakemake.output.footprint,
        factors_dir=Path(snakemake.input.factors).parent,
    )
