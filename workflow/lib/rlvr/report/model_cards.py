"""The card of a trained adapter or model: what it is, what it scores, how it is loaded, what it is not."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from rlvr.core.errors import InputError
from rlvr.core.escaping import markdown_inline
from rlvr.core.io import read_json
from rlvr.report.evidence import read_tables
from rlvr.report.files import write_text

if TYPE_CHECKING:
    import pandas as pd

NEEDS_IMPORT = ("QUANTA", "MORA")  # tuners that PEFT lacks
STATISTICS = {"avg_at_k": "Avg@{k}", "pass_at_k": "Pass@{k}", "maj_at_k": "maj@{k}"}
# Settings of the table, in order, with what a reader calls them.
SHOWN = {
    "method": "method", "rank": "rank", "alpha": "alpha", "dims": "axes", "target_modules": "adapted modules",
    "block_size": "block size", "butterfly_factors": "butterfly factors", "density": "density",
    "rate_ratio": "ratio of the rates of B and A", "learning_rate": "peak learning rate", "schedule": "schedule",
    "algorithm": "algorithm", "loss_type": "loss", "reward": "reward", "group_size": "completions per prompt",
    "completions_per_step": "completions per step", "kl_beta": "weight of the KL term", "temperature": "temperature",
    "max_completion_tokens": "longest completion (tokens)", "seed": "seed",
}  # fmt: skip


def write_card(
    manifest_path: str, scores: Sequence[str], base_scores: Sequence[str], facts: Mapping[str, Any], path: str
) -> None:
    """Write the card of a finished run.

    Args:
        manifest_path: ``run.json``.
        scores: ``tables.SCORES`` of the run, none where it was not evaluated.
        base_scores: The like tables of its untrained base.
        facts: ``studies`` (titles), ``scale``, ``comparable``, and ``base`` (what the scale declares of the model).
        path: Markdown file.
    """
    from rlvr.tables import SCORES

    tables = [read_tables(list(paths), SCORES) if paths else None for paths in (scores, base_scores)]
    write_text(card_text(read_json(manifest_path), tables[0], tables[1], facts), path)


def named_paths(named: Any, name: str) -> list[str]:
    """Files of a rule under one name of its inputs, of which there may be none, one or several."""
    found = named.get(name, [])
    return [found] if isinstance(found, str) else [str(path) for path in found]


def card_text(
    manifest: Mapping[str, Any], scores: "pd.DataFrame | None", base: "pd.DataFrame | None", facts: Mapping[str, Any]
) -> str:
    """The card as Markdown with the hub's header. Nothing in it is of the machine, so that equal runs have equal cards.

    Args:
        manifest: Content of ``run.json``.
        scores: ``tables.SCORES`` of the run, or ``None``.
        base: Those of its base, or ``None``.
        facts: See :func:`write_card`.
    """
    settings = manifest["settings"]
    parts = [
        _header(manifest, facts["base"]),
        f"# {markdown_inline(manifest['run_id'])}",
        _opening(manifest, facts),
        "## Training",
        _settings_table(settings, manifest),
        "## Scores",
        _scores_text(scores, base),
        "## How to load it",
        loading_text(manifest, base_address(facts["base"]) or f"<folder of {settings['model']}>"),
        "## What to know",
        _limits(facts),
    ]
    return "\n\n".join(parts) + "\n"


def base_address(declared: Mapping[str, Any]) -> str:
    """Name of a base on the hub; empty for one that is not there."""
    return str(declared.get("repository", ""))


def _header(manifest: Mapping[str, Any], declared: Mapping[str, Any]) -> str:
    adapter = manifest["tuner"] is not None
    content: dict[str, Any] = {
        "library_name": "peft" if adapter else "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["reinforcement-learning", "rlvr", "grpo", manifest["settings"]["method"]],
    }
    if address := base_address(declared):
        content |= {"base_model": address, "base_model_relation": "adapter" if adapter else "finetune"}
    return f"---\n{yaml.safe_dump(content, sort_keys=True).strip()}\n---"


def _opening(manifest: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    settings, declared = manifest["settings"], facts["base"]
    method, model, dataset = (markdown_inline(settings[name]) for name in ("method", "model", "dataset"))
    kind = "All weights of" if manifest["tuner"] is None else f"A {method} adapter for"
    address = base_address(declared)
    revision = f" ({markdown_inline(address)}, revision {markdown_inline(declared['revision'])})" if address else ""
    of = f" It belongs to the reproduction of {_listed(facts['studies'])}." if facts["studies"] else ""
    return (
        f"{kind} {model}{revision}, trained by reinforcement learning with verifiable rewards on {dataset}: "
        f"{manifest['inputs']['problems']:,} problems, {manifest['steps']:,} optimizer steps, "
        f"{manifest['trainable_parameters']:,} trainable parameters.{of}"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"*{markdown_inline(name)}*" for name in names)


def _settings_table(settings: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    rows = [(name, settings[key]) for key, name in SHOWN.items() if settings.get(key) is not None]
    rows += [("template of prompts", settings["template"]), ("problems, digest", manifest["inputs"]["train_sha256"])]
    rows += [("base, digest", manifest["sha256"]["base_before"])]
    lines = [f"| {name} | {markdown_inline(_plain(value))} |" for name, value in rows]
    return "\n".join(["| setting | value |", "|---|---|", *lines])


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return " x ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _scores_text(scores: "pd.DataFrame | None", base: "pd.DataFrame | None") -> str:
    if scores is None or scores.empty:
        return "Not evaluated."
    keys = ["benchmark", "statistic", "k"]
    before = {} if base is None else {tuple(row[key] for key in keys): row for row in base.to_dict("records")}
    lines = ["| benchmark | statistic | problems | this | untrained base |", "|---|---|--:|--:|--:|"]
    for row in scores.to_dict("records"):
        known = before.get(tuple(row[key] for key in keys))
        cells = (
            markdown_inline(row["benchmark"]),
            STATISTICS[row["statistic"]].format(k=row["k"]),
            str(row["n_problems"]),
            _interval(row),
            "" if known is None else _interval(known),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", "Percent, with 95 % intervals over the choice of problems. One run, one seed."])


def _interval(row: Mapping[Any, Any]) -> str:
    return f"{100 * row['value']:.1f} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"


def loading_text(manifest: Mapping[str, Any], base: str) -> str:
    """How a finished run is loaded, as a block of Python.

    Args:
        manifest: Content of ``run.json``.
        base: Name or folder of the base.

    Raises:
        InputError: For an adapter without a type.
    """
    if manifest["tuner"] is None:
        code = 'AutoModelForCausalLM.from_pretrained("<this folder>")'
        return f"```python\nfrom transformers import AutoModelForCausalLM\n\nmodel = {code}\n```"
    kind = (manifest["peft_config"] or {}).get("peft_type")
    if kind is None:
        raise InputError(manifest["run_id"], "states no type of its adapter.", "Train the run again.")
    lines = ["import rlvr.adapters  # makes its type known to PEFT"] if kind in NEEDS_IMPORT else []
    lines += ["from peft import PeftModel", "from transformers import AutoModelForCausalLM", ""]
    lines += [f"base = AutoModelForCausalLM.from_pretrained({json.dumps(base)})"]
    lines += ['model = PeftModel.from_pretrained(base, "<this folder>")']
    found = "```python\n" + "\n".join(lines) + "\n```"
    if kind in NEEDS_IMPORT:
        found += '\n\nPEFT does not have this method: the package `rlvr` brings it (`pip install ".[adapters]"`).'
    if kind == "BOFT":
        found += (
            "\n\nWithout its compiled extension PEFT reads one butterfly factor only: load it by "
            '`rlvr.adapters.methods.find_method("card", "boft").load_adapter(base, folder)`.'
        )
    return found


def _limits(facts: Mapping[str, Any]) -> str:
    lines = ["* Trained on mathematics and puzzles with a verifier: whatever no verifier asked for was not trained."]
    lines += ["* Licences of the base and of the data apply; see their cards."]
    if not facts["comparable"]:
        stand_in = "a stand-in of what the papers train. Its numbers compare with no printed one."
        lines.append(f"* Scale {markdown_inline(facts['scale'])}: {stand_in}")
    return "\n".join(lines)
