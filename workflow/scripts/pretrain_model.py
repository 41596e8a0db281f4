"""Pre-train a small base on texts with noisy answers and formats."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.bases.pretrain import PretrainSettings, pretrain_base
from rlvr.core.joblog import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    settings = PretrainSettings(
        architecture=snakemake.params.model["architecture"],
        steps=snakemake.params.model["steps"],
        template=snakemake.params.template,
        **{**snakemake.params.pretrain, "seed": snakemake.params.model.get("seed", snakemake.params.pretrain["seed"])},
    )
    corpus = snakemake.params.model.get("corpus", "digits")
    pretrain_base(settings, Path(snakemake.output.model).parent, corpus)
