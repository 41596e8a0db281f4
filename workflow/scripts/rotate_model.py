"""Rotate the values and permute the heads of a base in chosen layers, which leaves what it computes as it is."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.bases.symmetry import Symmetry, transform_base
from rlvr.core.joblog import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    model = snakemake.params.model
    transform_base(
        base_dir=Path(snakemake.input.model).parent,
        symmetry=Symmetry(model["rotated_layers"], model["permuted_layers"], model["seed"]),
        out_dir=Path(snakemake.output.model).parent,
    )
