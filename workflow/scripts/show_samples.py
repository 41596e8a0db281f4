"""Show completions of bases and runs to chosen problems side by side."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.sample_pages import PageOptions, page_inputs, show_samples_file

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    show_samples_file(
        paths=page_inputs(snakemake.input),
        benchmark=snakemake.wildcards.benchmark,
        options=PageOptions(**snakemake.params.page),
        md_path=snakemake.output.md,
        html_path=snakemake.output.html,
    )
