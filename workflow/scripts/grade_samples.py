"""Grade every completion."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.evaluate.grades import grade_file
from rlvr.grading.batches import Resources

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    grade_file(
        samples_path=snakemake.input.samples,
        record_path=snakemake.input.record,
        problems_paths=dict(zip(snakemake.params.sampling, snakemake.input.problems, strict=True)),
        base_dir=Path(snakemake.input.base).parent,
        asked={"recipe": snakemake.params.recipe, "sampling": snakemake.params.sampling},
        grades_path=snakemake.output.grades,
        resources=Resources(workers=snakemake.threads, cache_dir=snakemake.config["grade_cache"]),
    )
