"""Where a completion's own turn ends and where its answer stands: one reading for training and evaluation."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr.core.turns import find_user_turn, own_turn, says_something, split_turn
from rlvr.grading.grader import last_answer, printed_answer

INVENTED = [
    "User: next?",
    "  Human: next",
    "User: hi",
    "USER: and?",
    "user: another",
    "User\uff1anext",
    "Human : more",
    "User:\nthanks",
    "User: Thanks",
    "### User: and 3+3?",
    "### User\nnext",
    "## Human\nok",
    "**User:** next",
    "**User**: next",
    "**User**\nmore",
    "*User:* hi",
    "__User__: hey",
    "<b>User:</b> hey",
    "[User]: hi",
    "<user>\nhi",
    "> User: hi",
    "User 1: hi there friend",
    "User: 3 + 3?",
    "User: 5 plus 5 is?",
    "User: no",
    "\u7528\u6237\uff1a\u4e0b\u4e00\u4e2a",
    "\u7528\u6237: 3+3?",
    "\u4eba\u7c7b\uff1a\u597d",
    "Benutzer: weiter",
    "Usuario: sigue",
    "Question: what is 3+3?",
    "### Question 2\nNext",
    "**Question:** next",
    "Q: next",
    "**Problem:** Find y.",
    "user\n2 + 2\nassistant\n5",
    "Human\n2 + 2\nAssistant: 5",
    "[USER] 2 + 2",
    "\u3010\u7528\u6237\u30112 + 2",
    "User: 4\nAssistant: 5",
    "User: 12 apples\n\n**AI:** 5",
    "Problem: x\nSolution: 3",
    "User question: a?",
    "User's question: a?",
    "Question 3. What?",
    "Problem 2: Find y.",
    "Next question: 3+3",
    "\u95ee\u9898\uff1a3+3\u7b49\u4e8e\u51e0\uff1f",
]
TOKENS = [
    "<|user|>",
    "<|im_start|>user\n",
    "<|start_header_id|>user",
    "<\uff5cUser\uff5c>",
    "<start_of_turn>user\n",
    "[INST] ",
    "<|USER|>",
]


@pytest.mark.parametrize("turn", INVENTED)
def test_invented_turns_are_cut_off(turn: str) -> None:
    for own in ("<think>2 + 2</think>\\boxed{4}\n", "It is 4.\n\n", "Answer: 4\r\n", "x: 3\n4\n"):
        assert own_turn(f"{own}{turn}\nmore") == own


@pytest.mark.parametrize("token", TOKENS)
def test_tokens_of_chat_templates_count_anywhere(token: str) -> None:
    assert own_turn(f"It is 4.{token}and 3 + 3?") == "It is 4."


@pytest.mark.parametrize(
    "end",
    [
        "<|im_end|>",
        "<|endoftext|>",
        "<|eot_id|>",
        "</s><s>",
        "<end_of_turn>\n",
        "<\uff5cend\u2581of\u2581sentence\uff5c>",
    ],
)
def test_what_follows_the_end_of_a_turn_is_not_the_models(end: str) -> None:
    assert own_turn(f"a</think>\\boxed{{5}}{end}3 + 1? \\boxed{{4}}") == "a</think>\\boxed{5}"
    assert find_user_turn(f"It is 4.{end}") is None


@pytest.mark.parametrize(
    "text",
    [
        "the user: asked",
        "End User: x",
        "user",
        "<|im_start|>assistant",
        "Users agree\n",
        "- User stories",
        "Userland: x",
        "Human error: yes",
        "User: 5 visits",
        "Visits:\nUser: 5 visits\nAdmin: 3 visits",
        "Admin: all\nUser: read\nGuest: none",
        "User: 5 visits, Admin: 3 visits",
        "| User: | 5 |",
        "User: $5",
        "**Users:** 5",
        "User: 12%\n",
        "Human: 46 chromosomes",
        "User: 1,204 clicks; Admin: 12 clicks.",
        "\u7528\u6237\uff1a5\u6b21",
        "User: 12",
        "It is 4.\nProblem: the first way is slow.",
        "It is 4.\nuser\nand admin",
        "Of 2:\nQuestion 1: yes.\nQuestion 2: no.\n\\boxed{4}\nQuestion 3: no.",
        "User stories: 5",
        "It is 4.\nThe user\nassistant",
        "Users: 4",
        "Questions: 4",
        "problem is: x",
        "```\nUser: hi\n```\n",
        "Question: What is 2+2?\n<think>It is 4",
        "<think>Question: What is 2+2? It is 4.\n</think>\\boxed{4}",
        "<think>There are 3 cases.\nQuestion: Find 2+2\n4</think>\\boxed{4}",
        "<think>a</think>Problem: Find x.\nSolution: \\boxed{4}",
        "</think>**Question:** Find 2+2.\n\n**Answer:** \\boxed{4}",
    ],
)
def test_honest_lines_are_no_turns(text: str) -> None:
    assert find_user_turn(text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a</think>\\boxed{4}", "4"),
        ("\\boxed{5}</think>\\boxed{4}", "4"),
        ("\\boxed{4}", "4"),
        ("\\boxed{5} and then \\boxed{4", "5"),
        ("\\boxed{4}</think>", "4"),
        ("\\boxed{4}</think>\n<|im_end|>", "4"),
        ("\\boxed{4}</think>So the answer is $4$.", "4"),
        ("\\boxed{4}</think>The final answer: **4**", "4"),
        ("\\boxed{4}</think>The answer is 5.", None),
        ("\\boxed{4}</think>The answer is 4 or 5.", None),
        ("\\boxed{4}</think>It is not 4.", None),
        ("\\boxed{4}</think>The answer is 42.", None),
        ("\\boxed{4}</think>The answer is -4.", None),
        ("\\boxed{4}</think>I cannot say.", None),
        ("\\boxed{4</think>}", None),
        ("\\boxed{5} \\boxed{4</think>}", None),
        ("\\boxed{1</think>2}", None),
        ("\\boxed{1<think>2}", None),
        ("\\boxed{5}</think>\\boxed{}", ""),
        ("a</think>b</think>\\boxed{4}", "4"),
        ("a</think>\\boxed{4}<think>or \\boxed{5}", "4"),
        ("a</think>\\boxed{4}\nUser: and?\n\\boxed{5}", "4"),
        ("a</think>It is 4.\nUser: and?\n</think>\\boxed{5}", None),
        ("User: and?\n\\boxed{5}", None),
        ("a</think><answer>\\boxed{4}</answer>", "4"),
        ("a</think>\\boxed{1<answer>2</answer>}", "12"),
        ("a</think>$\\boxed 4$ (inside \\boxed{})", "4"),
        ("nothing", None),
        ("", None),
    ],
)
def test_where_the_answer_stands(text: str, answer: str | None) -> None:
    assert last_answer(text) == answer
    assert last_answer(f"<think>{text}") == answer  # whether prompt or completion opened the reasoning


def test_the_printed_rule_takes_the_last_box_anywhere() -> None:
    assert printed_answer("\\boxed{4}</think>The answer is 5.") == "4"
    assert printed_answer("\\boxed{4</think>}") == "4"
    assert printed_answer("\\boxed{5}\nUser: and?\n\\boxed{4}") == "4"


@pytest.mark.parametrize(
    ("text", "says"),
    [("4", True), (" ?", False), ("\u200b", False), ("\u221e", True), ("<|eot|>", False), ("\u3164", False)],
)
def test_what_says_something(text: str, says: bool) -> None:
    assert says_something(text) is says


PIECES = [
    "<think>",
    "</think>",
    "User:",
    "\n",
    " ",
    "\\boxed{4}",
    "\\boxed{",
    "}",
    "Question:",
    "5",
    "x",
    "```",
    "\\boxed 4",
]


@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_text_has_an_own_turn_and_an_answer_from_it(text: str) -> None:
    own = own_turn(text)
    assert text.startswith(own)
    assert find_user_turn(own) is None or "```" in text
    _, said = split_turn(own)
    assert said is None or said in own
    assert last_answer(text) == last_answer(f"<think>{text}") or own_turn(f"<think>{text}") != f"<think>{own}"
    assert (answer := last_answer(text)) is None or answer in own.replace("<think>", "") or "\\boxed{}" in own


@pytest.mark.parametrize(
    "piece",
    [
        "<think>",
        "</think>",
        "\\boxed{",
        "\\boxed{1}",
        "\\boxed{}",
        "\nUser: 5",
        "\nQ: ",
        "\\boxed (",
        "}",
        "</s> ",
        "User: 5\n\n\n",
        "user\nassistant\n",
    ],
)
def test_time_is_linear(piece: str) -> None:
    start = time.process_time()
    last_answer(piece * 50_000)
    last_answer(piece * 50_000 + "</think>no")
    assert time.process_time() - start < 2.0
