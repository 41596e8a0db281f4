"""Measure the singular values of a base model's linear layers before any training, and how they fall."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.spectra.frozen import measure_frozen

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    measure_frozen(
        base_dir=Path(snakemake.input.base).parent,
        model=snakemake.wildcards.model,
        top=snakemake.params.top,
        spectra_path=snakemake.output.spectra,
        decay_path=snakemake.output.decay,
    )
