"""The overview of all runs."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.model_cards import named_paths
from rlvr.report.runs_page import write_runs

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    write_runs(
        described=snakemake.params.described,
        paths={name: named_paths(snakemake.input, name) for name in ("manifests", "models", "scores")},
        facts=snakemake.params.facts,
        templates=snakemake.params.templates,
        csv_path=snakemake.output.csv,
        html_path=snakemake.output.html,
    )
