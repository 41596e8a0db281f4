"""DoRA's effective rank from PEFT's start on a bfloat16 base and from an exact one, over learning rates."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.spectra.starts import measure_starts

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    measure_starts(shape=snakemake.wildcards.shape, out=snakemake.output.spectra)
