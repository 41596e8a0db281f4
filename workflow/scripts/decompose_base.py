"""Compute the singular triples at both ends of every matrix of a base."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.devices import hold_devices
from rlvr.core.joblog import log_to
from rlvr.weights.decompositions import decompose_base

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    hold_devices(snakemake.resources.gpu, snakemake.config["gpus"])
    decompose_base(
        base_dir=Path(snakemake.input.base).parent,
        rank=snakemake.params.rank,
        variant=snakemake.wildcards.variant,
        out=snakemake.output.triples,
        device=snakemake.params.device,
    )
