"""Draw completions of every problem of a benchmark: the only step of evaluation that may need a GPU."""

from pathlib import Path

import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.io import read_table, write_table
from rlvr.core.seeds import derive_seed
from rlvr.evaluate.engines.protocol import Completion, Engine, SamplingSettings
from rlvr.prompts import render_prompt
from rlvr.tables import PROBLEMS, SAMPLES

__all__ = ["SamplingSettings", "sample", "sample_file"]


def sample(
    problems: pd.DataFrame, engine: Engine, run_id: str, benchmark: str, settings: SamplingSettings
) -> pd.DataFrame:
    """Completions of every problem.

    Args:
        problems: ``tables.PROBLEMS``.
        engine: What draws them.
        run_id: Run, or ``<model>_base`` for the untrained base.
        benchmark: Name of the set of problems.
        settings: Protocol; the stream depends on its seed, the run and the benchmark.

    Returns:
        ``tables.SAMPLES``, ``samples_per_problem`` rows for every problem, in the problems' order.
    """
    prompts_P = [render_prompt(question, settings.template) for question in problems["question"]]
    completions_PK = engine.generate(prompts_P, settings, derive_seed(settings.seed, run_id, benchmark))
    drawn = [
        _row(problem_id, sample, completion)
        for problem_id, completions_K in zip(problems["problem_id"], completions_PK, strict=True)
        for sample, completion in enumerate(completions_K)
    ]
    return pd.DataFrame(drawn).assign(run_id=run_id, benchmark=benchmark)


def _row(problem_id: str, sample: int, completion: Completion) -> dict[str, object]:
    return {
        "problem_id": problem_id,
        "sample": sample,
        "text": completion.text,
        "completion_tokens": completion.tokens,
        "finish_reason": completion.finish_reason,
    }


def load_engine(base_dir: str | Path, run_dir: str | Path | None, settings: SamplingSettings) -> Engine:
    """The engine that the settings name, with its model; its library is imported here and nowhere else."""
    if settings.engine == "vllm":
        from rlvr.evaluate.engines.vllm_engine import VllmEngine

        return VllmEngine(base_dir, run_dir, settings.dtype)
    from rlvr.evaluate.engines.transformers_engine import TransformersEngine

    return TransformersEngine(base_dir, run_dir, settings.dtype, settings.device)


def sample_file(
    problems_path: str | Path,
    base_dir: str | Path,
    run_dir: str | Path | None,
    run_id: str,
    benchmark: str,
    settings: SamplingSettings,
    samples_path: str | Path,
) -> None:
    """Read problems, complete them with a base or a finished run, write ``tables.SAMPLES``.

    Raises:
        InputError: If there is no problem, the base is not usable or a prompt does not fit the model.
    """
    problems = read_table(problems_path, PROBLEMS)
    if problems.empty:
        raise InputError(problems_path, "holds no problem.", "Loosen the curation of this data set.")
    engine = load_engine(base_dir, run_dir, settings)
    write_table(sample(problems, engine, run_id, benchmark, settings), samples_path, SAMPLES)
