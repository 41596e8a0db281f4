"""Grade the gold answers of every data set against themselves."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.data.gold_grades import grade_golds_file

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    grade_golds_file(snakemake.input.problems, snakemake.output.golds)
