"""Make a kept step of a finished run a run of its own."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.train.keeping import make_kept_run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    make_kept_run(
        parent=Path(snakemake.input.run).parent,
        step=snakemake.params.step,
        run_id=snakemake.wildcards.run_id,
        out=Path(snakemake.output.run).parent,
    )
