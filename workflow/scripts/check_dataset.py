"""Check a curated data set against benchmarks, tokenizer and grader; write its page."""

from typing import TYPE_CHECKING

from rlvr.core.joblog import log_to
from rlvr.data.dataset_checks import CheckSettings, check_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

if __name__ == "__main__":
    log_to(snakemake.log[0])
    check_files(
        train_path=snakemake.input.train,
        eval_path=snakemake.input.eval,
        card_path=snakemake.input.card,
        benchmark_paths=dict(zip(snakemake.params.benchmarks, snakemake.input.benchmarks, strict=True)),
        settings=CheckSettings(dataset=snakemake.wildcards.dataset, **snakemake.params.settings),
        checks_path=snakemake.output.checks,
        page_path=snakemake.output.page,
    )
