"""Each constraint of the format reward on real completions, set into the assistant's turn as a model would write them.

The completions at hand were written without tags: their reasoning goes inside the block and their last paragraph, the
one with the answer, behind it. What a constraint is to find is then done to every one of them.
"""

import json
from pathlib import Path

import pytest

from rlvr.prompts import TEMPLATES, assistant_text
from rlvr.rewards.formatting import (
    answers_after_thinking,
    closes_thinking,
    format_reward,
    has_malformed_tags,
    repeats_itself,
    simulates_user,
    thinks_nothing,
)

GOOD = 0.75
TEMPLATE = next(iter(TEMPLATES))


@pytest.fixture(scope="module")
def rows(real_data: Path) -> list[dict]:
    return [json.loads(line) for line in (real_data / "labelled" / "qwen_math_cot_100.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def turns(rows: list[dict]) -> list[tuple[str, str]]:
    """Reasoning and answer of every completion that does not loop."""
    split = (text.rstrip().rpartition("\n\n") for row in rows for text in row["code"] if not repeats_itself(text))
    return [(reasoning, answer) for reasoning, _, answer in split if reasoning and answer]


def test_well_formed_turns_earn_the_whole_bonus(turns: list[tuple[str, str]]) -> None:
    assert len(turns) > 750
    for reasoning, answer in turns:
        text = assistant_text(f"{reasoning}</think>{answer}", TEMPLATE)
        assert closes_thinking(text) and answers_after_thinking(text)
        assert not (simulates_user(text) or thinks_nothing(text) or repeats_itself(text) or has_malformed_tags(text))
        assert format_reward(text) == GOOD


def test_turns_cut_at_the_limit_close_nothing(turns: list[tuple[str, str]]) -> None:
    for reasoning, _ in turns:
        text = assistant_text(reasoning[: len(reasoning) // 2], TEMPLATE)
        assert not closes_thinking(text) and not answers_after_thinking(text)
        assert format_reward(text) == pytest.approx(-0.3)


def test_turns_without_tags_are_malformed(turns: list[tuple[str, str]]) -> None:
    for reasoning, answer in turns:
        text = f"{reasoning}\n\n{answer}"
        assert has_malformed_tags(text) and not closes_thinking(text)


def test_turns_that_think_twice_are_malformed(turns: list[tuple[str, str]]) -> None:
    for reasoning, answer in turns:
        text = assistant_text(f"{reasoning}</think><think>{reasoning}</think>{answer}", TEMPLATE)
        assert has_malformed_tags(text) and closes_thinking(text) and answers_after_thinking(text)


def test_turns_that_end_with_the_thought_answer_nothing(turns: list[tuple[str, str]]) -> None:
    for reasoning, answer in turns:
        text = assistant_text(f"{reasoning}\n\n{answer}</think>\n", TEMPLATE)
        assert closes_thinking(text) and not answers_after_thinking(text)
        assert format_reward(text) == pytest.approx(0.375)


@pytest.mark.parametrize("marker", ["\nUser: ", "\nHuman: ", "<|im_start|>user\n"])
def test_turns_that_go_on_as_the_user_are_found(rows: list[dict], turns: list[tuple[str, str]], marker: str) -> None:
    question = rows[0]["question"]
    for reasoning, answer in turns:
        text = assistant_text(f"{reasoning}</think>{answer}{marker}{question}", TEMPLATE)
        assert simulates_user(text)
        assert format_reward(text) == pytest.approx(GOOD - 0.75)


@pytest.mark.parametrize("thought", ["", "\n", " None\n", "..."])
def test_turns_that_only_answer_are_lazy(turns: list[tuple[str, str]], thought: str) -> None:
    for reasoning, answer in turns:
        text = assistant_text(f"{thought}</think>{reasoning}\n\n{answer}", TEMPLATE)
        assert thinks_nothing(text)
        assert format_reward(text) == pytest.approx(GOOD - 0.6)


def test_loops_are_found(rows: list[dict], turns: list[tuple[str, str]]) -> None:
    looping = [text for row in rows for text in row["code"] if repeats_itself(text)]
    assert len(looping) == 1  # the one that a model wrote by itself
    assert format_reward(assistant_text(f"{looping[0]}</think>4", TEMPLATE)) == pytest.approx(GOOD - 0.5)
    for reasoning, answer in turns:
        paragraph = max(reasoning.split("\n\n"), key=len)
        text = assistant_text("\n\n".join([reasoning, *[paragraph] * 30]) + f"</think>{answer}", TEMPLATE)
        if len(paragraph.split()) > 12:
            assert repeats_itself(text)
