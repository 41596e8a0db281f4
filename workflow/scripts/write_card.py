"""Write the card of a run."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.model_cards import named_paths, write_card

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    write_card(
        manifest_path=snakemake.input.run,
        scores=named_paths(snakemake.input, "scores"),
        base_scores=named_paths(snakemake.input, "base_scores"),
        facts=snakemake.params.facts,
        path=snakemake.output.card,
    )
