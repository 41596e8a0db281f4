"""Make one table in every format."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.report.cells import Scope
from rlvr.report.evidence import InputPaths
from rlvr.report.files import TableFiles, tabulate_file

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    tabulate_file(
        output_id=snakemake.wildcards.table,
        outputs_path=snakemake.input.outputs,
        scope=Scope(**snakemake.params.scope),
        inputs=InputPaths(
            scores=snakemake.input.scores,
            manifests=snakemake.input.manifests,
            spectra=snakemake.input.spectra,
            diagnostics=snakemake.input.diagnostics,
        ),
        files=TableFiles(**dict(snakemake.output.items())),
    )
