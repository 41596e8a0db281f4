"""Contamination against a slow, obvious search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr.data.contamination import (
    NGRAM_WORDS,
    Match,
    find_matches,
    index_benchmarks,
    normalise_text,
    summarise_matches,
    words_of,
)

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen"  # just long enough for one run


def slow_matches(training, benchmarks):
    """Every pair compared, every run of words sought as a sublist."""
    found = []
    for training_id, question in training:
        for benchmark, problems in benchmarks.items():
            for problem_id, problem in problems:
                a, b = words_of(question), words_of(problem)
                runs = [b[at : at + NGRAM_WORDS] for at in range(len(b) - NGRAM_WORDS + 1)]
                shared = any(a[at : at + NGRAM_WORDS] == run for run in runs for at in range(len(a)))
                same = normalise_text(question) == normalise_text(problem)
                if same or shared:
                    found.append(Match(benchmark, problem_id, training_id, "text" if same else "ngram"))
    return found


# Two words only: long runs repeat often, and texts of different length share them.
QUESTIONS = st.lists(st.sampled_from(["a", "b", "A", " ", "b,"]), max_size=30).map(" ".join)


@given(st.lists(QUESTIONS, max_size=4), st.lists(QUESTIONS, max_size=4), st.lists(QUESTIONS, max_size=2))
def test_index_finds_what_the_slow_search_finds(training, first, second):
    rows = [(str(number), question) for number, question in enumerate(training)]
    benchmarks = {"x": list(enumerate_ids(first)), "y": list(enumerate_ids(second))}
    assert list(find_matches(rows, index_benchmarks(benchmarks))) == slow_matches(rows, benchmarks)


def enumerate_ids(questions):
    return ((f"id{number}", question) for number, question in enumerate(questions))


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        (LONG, "text"),
        (LONG.upper().replace(" ", "\n "), "text"),
        (f"Zero, {LONG}; fourteen.", "ngram"),
        (LONG.replace("seven", "7"), None),
        (LONG.rpartition(" ")[0], None),
    ],
)
def test_by_hand(question, kind):
    index = index_benchmarks({"x": [("b1", LONG)]})
    expected = [] if kind is None else [Match("x", "b1", "t1", kind)]
    assert list(find_matches([("t1", question)], index)) == expected


def test_a_short_question_is_found_by_its_text_only():
    index = index_benchmarks({"x": [("b1", "What is $1 + 1$?")]})
    assert [match.kind for match in find_matches([("t1", "what is $1+1$?")], index)] == ["text"]
    assert not list(find_matches([("t1", "What is $1 - 1$?")], index))


def test_matches_are_counted_by_problem_not_by_pair():
    matches = [Match("x", "b1", "t1", "text"), Match("x", "b1", "t2", "ngram"), Match("x", "b2", "t2", "ngram")]
    first, second = summarise_matches(matches, {"x": 5, "y": 7}, examples=1)
    assert (first["same_text"], first["shared_ngram"], first["training_problems"]) == (1, 2, 2)
    assert first["examples"] == [{"benchmark_id": "b1", "training_id": "t1", "kind": "text"}]
    assert (second["problems"], second["same_text"], second["shared_ngram"]) == (7, 0, 0)
