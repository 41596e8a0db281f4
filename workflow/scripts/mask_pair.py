"""Write down which weights differ between the two sides of a pair, and which of them are principal."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.spectra.footprints import write_footprint
from rlvr.spectra.settings import DiagnosticsSettings

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    write_footprint(
        base_dir=snakemake.params.pair["base"],
        tuned_dir=snakemake.params.pair["tuned"],
        run_id=snakemake.wildcards.pair,
        settings=DiagnosticsSettings(**snakemake.params.diagnostics),
        path=snakemake.output.footprint,
    )
