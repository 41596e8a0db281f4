"""Download a public checkpoint from the Hugging Face hub at its revision."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.bases.hub_models import fetch_checkpoint
from rlvr.core.joblog import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    fetch_checkpoint(
        repository=snakemake.params.checkpoint["repository"],
        revision=snakemake.params.checkpoint["revision"],
        out_dir=Path(snakemake.output.checkpoint).parent,
    )
