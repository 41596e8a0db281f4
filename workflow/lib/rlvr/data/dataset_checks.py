"""All cross-checks of one data set: contamination, prompt lengths, readable golds, repetitions, answer types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.io import atomic_path, read_json, read_table, write_json
from rlvr.data.contamination import NGRAM_WORDS, find_matches, index_benchmarks, summarise_matches
from rlvr.data.dataset_page import render_page
from rlvr.data.inspection import (
    count_answer_types,
    count_duplicates,
    count_odd_characters,
    histogram_lengths,
    measure_lengths,
)
from rlvr.prompts import render_prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class CheckSettings:
    """Settings of the checks of a data set: the tokenizer, template and limit by which its prompts are measured.

    Attributes:
        dataset: Name of the data set.
        model: Name of the scale's model whose tokenizer counts.
        tokenizer: The model as the scale file declares it: ``kind`` and, for ``hub``, repository and revision.
        template: Prompt template of ``rlvr.prompts``.
        max_prompt_tokens: Longest prompt that is trained on.
    """

    dataset: str
    model: str
    tokenizer: Mapping[str, Any]
    template: str
    max_prompt_tokens: int


def check_files(
    train_path: str | Path,
    eval_path: str | Path,
    card_path: str | Path,
    benchmark_paths: Mapping[str, str | Path],
    settings: CheckSettings,
    checks_path: str | Path,
    page_path: str | Path,
) -> None:
    """Check a curated data set; write the findings as JSON and, with the card, as a readable page.

    Args:
        train_path: Training split (``tables.PROBLEMS``); empty for a benchmark.
        eval_path: Evaluation split.
        card_path: The data set's ``card.json``.
        benchmark_paths: Evaluation split of each benchmark, by name; the data set's own may be among them.
        settings: Tokenizer, template and limit.
        checks_path: JSON file to write.
        page_path: Markdown file to write.

    Raises:
        InputError: If a file breaks its schema.
    """
    from rlvr.tables import PROBLEMS

    train, held_out = read_table(train_path, PROBLEMS), read_table(eval_path, PROBLEMS)
    benchmarks = {name: read_table(path, PROBLEMS) for name, path in benchmark_paths.items()}
    checks = check_dataset(train, held_out, benchmarks, settings)
    write_json(checks, checks_path)
    with atomic_path(page_path) as temporary:
        temporary.write_text(render_page(settings.dataset, read_json(card_path), checks), encoding="utf-8")


def check_dataset(
    train: pd.DataFrame, held_out: pd.DataFrame, benchmarks: Mapping[str, pd.DataFrame], settings: CheckSettings
) -> dict[str, Any]:
    """Every check; all but contamination are of both splits together.

    Contamination asks about the training split; a set without one is a benchmark, and what it shares with the others is
    counted instead.

    Args:
        train: Training split, columns of ``tables.PROBLEMS``.
        held_out: Evaluation split.
        benchmarks: Evaluation split of each benchmark.
        settings: Tokenizer, template and limit.

    Returns:
        A JSON object: dataset, problems, contamination, tokens, golds, duplicates, odd_characters, answer_types.
    """
    problems = pd.concat([train, held_out], ignore_index=True)
    split, asked = ("train", train) if len(train) else ("eval", held_out)
    others = {name: rows for name, rows in benchmarks.items() if split == "train" or name != settings.dataset}
    return {
        "dataset": settings.dataset,
        "problems": {"train": len(train), "eval": len(held_out)},
        "contamination": {"split": split, **find_contamination(asked, others)},
        "tokens": count_tokens(problems["question"].tolist(), settings),
        "golds": check_golds(problems),
        "duplicates": count_duplicates(problems),
        "odd_characters": count_odd_characters(problems),
        "answer_types": count_answer_types(problems["answer"]),
    }


def find_contamination(asked: pd.DataFrame, benchmarks: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Overlap of a split with each benchmark (``contamination.summarise_matches``)."""

    def questions(problems: pd.DataFrame) -> Any:
        return zip(problems["problem_id"], problems["question"], strict=True)

    index = index_benchmarks({name: questions(problems) for name, problems in benchmarks.items()})
    sizes = {name: len(problems) for name, problems in benchmarks.items()}
    return {
        "ngram_words": NGRAM_WORDS,
        "benchmarks": summarise_matches(find_matches(questions(asked), index), sizes),
    }


def count_tokens(questions: Sequence[str], settings: CheckSettings) -> dict[str, Any]:
    """Lengths of the rendered prompts, and which tokenizer counted them."""
    tokenizer, name = counting_tokenizer(settings)
    prompts = [render_prompt(question, settings.template) for question in questions]
    lengths = measure_lengths(prompts, lambda texts: tokenizer(texts, add_special_tokens=True)["input_ids"])
    return {"tokenizer": name, "template": settings.template, **histogram_lengths(lengths, settings.max_prompt_tokens)}


def counting_tokenizer(settings: CheckSettings) -> tuple["PreTrainedTokenizerBase", str]:
    """The tokenizer of the scale's model, without its weights, and what to call it.

    A small base has the workflow's own character-level tokenizer; that of a hub model is fetched at its revision,
    that of a packaged one with its package.

    Raises:
        InputError: If it cannot be fetched.
    """
    declared = settings.tokenizer
    if declared["kind"] == "pretrained":
        from rlvr.bases.tokenizer import build_tokenizer

        return build_tokenizer(), f"one token per character (stand-in of {settings.model})"
    if declared["kind"] == "package":
        from rlvr.bases.packaged_models import PackagedModel, packaged_tokenizer

        packaged = PackagedModel.of(declared)
        return packaged_tokenizer(packaged), f"{packaged.file} of {packaged.requirement}"
    from transformers import AutoTokenizer

    if declared["kind"] == "local":
        from rlvr.bases.loading import load_tokenizer

        return load_tokenizer(declared["path"]), f"tokenizer of {settings.model}"
    where = f"{declared['repository']}@{declared['revision']}"
    try:
        return AutoTokenizer.from_pretrained(
            declared["repository"], revision=declared["revision"], trust_remote_code=False
        ), where
    except (OSError, ValueError) as error:
        raise InputError(where, f"has no tokenizer that can be fetched ({error}).", "Fetch the model first.") from error


def check_golds(problems: pd.DataFrame) -> dict[str, Any]:
    """Share of golds that the grader can read and that match themselves; every other one is listed with its reason."""
    from rlvr.data.gold_grades import grade_golds
    from rlvr.grading.grader import GRADER_VERSION

    table = grade_golds(problems).assign(verifier=problems["verifier"])
    failed = table[table["verdict"] != "correct"]
    readable = len(table) - len(failed)
    return {
        "grader": GRADER_VERSION,
        "problems": len(table),
        "readable": readable,
        "share": readable / len(table) if len(table) else None,
        "unreadable": failed[["problem_id", "answer", "verifier", "verdict", "problem"]].to_dict("records"),
    }
