"""The training reward is accuracy plus format of the assistant's whole turn."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.core.errors import InputError
from rlvr.grading.verdicts import Verdict
from rlvr.plan.reward_rules import KINDS, RewardRule
from rlvr.prompts import TEMPLATES
from rlvr.rewards.formatting import format_reward
from rlvr.rewards.reward import Reward, overlong_penalty, reward_for, total_reward
from rlvr.rewards.trl_reward import make_reward


def test_best_completion_earns_everything() -> None:
    reward = total_reward("2 + 2</think>\\boxed{4}", "4", "math", "compact")
    assert reward == Reward(accuracy=1.0, format=0.75, total=1.75, verdict="correct")


def test_prompt_opened_the_thinking() -> None:
    opened_twice = total_reward("<think>2 + 2</think>\\boxed{4}", "4", "math", "compact")
    assert opened_twice.format == pytest.approx(0.75 - 0.3)


def test_wrong_answer_keeps_its_format_reward_only() -> None:
    assert total_reward("2 + 2</think>\\boxed{5}", "4", "math", "compact") == Reward(0.0, 0.75, 0.75, "wrong")


def test_no_answer_is_unparsed() -> None:
    reward = total_reward("2 + 2", "4", "math", "compact")
    assert (reward.verdict, reward.accuracy, reward.total) == ("unparsed", 0.0, pytest.approx(-0.3))


def test_right_beats_any_format() -> None:
    unformatted = total_reward("\\boxed{4}", "4", "math", "compact")
    assert unformatted.accuracy > 0.75


@pytest.mark.parametrize(("verifier", "template"), [("chess", "compact"), ("math", "no-such-template")])
def test_unknown_names_are_errors(verifier: str, template: str) -> None:
    with pytest.raises(InputError):
        total_reward("\\boxed{4}", "4", verifier, template)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=100), st.sampled_from(sorted(TEMPLATES)))
def test_any_completion_has_a_bounded_reward(completion: str, template: str) -> None:
    reward = total_reward(completion, "4", "math", template)
    assert reward.total == reward.accuracy + reward.format
    assert reward.total > 0.75 or not reward.accuracy
    assert -2.15 <= reward.total <= 1.75


RULES = {
    "binary": RewardRule("binary"),
    "off-the-principals": RewardRule("signed", max_tokens=8192, overlong_buffer=1024),
    "orthonormal": RewardRule("signed", max_tokens=8192, overlong_buffer=4096),
}


@pytest.mark.parametrize(
    ("rule", "verdict", "tokens", "total"),
    [
        ("binary", "correct", 9000, 1.0), ("binary", "wrong", 0, 0.0), ("binary", "unparsed", 0, 0.0),
        ("off-the-principals", "correct", 7168, 1.0), ("off-the-principals", "correct", 7680, 0.5),
        ("off-the-principals", "correct", 8192, 0.0), ("off-the-principals", "wrong", 100, -1.0),
        ("off-the-principals", "timed_out", 8192, -2.0), ("orthonormal", "correct", 4096, 1.0),
        ("orthonormal", "correct", 6144, 0.5), ("orthonormal", "wrong", 9999, -2.0),
    ],
)  # fmt: skip
def test_rewards_of_the_other_papers(rule: str, verdict: Verdict, tokens: int, total: float) -> None:
    reward = reward_for(verdict, "<think>x</think>4", tokens, RULES[rule])
    assert reward.total == pytest.approx(total)
    assert reward.accuracy == (verdict == "correct") and reward.format == 0.0


@pytest.mark.parametrize(("passed", "worth"), [(True, (1.0, 1.0)), (False, (0.0, -1.0))])
def test_code_is_rewarded_by_its_verdict(passed: bool, worth: tuple[float, float]) -> None:
    verdict: Verdict = "correct" if passed else "wrong"
    assert (
        tuple(reward_for(verdict, "def f(): ...", 0, RewardRule(kind)).total for kind in ("binary", "signed")) == worth
    )


@pytest.mark.parametrize(
    ("rule", "lengths", "totals"),
    [
        (RewardRule("shaped"), (10, 10, 10), [1.75, 0.75, -0.3]), (RULES["binary"], (10, 9000, 10), [1.0, 0.0, 0.0]),
        (RULES["off-the-principals"], (7168, 7680, 8192), [1.0, -1.5, -2.0]),
        (RULES["orthonormal"], (5120, 6144, 8192), [0.75, -1.5, -2.0]),
    ],
)  # fmt: skip
def test_the_trainers_reward_is_that_of_the_rule(
    rule: RewardRule, lengths: tuple[int, ...], totals: list[float]
) -> None:
    rewards = make_reward("compact", rule)(
        completions=["2 + 2</think>\\boxed{4}", "2 + 2</think>\\boxed{5}", "2 + 2"], answer=["4"] * 3,
        verifier=["math"] * 3, completion_ids=[[0] * length for length in lengths], log_metric=lambda *_: None,
    )  # fmt: skip
    assert rewards == pytest.approx(totals)


def test_the_trainers_reward_of_programs_is_one_if_every_test_passes() -> None:
    programs = ("def twice(x):\n    return 2 * x", "def twice(x):\n    return 4", "def twice(x)")
    meta = json.dumps({"test_list": ["assert twice(2) == 4", "assert twice(3) == 6"], "test_setup_code": ""})
    rewards = make_reward("compact", RULES["binary"])(
        completions=[f"so</think>\n```python\n{program}\n```" for program in programs], answer=[programs[0]] * 3,
        verifier=["code"] * 3, meta=[meta] * 3, log_metric=lambda *_: None,
    )  # fmt: skip
    assert rewards == [1.0, 0.0, 0.0]


@given(st.integers(0, 20_000), st.integers(0, 20_000), st.integers(1, 4096), st.integers(4096, 16_384))
def test_longer_completions_never_earn_more(tokens: int, more: int, buffer: int, longest: int) -> None:
    shorter, longer = (overlong_penalty(length, longest, buffer) for length in (tokens, tokens + more))
    assert -1 <= longer <= shorter <= 0
    assert overlong_penalty(longest - buffer, longest, buffer) == 0 and overlong_penalty(longest, longest, buffer) == -1


def test_a_buffer_longer_than_any_completion_is_an_error() -> None:
    with pytest.raises(InputError, match="overlong_buffer_tokens: 4096 tokens are more than the 32"):
        RewardRule("signed", max_tokens=32, overlong_buffer=4096)


def test_only_the_shaped_rewards_read_the_format() -> None:
    text = "<think>2 + 2</think>\\boxed{4}"
    assert {kind: reward_for("correct", text, 0, RewardRule(kind)).total for kind in KINDS} == {
        "shaped": 1.75,
        "as-printed": 1.75,
        "binary": 1.0,
        "signed": 1.0,
    }


# Every way to write a completion that the rules of this module tell apart: how the reasoning goes, what is said after
# it, and what follows. "{}" is where the answer stands.
REASONINGS = [
    "",
    "x",
    "2 + 2",
    "2 + 2 " * 40,
    "None",
    "ha" * 200,
    "so \\boxed{9}, no",
    "<think>2 + 2",
    "2 + 2</think>a",
]
CLOSINGS = ["</think>", "", "</think></think>", "</think>\n<think>again</think>"]
SAYINGS = [
    "\\boxed{%}", "The answer is $\\boxed{%}$.", "\\boxed %", "\\boxed{%} (in \\boxed{})",
    "<answer>\\boxed{%}</answer>", "\\boxed{9} no, \\boxed{%}",
    "### \\boxed{%}",
]  # fmt: skip
FOLLOWING = ["", "\nUser: next?", "\n### User:\n\\boxed{9}", "<|im_start|>user\n\\boxed{9}", " ha" * 100, "</s>"]


def completions(answer: str) -> list[str]:
    parts = itertools.product(REASONINGS, CLOSINGS, SAYINGS, FOLLOWING)
    return [thought + closing + said.replace("%", answer) + more for thought, closing, said, more in parts]


@pytest.fixture(scope="module")
def totals() -> dict[str, list[float]]:
    """Totals of all completions, by whether their answer is right."""
    return {
        answer: [total_reward(text, "4", "math", "compact").total for text in completions(answer)] for answer in "45"
    }


def test_every_way_to_be_right_earns_more_than_any_way_to_be_wrong(totals: dict[str, list[float]]) -> None:
    assert len(totals["4"]) == 1512
    assert min(totals["4"]) > 0.75 >= max(totals["5"])


def test_among_right_answers_the_tidier_earns_more(totals: dict[str, list[float]]) -> None:
    formats = [format_reward(f"<think>{text}") for text in completions("4")]
    assert len(set(formats)) > 15
    ordered = [total for _, total in sorted(zip(formats, totals["4"], strict=True))]
    assert ordered == sorted(ordered)


@pytest.mark.parametrize(
    ("completion", "shaped", "printed"),
    [
        ("so \\boxed{4}</think> The answer is 5.", 0.75, 1.75),
        ("so \\boxed{4}</think> The answer is 4.", 1.75, 1.75),
        ("so \\boxed{4}</think>", 1.375, 1.375),
        ("so \\boxed{4</think>}", 0.375, 1.375),
        ("so 5</think>\\boxed{5}\nUser: wrong\n\\boxed{4}", 0.0, 1.0),
        ("2 + 2 is \\boxed{4}", 0.97, 0.7),
    ],
)
def test_the_printed_rule_stays_for_the_reproduction(completion: str, shaped: float, printed: float) -> None:
    for kind, total in (("shaped", shaped), ("as-printed", printed)):
        rule = RewardRule(kind)
        assert total_reward(completion, "4", "math", "compact", rule=rule).total == pytest.approx(total)
        trained = make_reward("compact", rule)(
            completions=[completion], answer=["4"], verifier=["math"], log_metric=lambda *_: None
        )
        assert trained == pytest.approx([total])


def test_an_unknown_reward_is_an_error() -> None:
    with pytest.raises(InputError, match="reward: 'printed' is unknown"):
        RewardRule("printed")
