"""Take a base of one's own from its folder."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.bases.own_folder import install_folder
from rlvr.core.joblog import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    install_folder(
        path=snakemake.params.model["path"],
        out_dir=Path(snakemake.output.model).parent,
        pad_token=snakemake.params.model.get("pad_token"),
    )
