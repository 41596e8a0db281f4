"""Bring a run with its card to a folder or to the hub."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.core.publishing import publish_run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    publish_run(
        run=str(Path(snakemake.input.run).parent),
        card=snakemake.input.card,
        base=snakemake.params.base,
        to=snakemake.params.to,
        private=snakemake.params.private,
        record=snakemake.output.record,
    )
