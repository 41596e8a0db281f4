"""The schema of every table that crosses a rule: names, types, ranges and units.

Tidy: one observation per row; the run is a column, never parsed from a path. ``strict`` everywhere: a column that no
schema names is an error, as is a missing one.
"""

import pandera.pandas as pa

VERDICTS = ("correct", "wrong", "unparsed", "timed_out")
UNIT = pa.Check.in_range(0, 1)
COUNT = pa.Check.ge(0)
PAIRWISE = ("jaccard", "independent_jaccard", "row_alignment", "column_alignment")  # of two runs from one base


def _schema(name: str, columns: dict[str, pa.Column], unique: list[str], grows: bool = False) -> pa.DataFrameSchema:
    """A strict schema; in a table that ``grows``, nullable columns that an older file lacks are read as missing."""
    return pa.DataFrameSchema(
        columns, name=name, unique=unique, strict=True, coerce=True, ordered=False, add_missing_columns=grows
    )


PROBLEMS = _schema(
    "problems",
    {
        "problem_id": pa.Column(str),
        "dataset": pa.Column(str),
        "question": pa.Column(str, pa.Check.str_length(min_value=1)),
        "answer": pa.Column(str, pa.Check.str_length(min_value=1), description="gold, without \\boxed or $"),
        "verifier": pa.Column(str, description="math | enigmata/<task> | code"),
        "difficulty": pa.Column(float, nullable=True, description="on the source's own scale"),
        "topic": pa.Column(str, nullable=True),
        "meta": pa.Column(str, description="JSON object with further facts of the source"),
        "solution": pa.Column(str, nullable=True, description="worked, as the source tells it; only sft reads it"),
    },
    ["problem_id"],
    grows=True,
)

METRICS = _schema(
    "metrics",
    {
        "run_id": pa.Column(str),
        "step": pa.Column(int, pa.Check.ge(1), description="optimizer step"),
        "loss": pa.Column(float, nullable=True, description="what the step went down on; of sft nats per token"),
        # What speaks of rollouts is missing from a run of sft.
        "reward": pa.Column(float, nullable=True, description="mean total reward of the step's completions"),
        "accuracy": pa.Column(float, UNIT, nullable=True, description="mean accuracy reward"),
        "format": pa.Column(float, nullable=True, description="mean format reward"),
        "kl": pa.Column(
            float,
            nullable=True,
            description="policy from base, nats per token; missing where base_kl_every leaves it out",
        ),
        "kl_rollout": pa.Column(float, nullable=True, description="sampler from the step's policy, nats per token"),
        "entropy": pa.Column(float, nullable=True, description="nats per token"),
        "grad_norm": pa.Column(float, nullable=True, description="before clipping"),
        "learning_rate": pa.Column(float, COUNT),
        "ratio_clipped_share": pa.Column(
            float, UNIT, nullable=True, description="share of tokens whose gradient the clipped ratio takes away"
        ),
        "completion_length": pa.Column(float, COUNT, description="mean tokens"),
        "clipped_share": pa.Column(
            float, UNIT, nullable=True, description="share of completions cut at the token limit"
        ),
        "zero_std_share": pa.Column(
            float, UNIT, nullable=True, description="share of groups whose rewards are all equal"
        ),
        "rollout_lost_share": pa.Column(
            float, COUNT, nullable=True, description="share of the update that rounding removed from what sampled"
        ),
        "extra_rollouts": pa.Column(
            float, COUNT, nullable=True, description="completions sampled for the step's generation and not used"
        ),
        "seconds": pa.Column(float, COUNT, description="wall time of the step"),
    },
    ["run_id", "step"],
    grows=True,
)

SAMPLES = _schema(
    "samples",
    {
        "run_id": pa.Column(str),
        "benchmark": pa.Column(str),
        "problem_id": pa.Column(str),
        "sample": pa.Column(int, COUNT, description="0 .. k-1"),
        "text": pa.Column(str, description="completion without the prompt"),
        "completion_tokens": pa.Column(int, COUNT),
        "finish_reason": pa.Column(str, pa.Check.isin(["stop", "length"])),
    },
    ["run_id", "benchmark", "problem_id", "sample"],
)

GRADES = _schema(
    "grades",
    {
        "run_id": pa.Column(str),
        "benchmark": pa.Column(str),
        "problem_id": pa.Column(str),
        "sample": pa.Column(int, COUNT),
        "completion_tokens": pa.Column(int, COUNT),
        "finish_reason": pa.Column(str, pa.Check.isin(["stop", "length"])),
        "verdict": pa.Column(str, pa.Check.isin(VERDICTS)),
        "extracted": pa.Column(str, nullable=True, description="the answer that was compared"),
        "stage": pa.Column(str, description="where the verdict was decided: extract, parse, match, rule"),
        "grader": pa.Column(str, description="grader version"),
    },
    ["run_id", "benchmark", "problem_id", "sample"],
)

PUZZLES = _schema(
    "puzzles",
    {
        "run_id": pa.Column(str),
        "benchmark": pa.Column(str),
        "problem_id": pa.Column(str),
        "sample": pa.Column(int, COUNT),
        "task": pa.Column(str, description="of Enigmata"),
        "official": pa.Column(str, pa.Check.isin(VERDICTS), description="the scored verdict"),
        "rules": pa.Column(str, pa.Check.isin(VERDICTS), description="what the prompt's rules say"),
    },
    ["run_id", "benchmark", "problem_id", "sample"],
)

SCORES = _schema(
    "scores",
    {
        "run_id": pa.Column(str),
        "benchmark": pa.Column(str),
        "statistic": pa.Column(str, pa.Check.isin(["avg_at_k", "pass_at_k", "maj_at_k"])),
        "k": pa.Column(int, pa.Check.ge(1)),
        "n_problems": pa.Column(int, pa.Check.ge(1)),
        "value": pa.Column(float, UNIT),
        "low": pa.Column(float, UNIT, description="95 % interval over problems"),
        "high": pa.Column(float, UNIT),
        "wrong_share": pa.Column(float, UNIT),
        "unparsed_share": pa.Column(float, UNIT),
        "timed_out_share": pa.Column(float, UNIT),
        "truncated_share": pa.Column(float, UNIT, description="completions cut at the token limit"),
        "mean_completion_tokens": pa.Column(float, COUNT),
        "lost_share": pa.Column(
            float,
            COUNT,
            nullable=True,
            description="norm of what rounding removed from the sampled weights over that of the update; 0 for a base",
        ),
    },
    ["run_id", "benchmark", "statistic"],
)

ANSWERS = _schema(
    "answers",
    {
        "run_id": pa.Column(str),
        "benchmark": pa.Column(str),
        "statistic": pa.Column(str, pa.Check.isin(["avg_at_k", "pass_at_k", "maj_at_k"])),
        "problem_id": pa.Column(str),
        "value": pa.Column(float, UNIT, description="of this problem; a score is the mean over problems"),
        "samples": pa.Column(int, pa.Check.ge(1), description="behind it: k of avg_at_k, otherwise 1"),
    },
    ["run_id", "benchmark", "statistic", "problem_id"],
)

SPECTRA = _schema(
    "spectra",
    {
        "run_id": pa.Column(str),
        "module": pa.Column(str, description="name in the base model, e.g. model.layers.0.self_attn.q_proj"),
        "layer": pa.Column(int, pa.Check.ge(-1), description="-1 outside the decoder layers"),
        "projection": pa.Column(str, description="q_proj ... down_proj"),
        "rows": pa.Column(int, pa.Check.ge(1)),
        "cols": pa.Column(int, pa.Check.ge(1)),
        "quantity": pa.Column(str),
        "value": pa.Column(float),
        "std_error": pa.Column(float, COUNT, description="0 where exact"),
        "method": pa.Column(str, pa.Check.isin(["exact", "factored", "estimated"])),
    },
    ["run_id", "module", "quantity"],
)

DIAGNOSTICS = _schema(
    "diagnostics",
    {
        "run_id": pa.Column(str),
        "module": pa.Column(str, description="name in the base model; 'model' for the whole of it"),
        "layer": pa.Column(int, pa.Check.ge(-1), description="-1 outside the decoder layers"),
        "projection": pa.Column(str),
        "rows": pa.Column(int, pa.Check.ge(1)),
        "cols": pa.Column(int, pa.Check.ge(1)),
        "quantity": pa.Column(str),
        "index": pa.Column(int, COUNT, description="0 for a scalar; 1, 2, ... along a curve"),
        "value": pa.Column(float),
    },
    ["run_id", "module", "quantity", "index"],
)

AGREEMENT = _schema(
    "agreement",
    {
        "base": pa.Column(str, description="what the runs were tuned from"),
        "module": pa.Column(str),
        "layer": pa.Column(int, pa.Check.ge(-1)),
        "projection": pa.Column(str),
        "quantity": pa.Column(str, pa.Check.isin([*PAIRWISE, "row_consensus", "column_consensus"])),
        "first": pa.Column(str, description="run id; empty for a profile over all runs"),
        "second": pa.Column(str),
        "index": pa.Column(int, COUNT, description="row or column of a profile; 0 for a pair of runs"),
        "value": pa.Column(float, pa.Check.in_range(-1, 1)),
    },
    ["base", "module", "quantity", "first", "second", "index"],
)

FROZEN_SPECTRA = _schema(
    "frozen_spectra",
    {
        "model": pa.Column(str),
        "module": pa.Column(str),
        "layer": pa.Column(int, pa.Check.ge(-1)),
        "projection": pa.Column(str),
        "rows": pa.Column(int, pa.Check.ge(1)),
        "cols": pa.Column(int, pa.Check.ge(1)),
        "index": pa.Column(int, pa.Check.ge(1), description="1 is the largest singular value"),
        "singular_value": pa.Column(float, COUNT),
        "normalised": pa.Column(float, UNIT, description="divided by the largest of the module"),
    },
    ["model", "module", "index"],
)

STARTS = _schema(
    "starts",
    {
        "shape": pa.Column(str, description="rows x columns of the weight"),
        "start": pa.Column(
            str, pa.Check.isin(["rounded", "exact", "stored"]), description="stored: exact, then in bfloat16"
        ),
        "rate": pa.Column(float, COUNT, description="learning rate; 0 is untrained"),
        "effective_rank": pa.Column(float, COUNT, description="of the update; 0 for rounding in float32 alone"),
        "relative_norm": pa.Column(float, COUNT, description="of the update over that of the weight"),
    },
    ["shape", "start", "rate"],
)

DECAY = _schema(
    "decay",
    {
        "model": pa.Column(str),
        "projection": pa.Column(str, description="q_proj ... down_proj, or all"),
        "quantity": pa.Column(str, description="normalised; exponent_ and r_squared_ of the fits _top and _full"),
        "index": pa.Column(int, COUNT, description="of the singular value; 0 for a fit"),
        "mean": pa.Column(float, description="over layers"),
        "std": pa.Column(float, COUNT, description="over layers, n - 1; 0 for a single layer"),
        "layers": pa.Column(int, pa.Check.ge(1), description="matrices that have a value there"),
    },
    ["model", "projection", "quantity", "index"],
)

CELLS = _schema(
    "cells",
    {
        "output": pa.Column(str, description="table or figure"),
        "row": pa.Column(str, description="key of the row"),
        "label": pa.Column(str, description="the row's label columns, joined by ' | '"),
        "column": pa.Column(str),
        "unit": pa.Column(str),
        "decimals": pa.Column(int, COUNT),
        "value": pa.Column(float, nullable=True, description="reproduced; missing when not run"),
        "low": pa.Column(float, nullable=True),
        "high": pa.Column(float, nullable=True),
        "reported": pa.Column(float, nullable=True, description="as printed in the paper, as a number"),
        "printed": pa.Column(str, description="as printed in the paper; empty for nothing"),
        "verdict": pa.Column(
            str, pa.Check.isin(["agrees", "differs", "spread unknown", "stand-in", "not reported", "not run"])
        ),
        "z": pa.Column(float, nullable=True, description="normal score of the distance; beyond 1.96 it differs"),
        "seed_sd": pa.Column(float, COUNT, nullable=True, description="over seeds, behind z; of spectra relative"),
        "spread_from": pa.Column(str, description="own seeds, family, printed, tolerance, exact; empty for nothing"),
        "lost_share": pa.Column(float, COUNT, nullable=True, description="as in scores; the largest of the runs"),
        "runs": pa.Column(str, description="run ids that the value comes from, joined by ' '"),
    },
    ["output", "row", "column"],
)
