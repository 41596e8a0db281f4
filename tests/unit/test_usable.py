"""Problems that cannot be trained or evaluated on are taken out once, with their reason, from both splits."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from bound_rows import bind_row

from rlvr.bases.tokenizer import build_tokenizer
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, read_table, write_json, write_table
from rlvr.data.cards import find_deviations
from rlvr.data.curation import curate_files
from rlvr.data.curation_recipe import GOLD_READABLE, PROMPT_FITS, TEXT_SOUND, CurationRecipe
from rlvr.data.dataset_page import render_page
from rlvr.data.inspection import count_odd_characters
from rlvr.data.usable import LONGEST_TEXT, PromptLimit, find_too_long, load_limits, take_out_unusable
from rlvr.grading.golds import require_readable
from rlvr.plan.settings import TrainSettings
from rlvr.tables import PROBLEMS
from rlvr.train.run import load_problems

SETTINGS = bind_row(
    {"run_id": "r", "model": "qwen3-8b", "dataset": "math", "method": "full", "seed": 1},
    completions_per_step=16,
    micro_batch_completions=16,
)
RIGHT_TO_LEFT = "\u202e"
BROKEN_TOPIC = r"Mathematics -> $\frac{1}{$"


def problems(**columns) -> pd.DataFrame:
    """Problems of the columns given, the other ones harmless."""
    size = len(next(iter(columns.values())))
    rows = {
        "problem_id": [f"s/{number}" for number in range(1, size + 1)],
        "dataset": "set",
        "question": [f"What is {number} + 1?" for number in range(size)],
        "answer": "5",
        "verifier": "math",
        "difficulty": np.nan,
        "topic": None,
        "meta": "{}",
    }
    return pd.DataFrame(rows | columns)


def limit(tokens: int, model: str = "small") -> PromptLimit:
    """One token per character, of the bare question."""
    return PromptLimit(model, lambda texts: [list(text.encode()) for text in texts], "compact", tokens)


def test_each_fault_is_counted_and_listed_with_its_reason():
    rows = problems(
        question=["fine?", "a\x00b?", "x" * (LONGEST_TEXT + 1), "fine too?", "y" * 90],
        answer=["1", "2", "3", r"\frac{1", "4"],
    )
    found = take_out_unusable(rows, "set", [limit(60)])
    assert list(found.kept["problem_id"]) == ["s/1"]
    assert [(count.filter, count.before, count.after) for count in found.counts] == [
        (TEXT_SOUND, 5, 3),
        (GOLD_READABLE, 3, 2),
        (PROMPT_FITS, 2, 1),
    ]
    assert [entry["problem_id"] for entry in found.taken_out] == ["s/2", "s/3", "s/4", "s/5"]
    reasons = [entry["reason"] for entry in found.taken_out]
    for reason, words in zip(reasons, ("NUL byte", "100,001 characters", "unbalanced braces", "small"), strict=True):
        assert words in reason


def test_the_model_that_needs_most_tokens_decides():
    twice = PromptLimit("verbose", lambda texts: [list(text * 2) for text in texts], "compact", 60)
    assert find_too_long(["z" * 20], [limit(60)]) == {}
    (reason,) = find_too_long(["z" * 20], [limit(60), twice]).values()
    assert "tokens of verbose, more than 60" in reason


def test_a_set_that_nothing_is_trained_on_has_no_limit():
    found = take_out_unusable(problems(question=["y" * 9_000]), "set")
    assert len(found.kept) == 1 and PROMPT_FITS not in {count.filter for count in found.counts}


def test_direction_marks_and_form_feeds_stay_and_are_counted():
    rows = problems(question=["\x0crac{1}{2}?", f"{RIGHT_TO_LEFT}abc?", "plain?"])
    assert len(take_out_unusable(rows, "set").kept) == 3
    assert count_odd_characters(rows) == {"control_characters": 1, "direction_marks": 1}


def test_nothing_left_names_data_set_problem_and_reason():
    with pytest.raises(InputError, match=r"data set 'set': is empty: 'gold .*' left none of 2 .* 's/1': .*unbalanced"):
        take_out_unusable(problems(answer=[r"\frac{1", "{{"]), "set")


def test_what_is_taken_out_is_no_deviation_from_a_published_number():
    found = take_out_unusable(problems(answer=["1", "{{"]), "set")
    counts = [{"filter": "answer present", "before": 2, "after": 2}, *map(dataclasses.asdict, found.counts)]
    assert find_deviations({"expected_kept": 2}, [], counts) == []


@pytest.fixture
def base(tmp_path):
    """A base with the characters' tokenizer and a manifest."""
    folder = tmp_path / "small"
    build_tokenizer().save_pretrained(folder)
    write_json({}, folder / "config.json")
    (folder / "model.safetensors").write_bytes(b"")
    write_json({}, folder / "model.json")
    return folder


def curated(tmp_path, raw: pd.DataFrame, limits=(), **settings):
    """Curate raw rows of DeepMath's columns through the files; returns both splits and the card."""
    raw.to_parquet(tmp_path / "rows.parquet")
    files = [{"file": "toy.jsonl", "bytes": 1, "sha256": "0" * 64, "rows": len(raw)}]
    source = {
        "source": "toy",
        "reader": "deepmath",
        "licence": "MIT",
        "files": files,
        "rows": len(raw),
        "origin": "hub",
    }
    write_json(source | {"noncommercial": "no", "url": ""}, tmp_path / "rows.json")
    defaults = {"minimum_difficulty": None, "eval_problems": 2, "max_train_problems": None, "seed": 0}
    recipe = CurationRecipe("set", **(defaults | settings))
    outputs = [tmp_path / name for name in ("train.parquet", "eval.parquet", "card.json")]
    curate_files([tmp_path / "rows.parquet"], [tmp_path / "rows.json"], recipe, *outputs, limits)
    return *(read_table(path, PROBLEMS) for path in outputs[:2]), read_json(outputs[2])


def raw_rows(**columns) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    rows = {"question": [f"{number}?" for number in range(size)], "final_answer": "1", "difficulty": 9.0}
    return pd.DataFrame(rows | {"topic": "Mathematics -> Algebra"} | columns)


def test_curation_leaves_only_what_training_and_grading_take(tmp_path, base):
    """Broken golds and long prompts everywhere: neither split holds one, and training takes the table as it is."""
    number = 40
    golds = [r"\frac{1" if at % 5 == 0 else "1" for at in range(number)]
    questions = [f"{at}{'?' * (80 if at % 7 == 0 else 1)}" for at in range(number)]
    limits = load_limits({"small": 60}, [base / "model.json"], {"small": "compact"})
    train, held_out, card = curated(tmp_path, raw_rows(question=questions, final_answer=golds), limits, eval_problems=8)
    left_out = {f"toy/{at + 1}" for at in range(number) if at % 5 == 0 or at % 7 == 0}
    assert {entry["problem_id"] for entry in card["taken_out"]} == left_out
    assert {*train["problem_id"], *held_out["problem_id"]}.isdisjoint(left_out)
    assert len(held_out) == 8 and len(train) + 8 == number - len(left_out)
    require_readable(held_out, "eval.parquet")
    settings = SETTINGS | {"max_prompt_tokens": 60}
    rows, _ = load_problems(tmp_path / "train.parquet", build_tokenizer(), TrainSettings(**settings))
    assert len(rows) == len(train)


def test_of_two_copies_the_one_with_a_readable_gold_stays(tmp_path):
    train, held_out, _ = curated(tmp_path, raw_rows(question=["a?", "A?", "b?"], final_answer=["{{", "1", "2"]))
    assert {*train["problem_id"], *held_out["problem_id"]} == {"toy/2", "toy/3"}


def test_hostile_rows_end_clearly_and_topics_pass_unchanged(tmp_path):
    raw = raw_rows(
        question=["x" * 2**20, "nul\x00?", f"{RIGHT_TO_LEFT}a?", "\x0crac?", "fine?"], topic=[BROKEN_TOPIC] * 5
    )
    train, held_out, card = curated(tmp_path, raw)
    assert {entry["problem_id"] for entry in card["taken_out"]} == {"toy/1", "toy/2"}
    assert set(pd.concat([train, held_out])["topic"]) == {BROKEN_TOPIC}
    assert card["topics"] == [{"topic": r"$\frac{1}{$", "read": 5, "kept": 3}]


def test_no_problem_left_names_data_set_file_and_row(tmp_path):
    with pytest.raises(InputError, match=r"data set 'set' of toy\.jsonl: is empty: .*problem 'toy/1': .*NUL"):
        curated(tmp_path, raw_rows(question=["a\x00?", "b\x00?"]))


def test_the_page_lists_what_was_taken_out_without_tags_or_invisible_characters(tmp_path):
    card = curated(tmp_path, raw_rows(final_answer=["1", "2", "{{<script>|"], topic=[f"a{RIGHT_TO_LEFT}b"] * 3))[2]
    checks = {
        "problems": {"train": 1, "eval": 1},
        "contamination": {"split": "train", "ngram_words": 13, "benchmarks": []},
        "answer_types": [],
        "golds": {"grader": "3", "readable": 2, "problems": 2, "unreadable": []},
        "tokens": {"template": "compact", "tokenizer": "t", "longer": 0, "limit": 9, "longest": 8, "bins": []},
        "duplicates": {},
        "odd_characters": {"control_characters": 0, "direction_marks": 1},
    }
    page = render_page("set", card, checks)
    (line,) = [line for line in page.splitlines() if "toy/3" in line]
    assert r"&lt;script&gt;\|" in line and r"| a\u202eb " in page
    assert "<script" not in page and RIGHT_TO_LEFT not in page


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"answer": ["1", "1", "{{"]}, r"train\.parquet, problem 's/3': gold answer.*unbalanced.*snakemake data"),
        ({"question": ["a?", "b" * 90, "c?"]}, r"train\.parquet, problem 's/2': its prompt has .* tokens.*is 64"),
        ({"answer": ["1"]}, r"train\.parquet: has 1 problems, a step needs 2"),
        ({"answer": []}, r"train\.parquet: has 0 problems"),
    ],
    ids=["an unreadable gold", "a long prompt", "fewer than a step", "none"],
)
def test_training_asserts_and_leaves_nothing_out(tmp_path, columns, message):
    write_table(problems(**columns), tmp_path / "train.parquet", PROBLEMS)
    with pytest.raises(InputError, match=message):
        load_problems(tmp_path / "train.parquet", build_tokenizer(), TrainSettings(**SETTINGS))
