"""Sample k completions of every problem of a suite."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.devices import hold_devices
from rlvr.core.joblog import log_to
from rlvr.evaluate.engines.protocol import SamplingSettings
from rlvr.evaluate.sampling import sample_file

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    hold_devices(snakemake.resources.gpu, snakemake.config["gpus"])
    sample_file(
        problems_paths=dict(zip(snakemake.params.sampling, snakemake.input.problems, strict=True)),
        base_dir=Path(snakemake.input.base).parent,
        run_dir=Path(snakemake.input.run).parent if snakemake.input.run else None,
        run_id=snakemake.wildcards.run_id,
        settings={name: SamplingSettings(**how) for name, how in snakemake.params.sampling.items()},
        samples_path=snakemake.output.samples,
        record_path=snakemake.output.record,
        recipe=snakemake.params.recipe,
        max_lost_share=snakemake.config["max_lost_share"],
        shards=max(len(snakemake.input.shards), 1),
    )
