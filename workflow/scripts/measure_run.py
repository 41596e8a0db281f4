"""Measure the spectrum of every module's update."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.spectra.runs import measure_run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    measure_run(
        base_dir=Path(snakemake.input.base).parent,
        run_dir=Path(snakemake.input.run).parent,
        run_id=snakemake.wildcards.run_id,
        out_path=snakemake.output.spectra,
    )
