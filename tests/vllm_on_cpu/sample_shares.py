"""Sample a random base in one job, in two that share the work, or in one that goes on; for the environment of vLLM."""

import sys
from pathlib import Path

import pandas as pd
from sample_both import LONGEST, ON_A_CPU, PROMPTS, write_base

from rlvr.core.io import write_table
from rlvr.evaluate.engines import vllm_engine
from rlvr.evaluate.engines.protocol import SamplingSettings
from rlvr.evaluate.sampling import sample_file
from rlvr.tables import PROBLEMS

SETTINGS = SamplingSettings(
    samples_per_problem=16, temperature=1.0, top_p=0.9, max_completion_tokens=48, batch_completions=64, seed=0,
    template="compact", engine="vllm",
)  # fmt: skip


def write_problems(path: Path) -> Path:
    """Eight problems."""
    rows = [
        {
            "problem_id": f"p{index}", "dataset": "mine", "question": f"{PROMPTS[index % len(PROMPTS)]}{index}",
            "answer": "1", "verifier": "math", "difficulty": 1.0, "topic": "", "meta": "{}", "solution": "",
        }
        for index in range(8)
    ]  # fmt: skip
    write_table(pd.DataFrame(rows), path, PROBLEMS)
    return path


def main(folder: Path, samples: Path, shards: int, shard: int | None) -> None:
    """Draw a share, or the whole table."""
    arguments = vllm_engine.engine_arguments
    vllm_engine.engine_arguments = lambda *given: arguments(*given) | ON_A_CPU | {"max_model_len": LONGEST}
    base, problems = folder / "base", folder / "problems.parquet"
    if not problems.exists():
        write_base(base)
        write_problems(problems)
    record = samples.with_suffix(".json")
    sample_file(
        {"mine": problems}, base, None, "mine_base", {"mine": SETTINGS}, samples, record, shards=shards, shard=shard
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]) if sys.argv[4] else None)
