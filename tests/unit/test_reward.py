"""The training reward is accuracy plus format of the assistant's whole turn."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.core.errors import InputError
from rlvr.prompts import TEMPLATES
from rlvr.rewards.reward import Reward, total_reward


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
    assert -2.15 <= reward.total <= 1.75
