"""Draw completions of every problem of a benchmark: the only step of evaluation that may need a GPU."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import cast

import pandas as pd

from rlvr.bases.chat import check_chat
from rlvr.bases.loading import load_tokenizer
from rlvr.core.errors import InputError
from rlvr.core.imports import collector_paused
from rlvr.core.installed import check_weights
from rlvr.core.io import read_json, read_table, sha256_file, write_json, write_table
from rlvr.core.seeds import derive_seed
from rlvr.evaluate.engines.protocol import SPLITTING, Engine, Sampled, SamplingSettings, SplittingEngine
from rlvr.evaluate.parts import Parts, Progress, share_of, split
from rlvr.evaluate.sampled import drawn_before, keep_samples, record_of, restore_samples
from rlvr.prompts import find_template, render_prompt
from rlvr.tables import PROBLEMS, SAMPLES

__all__ = ["SamplingSettings", "sample", "sample_file"]


def sample(
    problems: pd.DataFrame,
    engine: Engine,
    run_id: str,
    benchmark: str,
    settings: SamplingSettings,
    part: range | None = None,
) -> pd.DataFrame:
    """Completions of every problem, or of those of a part.

    Args:
        problems: ``tables.PROBLEMS``.
        engine: What draws them.
        run_id: Run, or ``<model>_base`` for the untrained base.
        benchmark: Name of the set of problems.
        settings: Protocol; the stream depends on its seed, the run and the benchmark.
        part: Places of the problems to complete, for an engine of ``SPLITTING``.

    Returns:
        ``tables.SAMPLES``, ``samples_per_problem`` rows for every problem, in the problems' order.
    """
    seed = derive_seed(settings.seed, run_id, benchmark)
    if part is not None:
        problems = problems.iloc[part.start : part.stop]
    prompts_P = [render_prompt(question, settings.template) for question in problems["question"]]
    if part is None:
        completions_PK = engine.generate(prompts_P, settings, seed)
    else:
        completions_PK = cast(SplittingEngine, engine).generate(prompts_P, settings, seed, first=part.start)
    drawn = [
        _row(problem_id, sample, completion)
        for problem_id, completions_K in zip(problems["problem_id"], completions_PK, strict=True)
        for sample, completion in enumerate(completions_K)
    ]
    return pd.DataFrame(drawn).assign(run_id=run_id, benchmark=benchmark)


def sample_parts(
    problems: pd.DataFrame,
    engine: Engine,
    run_id: str,
    benchmark: str,
    settings: SamplingSettings,
    parts: Parts,
    shards: int = 1,
    shard: int | None = None,
) -> pd.DataFrame:
    """Completions of every problem, drawn part by part; those of parts that are there are not drawn again.

    Args:
        problems: ``tables.PROBLEMS``.
        engine: One of ``SPLITTING``.
        run_id: Run, or ``<model>_base`` for the untrained base.
        benchmark: Name of the set of problems.
        settings: Protocol.
        parts: Where parts are kept.
        shards: How many jobs share the parts.
        shard: Which of them this is; ``None`` sees to all parts.

    Returns:
        ``tables.SAMPLES`` of the parts of this job.
    """
    k = settings.samples_per_problem
    asked = list(share_of(split(len(problems), k, shards), shards, shard))
    found = {part: parts.read(benchmark, part) for part in asked}
    progress = Progress(benchmark, sum(k * len(part) for part in asked if found[part] is None))
    for part in asked:
        if found[part] is None:
            drawn = sample(problems, engine, run_id, benchmark, settings, part)
            parts.write(benchmark, part, drawn, engine.lost_share)
            progress.add(len(drawn), int(drawn["completion_tokens"].sum()))
            found[part] = drawn
    tables = [table for table in found.values() if table is not None]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _row(problem_id: str, sample: int, completion: Sampled) -> dict[str, object]:
    return {
        "problem_id": problem_id,
        "sample": sample,
        "text": completion.text,
        "completion_tokens": completion.tokens,
        "finish_reason": completion.finish_reason,
    }


def load_engine(
    base_dir: str | Path,
    run_dir: str | Path | None,
    settings: SamplingSettings,
    max_lost_share: float = 1.0,
    longest: int | None = None,
) -> Engine:
    """The engine that the settings name, with its model; its library is imported here and nowhere else.

    Args:
        base_dir: Folder of the base model.
        run_dir: Folder of the finished run; ``None`` for the untrained base.
        settings: Engine, type and device.
        max_lost_share: Largest share of a run's update that rounding may remove.
        longest: Tokens of the longest prompt with its completion; vLLM keeps memory for so many.

    Raises:
        InputError: If the weights of the base have changed since they were installed.
    """
    if settings.engine == "vllm":
        check_weights(base_dir)  # transformers' engine opens the base by `load_base`, which checks
        from rlvr.evaluate.engines.vllm_engine import VllmEngine

        return VllmEngine(base_dir, run_dir, settings.dtype, max_lost_share, longest)
    with collector_paused():
        from rlvr.evaluate.engines.transformers_engine import TransformersEngine

        return TransformersEngine(base_dir, run_dir, settings.dtype, settings.device)


def sample_file(
    problems_paths: Mapping[str, str | Path],
    base_dir: str | Path,
    run_dir: str | Path | None,
    run_id: str,
    settings: Mapping[str, SamplingSettings],
    samples_path: str | Path,
    record_path: str | Path,
    recipe: int = 1,
    max_lost_share: float = 1.0,
    shards: int = 1,
    shard: int | None = None,
) -> None:
    """Read the problems of a suite, complete them with a base or a finished run, write ``tables.SAMPLES``.

    The model is loaded once; each benchmark has a protocol and a random stream of its own, so that its samples do not
    depend on what else is in the suite. Samples that were drawn before from the same weights, questions and settings
    are not drawn again; with an engine of ``SPLITTING`` that holds for parts of them, too.

    Args:
        problems_paths: Problems by benchmark.
        base_dir: Folder of the base model.
        run_dir: Folder of the finished run; ``None`` samples the untrained base.
        run_id: Run, or ``<model>_base``.
        settings: Protocol by benchmark; engine, type and device are those of the first.
        samples_path: Table to write.
        record_path: JSON file to write: what was asked and which base answered (see ``sampled.record_of``), and the
            share of the run's update that rounding removed.
        recipe: Version of the scale's recipe.
        max_lost_share: Largest such share that is sampled.
        shards: How many jobs share the parts of the suite.
        shard: Which of them this is: its parts are drawn and kept, and no table is written. ``None``: the job that
            writes the table, of parts that are there and of those that it has to draw itself.

    Raises:
        InputError: If there is no problem, the base is not usable, a prompt does not fit the model, too much of the
            update would be rounded away, or the engine cannot draw a part by itself.
    """
    problems = {benchmark: _read_problems(path) for benchmark, path in problems_paths.items()}
    asked = {"recipe": recipe, "sampling": {name: asdict(protocol) for name, protocol in settings.items()}}
    today = record_of(problems, base_dir, asked)
    if run_dir is not None and (manifest := Path(run_dir) / "run.json").is_file():
        today["weights"] = read_json(manifest)["sha256"]
    settled = restore_samples if shard is None else drawn_before
    if settled(samples_path, record_path, today, max_lost_share):
        return
    for template in dict.fromkeys(protocol.template for protocol in settings.values()):
        if find_template(template).chat:
            check_chat(load_tokenizer(base_dir), template, base_dir)
    first = next(iter(settings.values()))
    check_shards(first.engine, shards)
    longest = longest_sequence(problems, base_dir, settings) if first.engine == "vllm" else None
    engine, parts = load_engine(base_dir, run_dir, first, max_lost_share, longest), Parts(samples_path, today)
    samples = [
        sample_parts(problems[name], engine, run_id, name, protocol, parts, shards, shard)
        if first.engine in SPLITTING
        else sample(problems[name], engine, run_id, name, protocol)
        for name, protocol in settings.items()
    ]
    if shard is not None:
        return
    write_table(pd.concat(samples, ignore_index=True), samples_path, SAMPLES)
    lost_share = max(engine.lost_share, parts.lost_share)
    write_json(today | {"lost_share": lost_share, "samples_sha256": sha256_file(samples_path)}, record_path)
    keep_samples(samples_path, record_path)
    parts.remove()


def check_shards(engine: str, shards: int) -> None:
    """Check that an engine can share a suite among jobs.

    Raises:
        InputError: If it draws all completions of a benchmark from one stream.
    """
    if shards > 1 and engine not in SPLITTING:
        problem = f"the engine '{engine}' draws a benchmark from one stream; {shards} jobs cannot share it."
        raise InputError("resources.sample.shards", problem, f"Set it to 1, or choose {', '.join(SPLITTING)}.")


def longest_sequence(
    problems: Mapping[str, pd.DataFrame], base_dir: str | Path, settings: Mapping[str, SamplingSettings]
) -> int:
    """Tokens of the longest prompt with the longest completion that its protocol allows.

    Raises:
        InputError: If that is more than the model has positions for; names the benchmark.
    """
    tokenizer, positions = (
        load_tokenizer(base_dir),
        read_json(Path(base_dir) / "config.json")["max_position_embeddings"],
    )
    lengths = {}
    for name, protocol in settings.items():
        prompts = [render_prompt(question, protocol.template) for question in problems[name]["question"]]
        lengths[name] = max(map(len, tokenizer(prompts)["input_ids"])) + protocol.max_completion_tokens
        if lengths[name] > positions:
            problem = f"its longest prompt and completion have {lengths[name]} tokens, the model {positions} positions."
            raise InputError(f"benchmark '{name}', {base_dir}", problem, "Lower its max_completion_tokens.")
    return max(lengths.values())


def _read_problems(path: str | Path) -> pd.DataFrame:
    problems = read_table(path, PROBLEMS)
    if problems.empty:
        raise InputError(path, "holds no problem.", "Loosen the curation of this data set.")
    return problems
