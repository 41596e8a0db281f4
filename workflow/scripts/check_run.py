"""Compare a finished run with today's settings, problems and base."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.train.recorded import check_recorded

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    check_recorded(
        run_path=snakemake.input.run,
        problems_path=snakemake.input.problems,
        base_dir=Path(snakemake.input.base).parent,
        settings=snakemake.params.settings,
        checked_path=snakemake.output.checked,
    )
