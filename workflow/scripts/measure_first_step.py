"""Measure one gradient step at the layers of a base from several starts."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.spectra.policy_gradients import FirstStepSettings, measure_first_step

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    measure_first_step(
        base_dir=Path(snakemake.input.base).parent,
        model=snakemake.wildcards.model,
        problems_path=snakemake.input.problems,
        evaluated={name: snakemake.input[name] for name in ("samples", "grades", "record")},
        settings=FirstStepSettings(**snakemake.params.settings),
        out=snakemake.output.steps,
    )
