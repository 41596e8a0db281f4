"""Collect every number that the paper's text may show."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.cells import ReportScope
from rlvr.report.numbers import collect_numbers_file

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    collect_numbers_file(
        scope=ReportScope(**snakemake.params.scope),
        cells_paths=snakemake.input.cells,
        scores_paths=snakemake.input.scores,
        manifest_paths=snakemake.input.manifests,
        runs=snakemake.params.runs,
        json_path=snakemake.output.json,
        tex_path=snakemake.output.tex,
    )
