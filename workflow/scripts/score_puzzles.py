"""Score the tasks of an Enigmata suite in both modes, beside their ceilings."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.evaluate.puzzle_scores import score_puzzles_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    score_puzzles_files(
        samples_path=snakemake.input.samples,
        grades_path=snakemake.input.grades,
        problems_paths=snakemake.input.problems,
        verdicts_path=snakemake.output.verdicts,
        scores_path=snakemake.output.scores,
        markdown_path=snakemake.output.markdown,
    )
