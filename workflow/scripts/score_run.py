"""Score one run on the benchmarks of one suite."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.evaluate.scoring import score_file

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    score_file(
        grades_path=snakemake.input.grades,
        record_path=snakemake.input.record,
        scores_path=snakemake.output.scores,
        answers_path=snakemake.output.answers,
    )
