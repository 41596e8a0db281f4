"""Filter, remove duplicates, hold out the evaluation split, write the card."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.data.curation import curate_files
from rlvr.data.curation_recipe import CurationRecipe
from rlvr.data.usable import load_limits

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    curate_files(
        rows_paths=snakemake.input.rows,
        provenance_paths=snakemake.input.provenance,
        recipe=CurationRecipe.from_config(snakemake.wildcards.dataset, snakemake.params.recipe),
        train_path=snakemake.output.train,
        eval_path=snakemake.output.eval,
        card_path=snakemake.output.card,
        limits=load_limits(snakemake.params.longest_prompts, snakemake.input.models, snakemake.params.templates),
    )
