"""Cross-checks of a data set: by hand, and all of them through the files."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, write_json, write_table
from rlvr.data.cards import build_card
from rlvr.data.dataset_checks import CheckSettings, check_dataset, check_files, check_golds, counting_tokenizer
from rlvr.data.dataset_page import render_page
from rlvr.data.inspection import count_answer_types, count_duplicates, histogram_lengths, measure_lengths
from rlvr.grading.golds import find_unreadable
from rlvr.prompts import render_prompt
from rlvr.tables import PROBLEMS

SETTINGS = CheckSettings("set", "small", {"kind": "pretrained"}, "compact", 60)
TEN = "alpha beta gamma delta epsilon zeta eta theta iota kappa"


def problems(*rows: tuple[str, str, str], dataset: str = "set") -> pd.DataFrame:
    """Problems of (id, question, answer)."""
    return pd.DataFrame(
        {
            "problem_id": [row[0] for row in rows],
            "dataset": dataset,
            "question": [row[1] for row in rows],
            "answer": [row[2] for row in rows],
            "verifier": "math",
            "difficulty": np.nan,
            "topic": None,
            "meta": "{}",
        }
    )


TRAIN = problems(("s/1", "What is 1 + 1?", "2"), ("s/2", "Is 2 even?", "Yes"), ("s/3", "what is  1+1?", r"\frac{1"))
EVAL = problems(("s/4", f"{TEN} {TEN} | so?", "x+1"))
BENCHMARKS = {
    "other": problems(("o/1", "WHAT IS 1 + 1?", "2"), ("o/2", "What is 1 - 1?", "0"), dataset="other"),
    "set": EVAL,
}


def test_duplicates_by_hand():
    rows = pd.concat([TRAIN, TRAIN.head(1)], ignore_index=True)
    assert count_duplicates(rows) == {"repeated_ids": 1, "repeated_questions": 2}


def test_answer_types_by_hand():
    counts = count_answer_types(pd.Series(["Yes", "no", "12", "0.5", "B", "x+1", "even"]))
    assert counts[0] == {"type": "yes/no", "problems": 2, "share": 2 / 7}
    assert {line["type"]: line["problems"] for line in counts[1:]} == {
        "decimal or fraction": 1, "expression": 1, "integer": 1, "single letter": 1, "text": 1,
    }  # fmt: skip


@given(st.lists(st.integers(1, 300), max_size=40), st.integers(1, 200))
def test_histogram_holds_every_prompt_once_and_has_an_edge_at_the_limit(lengths, limit):
    found = histogram_lengths(np.array(lengths, dtype=np.int64), limit)
    assert sum(line["problems"] for line in found["bins"]) == len(lengths)
    assert limit in {line["to"] for line in found["bins"]}
    within = sum(line["problems"] for line in found["bins"] if line["to"] <= limit)
    assert (within, found["longer"]) == (sum(n <= limit for n in lengths), sum(n > limit for n in lengths))
    assert all(line["from"] <= line["to"] for line in found["bins"])


def test_bins_double_beyond_the_limit():
    found = histogram_lengths(np.array([1, 32, 33, 64, 65, 200]), 32)
    assert [(line["from"], line["to"], line["problems"]) for line in found["bins"][-4:]] == [
        (31, 32, 1), (33, 64, 2), (65, 128, 1), (129, 200, 1),
    ]  # fmt: skip


def test_lengths_do_not_depend_on_the_batch():
    texts = ["a" * number for number in range(1, 8)]
    assert list(measure_lengths(texts, lambda batch: [list(text.encode()) for text in batch], batch=3)) == list(
        range(1, 8)
    )
    assert measure_lengths([], lambda batch: []).shape == (0,)


def test_unreadable_golds_are_listed_with_their_reason():
    found = check_golds(pd.concat([TRAIN, EVAL]))
    assert (found["problems"], found["readable"], found["share"]) == (4, 3, 0.75)
    (line,) = found["unreadable"]
    assert line["problem_id"] == "s/3" and "unbalanced" in line["problem"]


def test_find_unreadable_names_positions_and_refuses_an_unknown_verifier():
    assert list(find_unreadable(["2", "", r"\frac{1"], ["math"] * 3, ["{}"] * 3)) == [1, 2]
    with pytest.raises(InputError, match="nothing grades"):
        find_unreadable(["2"], ["poetry"], ["{}"])


def test_all_checks_of_a_set():
    checks = check_dataset(TRAIN, EVAL, BENCHMARKS, SETTINGS)
    other, own = checks["contamination"]["benchmarks"]
    assert (other["benchmark"], other["problems"], other["same_text"], other["training_problems"]) == ("other", 2, 1, 2)
    assert (own["same_text"], own["shared_ngram"]) == (0, 0)
    longest = len(render_prompt(EVAL["question"][0], "compact").replace("<think>", "T"))  # a tag is one token
    assert (checks["tokens"]["longest"], checks["tokens"]["longer"]) == (longest, 1)
    assert "stand-in of small" in checks["tokens"]["tokenizer"]
    assert checks["duplicates"] == {"repeated_ids": 0, "repeated_questions": 1}


def test_a_benchmark_is_compared_with_the_others_but_not_with_itself():
    asked = problems(("s/1", "What is 1 + 1?", "2"))
    found = check_dataset(TRAIN.head(0), asked, {**BENCHMARKS, "set": asked}, SETTINGS)["contamination"]
    assert found["split"] == "eval"
    assert [(line["benchmark"], line["same_text"]) for line in found["benchmarks"]] == [("other", 1)]
    assert check_dataset(TRAIN, EVAL, BENCHMARKS, SETTINGS)["contamination"]["split"] == "train"


def test_a_hub_tokenizer_that_cannot_be_fetched_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    declared = {"kind": "hub", "repository": str(tmp_path / "nobody"), "revision": "0" * 40}
    with pytest.raises(InputError, match="no tokenizer"):
        counting_tokenizer(CheckSettings("set", "big", declared, "compact", 60))


def test_a_hub_tokenizer_is_used_with_its_name(tmp_path):
    from rlvr.bases.tokenizer import build_tokenizer

    build_tokenizer().save_pretrained(tmp_path)
    tokenizer, name = counting_tokenizer(
        CheckSettings("set", "big", {"kind": "hub", "repository": str(tmp_path), "revision": "0" * 40}, "compact", 60)
    )
    assert len(tokenizer("abc")["input_ids"]) == 3 and name == f"{tmp_path}@{'0' * 40}"


@pytest.fixture
def card():
    provenance = {"source": "s", "origin": "mirror", "rows": 4, "licence": "MIT", "noncommercial": "no", "url": ""}
    kept = pd.concat([TRAIN, EVAL], ignore_index=True)
    counts = [{"filter": "question present", "before": 4, "after": 4}]
    splits = {"train": TRAIN, "eval": EVAL}
    return build_card({"dataset": "set"}, [provenance], counts, kept, kept, splits, sentinels={}, repeats=1)


def test_files_hold_checks_and_a_page_with_every_section(tmp_path, card):
    for name, frame in {"train": TRAIN, "eval": EVAL, "other": BENCHMARKS["other"]}.items():
        write_table(frame, tmp_path / f"{name}.parquet", PROBLEMS)
    write_json(card, tmp_path / "card.json")
    paths = {"other": tmp_path / "other.parquet", "set": tmp_path / "eval.parquet"}
    out = tmp_path / "checks.json", tmp_path / "card.md"
    check_files(tmp_path / "train.parquet", tmp_path / "eval.parquet", tmp_path / "card.json", paths, SETTINGS, *out)
    assert read_json(out[0])["golds"]["readable"] == 3
    page = out[1].read_text()
    assert page.startswith("# set\n") and "| other" in page and "unbalanced braces" in page
    assert all(
        f"\n## {name}\n" in page for name in ("Sources", "Filters", "Contamination", "Answers", "Prompt lengths")
    )


def test_page_escapes_bars_and_shows_what_only_some_cards_have(card):
    checks = check_dataset(TRAIN, EVAL, BENCHMARKS, SETTINGS)
    checks["golds"]["unreadable"] = [{"problem_id": "s/9", "answer": "|x|"}]
    row = {"all": 37, "easy": 30, "hard": 7, "topic": "hitori"}
    drawn = {"levels": ["hard", "easy"], "supply": [row], "drawn": [{**row, "easy": 3}]}
    page = render_page("set", card | {"strata": drawn}, checks)
    assert r"\|x\|" in page
    assert page.index("## Strata before the draw") < page.index("30 |") < page.index("## Strata as drawn")
    (header,) = {line for line in page.splitlines() if line.startswith("| topic") and "easy" in line}
    assert header.replace(" ", "") == "|topic|hard|easy|all|"
    assert "## Strata" not in render_page("set", card, checks)


def test_page_counts_what_it_does_not_list(card):
    checks = check_dataset(TRAIN, EVAL, BENCHMARKS, SETTINGS)
    checks["golds"]["unreadable"] = [{"problem_id": f"s/{number}", "answer": "?"} for number in range(30)]
    page = render_page("set", card, checks)
    assert "s/19" in page and "s/20" not in page and "The first 20 of 30" in page
