"""Install a small base as it is shipped with the repository, checked by its checksums."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.bases.shipped import install_shipped
from rlvr.core.joblog import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    install_shipped(
        model=snakemake.wildcards.model,
        shipped_dir=Path(snakemake.input.checksums).parent,
        out_dir=Path(snakemake.output.model).parent,
    )
