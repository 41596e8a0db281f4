"""Download a base model from the Hugging Face hub at its revision."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.bases.hub_models import fetch_base
from rlvr.core.joblog import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    fetch_base(
        repository=snakemake.params.model["repository"],
        revision=snakemake.params.model["revision"],
        out_dir=Path(snakemake.output.model).parent,
        pad_token=snakemake.params.model.get("pad_token"),
    )
