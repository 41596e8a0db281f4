"""Every constraint of the format reward: where it holds, where it does not, and what the sum comes to."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr.rewards.formatting import (
    CONSTRAINTS,
    answers_after_thinking,
    closes_thinking,
    format_reward,
    has_malformed_tags,
    repeats_itself,
    simulates_user,
    thinks_nothing,
)

GOOD = "<think>2 + 2 is 4</think>The answer is \\boxed{4}."
LOOP = "we should check the last case again "


def test_weights_are_the_papers() -> None:
    assert {holds.__name__: weight for holds, weight in CONSTRAINTS.items()} == {
        "closes_thinking": 0.375,
        "answers_after_thinking": 0.375,
        "simulates_user": -0.75,
        "thinks_nothing": -0.6,
        "repeats_itself": -0.5,
        "has_malformed_tags": -0.3,
    }


@pytest.mark.parametrize(
    ("text", "reward"),
    [
        (GOOD, 0.75),
        ("<think>2 + 2 is 4</think>", 0.375),
        ("<think>2 + 2 is 4", -0.3),
        ("", -0.3),
        ("4", -0.3),
        ("<think></think>4", 0.75 - 0.6),
        ("<think>2 + 2</think>4\nUser: and 3 + 3?", 0.0),
        (f"<think>{LOOP * 40}</think>4", 0.25),
        (f"<think>{LOOP * 40}", -0.8),
        ("<think>2 + 2</think>4</think>", 0.375 - 0.3),
        ("4</think>", -0.3),
    ],
)
def test_reward_is_the_sum_of_the_weights(text: str, reward: float) -> None:
    assert format_reward(text) == pytest.approx(reward)


@pytest.mark.parametrize("text", ["<think>x</think>", "<think></think>", "a<think>\n</think>b"])
def test_closed_thinking(text: str) -> None:
    assert closes_thinking(text)


@pytest.mark.parametrize(
    "text", ["<think>x", "x</think>", "</think><think>", "<think>x</Think>", "<think>x</think", ""]
)
def test_thinking_that_is_not_closed(text: str) -> None:
    assert not closes_thinking(text)


@pytest.mark.parametrize(
    "text", ["<think>x</think>4", "</think>B", "<think>x</think>\n\n 4 ", "</think>\u221e", "</think>None."]
)
def test_answer_after_thinking(text: str) -> None:
    assert answers_after_thinking(text)


@pytest.mark.parametrize("text", ["<think>x</think>", "<think>x</think> \n", "4", "<think>4", "<think></think><think>"])
def test_no_answer_after_thinking(text: str) -> None:
    assert not answers_after_thinking(text)


@pytest.mark.parametrize(
    "text", ["4\nUser: next?", "User: hi", "4\n  Human: next", "4<|im_start|>user\n", "<|start_header_id|>user"]
)
def test_simulated_turn(text: str) -> None:
    assert simulates_user(text)


@pytest.mark.parametrize("text", ["the user: asked", "End User: x", "user", "<|im_start|>assistant", "Users agree\n"])
def test_no_simulated_turn(text: str) -> None:
    assert not simulates_user(text)


@pytest.mark.parametrize(
    "text", ["<think></think>", "<think> \n</think>4", "<think>None</think>", "<think>...</think>"]
)
def test_empty_thinking(text: str) -> None:
    assert thinks_nothing(text)


@pytest.mark.parametrize(
    "thought",
    [
        "x",
        ".",
        "-",
        "\u200b",
        "\u2060",
        "ㅤ",
        "\xa0",
        "None.",
        "none none",
        "......",
        "…",
        "?",
        "xxx",
        "x x",
        "N/A",
        "(empty)",
        "null\n",
        "**None**",
        "&nbsp;",
        "<br>",
        "\\text{None}",
        "\\n",
        "No thoughts.",
        "Thinking...",
        "I",
        "略",
        "🤔",
        "~",
        "|",
        "$$",
        "<!-- -->",
        "Ok.",
        "无",
    ],
)
def test_thoughts_that_are_none(thought: str) -> None:
    assert thinks_nothing(f"<think>{thought}</think>4")
    assert format_reward(f"<think>{thought}</think>4") == pytest.approx(0.75 - 0.6)


@pytest.mark.parametrize(
    "text",
    [
        "<think>0</think>",
        "<think>",
        "</think>",
        "",
        "<think>none of them</think>",
        "<think>4</think>",
        "<think>x = y</think>",
        "<think>I add.</think>",
        "<think>二加二</think>",
        "<think>No, it is odd.</think>",
    ],
)
def test_thinking_that_is_not_empty(text: str) -> None:
    assert not thinks_nothing(text)


@pytest.mark.parametrize(
    "text",
    [
        LOOP * 10,
        "one line\n" * 20,
        "ha\n" * 16,
        ("So x = 1.\n\n" * 3 + "Then y = 2.\n") * 6,
        "ha" * 200,
        "我们再检查一遍。" * 30,
        "1234567890" * 20,
        "wait,no," * 30,
        "x" * 100,
        "So it is 4. " + "ha" * 200,
        "\\frac{1}{2}+" * 30,
    ],
)
def test_repetition(text: str) -> None:
    assert repeats_itself(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ha\n" * 15,
        " ".join(map(str, range(200))),
        "1/3 is 0."
        + "3" * 30
        + ", and then there are sixteen other words that nobody wrote before in this one sentence",
        "".join(map(str, range(100, 200))),
        "\u5c0f\u660e\u6709\u4e94\u4e2a\u82f9\u679c\uff0c\u4ed6\u5403\u4e86\u4e24\u4e2a\uff0c\u8fd8\u5269\u4e0b\u4e09\u4e2a\uff0c\u56e0\u6b64\u7b54\u6848\u7b49\u4e8e\u4e09\u3002\u6211\u4eec\u518d\u9a8c\u7b97\u4e00\u6b21\u3002",
        "hahaha",
        "\n".join(f"case {index}: the value is {index * index}" for index in range(40)),
        GOOD,
    ],
)
def test_no_repetition(text: str) -> None:
    assert not repeats_itself(text)


def test_repetition_fires_above_half_and_not_at_half() -> None:
    distinct = [f"line {index}" for index in range(16)]
    assert not repeats_itself("\n".join(distinct * 2))
    assert repeats_itself("\n".join([*distinct * 2, distinct[0]]))


@pytest.mark.parametrize(
    "text", ["", "x", "<think>", "</think>", "</think><think>", "<think><think></think>", "<think></think></think>"]
)
def test_malformed_tags(text: str) -> None:
    assert has_malformed_tags(text)


@pytest.mark.parametrize("text", [GOOD, "<think></think>", "a<think>b</think>c"])
def test_well_formed_tags(text: str) -> None:
    assert not has_malformed_tags(text)


PIECES = ["<think>", "</think>", "User:", "\n", " ", "word", "None", "\u2028", "\x00", "4", LOOP]


@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_reward_is_total_and_bounded_below_the_accuracy_reward(text: str) -> None:
    assert -2.15 <= format_reward(text) <= 0.75 < 1


@pytest.mark.parametrize(
    "piece",
    [
        "<think>",
        "</think>",
        "word ",
        "\n",
        " ",
        "User",
        "w\n",
        "User: 5\n",
        "User: a\nAdmin: b\n",
        "Question: x\n",
        "> ",
        "#",
        "ha",
        "```\nUser: x\n```\n",
        "User: 5 a, ",
        "</think>Q: x\n",
        "**",
        "我",
    ],
)
def test_time_is_linear(piece: str) -> None:
    start = time.process_time()
    format_reward(piece * 100_000)
    assert time.process_time() - start < 2.0
