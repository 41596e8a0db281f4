"""Fine-tune a small base on worked solutions in a chat template: the stand-in of a released model that was tuned."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.bases.tuning import TuneSettings, tune_base
from rlvr.core.joblog import log_to

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    model = snakemake.params.model
    tune_base(
        base_dir=Path(snakemake.input.model).parent,
        settings=TuneSettings(
            steps=model["steps"], template=model["template"], seed=model["seed"], **snakemake.params.tune
        ),
        out_dir=Path(snakemake.output.model).parent,
    )
