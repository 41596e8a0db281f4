"""Rewards in the trainers of others: their forms of call, tested with TRL's own trainer."""

import importlib.util
import re
from pathlib import Path

import pytest
from small_models import small_model

from rlvr.core.errors import InputError
from rlvr.rewards import accuracy_reward, compute_score, format_reward, make_trl_reward
from rlvr.rewards.formatting import format_reward as of_text
from rlvr.rewards.reward import overlong_penalty, total_reward

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rewards.md").read_text()
EXAMPLES = {
    part.split("\n", 1)[0]: re.findall(r"```python\n(.*?)```", part, re.DOTALL) for part in PAGE.split("\n## ")[1:]
}


def chat(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def test_texts_and_conversations_are_judged_alike() -> None:
    texts, golds = [r"\boxed{2}", "2", r"\boxed{3}"], ["2", "2", r"so \boxed{\frac{6}{2}}"]
    assert accuracy_reward(completions=texts, answer=golds) == [1.0, 0.0, 1.0]
    assert accuracy_reward(completions=[chat(text) for text in texts], solution=golds) == [1.0, 0.0, 1.0]
    assert format_reward(completions=[chat(text) for text in texts]) == [of_text(text) for text in texts]


def test_shaped_reward_is_the_one_of_our_training() -> None:
    completions = ["2 + 2</think>\\boxed{4}", "\\boxed{4}", "x</think>\\boxed{5}"]
    found = make_trl_reward("shaped", opened="<think>")(completions=completions, answer=["4"] * 3)
    assert found == [total_reward(text, "4", "math", "compact").total for text in completions]


def test_length_costs_what_dapo_says() -> None:
    reward = make_trl_reward("signed", max_tokens=10, overlong_buffer=4)
    found = reward(completions=[r"\boxed{1}"] * 3, gold=["1"] * 3, completion_ids=[[0] * n for n in (6, 8, 10)])
    assert found == [1.0 + overlong_penalty(n, 10, 4) for n in (6, 8, 10)] == [1.0, 0.5, 0.0]


def test_an_unreadable_gold_is_left_out_or_named() -> None:
    golds = ["\\frac{", "1"]
    assert accuracy_reward(completions=[r"\boxed{1}"] * 2, answer=golds) == [None, 1.0]
    with pytest.raises(InputError, match="completion 0"):
        make_trl_reward()(completions=[r"\boxed{1}"] * 2, answer=golds)


def test_a_data_set_without_golds_is_refused_with_its_columns() -> None:
    with pytest.raises(InputError, match="question"):
        accuracy_reward(completions=["x"], question=["y"])
    with pytest.raises(InputError, match="'right'"):
        make_trl_reward(gold="right")(completions=["x"], answer=["y"])


def test_verdicts_are_logged_where_the_trainer_takes_metrics() -> None:
    logged: dict[str, float] = {}
    completions = [r"\boxed{1}", "nothing", r"\boxed{2}", r"\boxed{1}"]
    accuracy_reward(completions=completions, answer=["1"] * 4, log_metric=logged.__setitem__)
    assert logged == {"rlvr/accuracy": 0.5, "rlvr/unparsed": 0.25, "rlvr/timed_out": 0.0}


def test_programs_are_graded_by_their_tests_where_the_rows_say_so() -> None:
    meta = {"test_list": ["assert double(2) == 4"], "test_setup_code": ""}
    gold = "def double(x):\n    return 2 * x\n"
    texts = ["```python\ndef double(x):\n    return x + x\n```", "```python\ndef double(x):\n    return x\n```"]
    found = make_trl_reward()(completions=texts, answer=[gold] * 2, verifier=["code"] * 2, meta=[meta] * 2)
    assert found == [1.0, 0.0]
    scored = compute_score("code", texts[1], gold, {"meta": meta})
    assert (scored["score"], scored["verdict"]) == (0.0, "wrong")


def test_verl_loads_the_file_by_its_path() -> None:
    import rlvr.rewards.for_trainers as ours

    spec = importlib.util.spec_from_file_location("custom_module", ours.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.compute_score(
        data_source="gsm8k", solution_str=r"\boxed{18}", ground_truth="18", extra_info={"index": 3}
    )
    assert found == {"score": 1.0, "acc": True, "verdict": "correct"}


@pytest.mark.parametrize("title", ["open-r1", "verl"])
def test_examples_of_the_page_run(title: str) -> None:
    for code in EXAMPLES[title]:
        exec(compile(code, title, "exec"), {})


def test_the_example_of_trl_trains_a_step_and_logs_every_reward(tmp_path: Path) -> None:
    from rlvr.bases.tokenizer import build_tokenizer

    tokenizer = build_tokenizer()
    model = small_model()
    model.resize_token_embeddings(len(tokenizer))
    names = {"model": model, "tokenizer": tokenizer, "folder": str(tmp_path)}
    (code,) = EXAMPLES["TRL"]
    exec(compile(code, "TRL", "exec"), names)
    logged = {key for line in names["trainer"].state.log_history for key in line}
    wanted = {
        "rewards/accuracy_reward/mean",
        "rewards/format_reward/mean",
        "rewards/signed_reward/mean",
        "rlvr/accuracy",
    }
    assert wanted <= logged
