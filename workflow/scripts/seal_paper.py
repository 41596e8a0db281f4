"""Record the digests of everything that a study's tables, figures and documents consist of."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.core.seals import seal

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    seal(Path(snakemake.output.seal).parent, {"study": snakemake.wildcards.study})
