"""Compile the PDF."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.pdf import PaperFiles, compile_paper

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    compile_paper(
        main_path=snakemake.input.main,
        files=PaperFiles(
            numbers=snakemake.input.numbers,
            claims=snakemake.input.claims,
            audit=snakemake.input.audit,
            tags=snakemake.input.tags,
            tables=snakemake.input.tables,
            figures=snakemake.input.figures,
        ),
        study=snakemake.params.study,
        captions=snakemake.params.captions,
        pdf_path=snakemake.output.pdf,
    )
