"""Synthetic puzzles: right by both modes, in the released shape, small enough for the tiny bases."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from rlvr.bases.loading import load_base, load_tokenizer
from rlvr.bases.pretrain import CORPORA, PretrainSettings, completion_loss, make_batch
from rlvr.bases.shipped import install_shipped
from rlvr.bases.tokenizer import build_tokenizer
from rlvr.core.io import read_json
from rlvr.core.seeds import make_rng
from rlvr.data.readers import read_problems
from rlvr.data.readers.enigmata import SHARED_TASKS
from rlvr.grading.enigmata.parity import MODES
from rlvr.grading.enigmata.tasks import TASKS
from rlvr.grading.enigmata.verify import judge, show_answer
from rlvr.prompts import render_prompt
from rlvr.synthetic.puzzle_rows import DRAWERS, LEVELS, draw_puzzle, puzzle_rows

ROOT = Path(__file__).resolve().parents[2]
BASE = "qwen3-8b-puzzles"
SETTINGS = PretrainSettings("qwen3", 1, "compact", 4, 1e-3, 0.35, 0.5, 0)


@pytest.fixture(scope="module")
def problems():
    raw = puzzle_rows(600, np.random.default_rng(0), held_out=False)
    return read_problems(raw, "enigmata", "enigmata-data", "enigmata-10k", "file")


def test_at_least_six_tasks_of_three_families() -> None:
    assert set(DRAWERS) <= set(SHARED_TASKS)
    assert len(DRAWERS) >= 6
    assert len({TASKS[task].family for task in DRAWERS}) >= 3


@pytest.mark.parametrize("task", DRAWERS)
@pytest.mark.parametrize("level", range(len(LEVELS)))
def test_the_drawn_answer_is_right_in_both_modes(task: str, level: int) -> None:
    rng = np.random.default_rng([level, 7])
    for _ in range(40):
        puzzle = DRAWERS[task](level, rng)
        answer = puzzle.answer if isinstance(puzzle.answer, str) else json.dumps(puzzle.answer)
        for mode in MODES:
            found = judge(
                f"{puzzle.draft}</think>```\n{puzzle.response}\n```", answer, json.dumps(puzzle.record), task, mode
            )
            assert found.verdict == "correct", (mode, puzzle)


def test_the_stored_answers_are_right_as_rows(problems) -> None:
    assert set(problems["topic"]) == set(DRAWERS)
    assert set(problems["difficulty"]) == {1.0, 2.0, 3.0}
    for row in problems.itertuples():
        text = show_answer(row.answer, row.meta, row.topic)
        assert {judge(text, row.answer, row.meta, row.topic, mode).verdict for mode in MODES} == {"correct"}


def test_training_and_evaluation_share_no_prompt(problems) -> None:
    held_out = puzzle_rows(300, np.random.default_rng(1), held_out=True)
    assert set(held_out["task_name"]) == set(DRAWERS)
    assert not set(held_out["prompt"]) & set(problems["question"])


def test_same_seed_same_rows() -> None:
    first, second = (puzzle_rows(50, np.random.default_rng(3), held_out=True) for _ in range(2))
    assert first.equals(second)


def test_prompts_and_solutions_fit_the_tiny_scale() -> None:
    """64 tokens of prompt and 24 of completion, its end token included; nothing is unknown to the tokenizer."""
    tokenizer = build_tokenizer()
    rng = np.random.default_rng(5)
    for _ in range(300):
        puzzle = draw_puzzle(rng)
        prompt = tokenizer(render_prompt(puzzle.prompt, "compact")).input_ids
        solution = tokenizer(f"{puzzle.draft}</think>```\n{puzzle.response}\n```").input_ids
        assert len(prompt) <= 64
        assert len(solution) + 1 <= 24
        assert tokenizer.unk_token_id not in prompt + solution


def test_the_corpus_is_noisy_in_the_stated_shares() -> None:
    rng = np.random.default_rng(2)
    pairs = [CORPORA["puzzles"](SETTINGS, rng) for _ in range(1000)]
    whole = [text for _, text in pairs if text.endswith("```<eos>") and not text.startswith("</think>")]
    assert len(whole) / len(pairs) == pytest.approx(0.5, abs=0.05)
    assert all(prompt.startswith("User: ") and text.endswith("<eos>") for prompt, text in pairs)


def test_the_shipped_base_has_read_puzzles(tmp_path: Path) -> None:
    """The puzzles' base has a low loss on unseen puzzle texts; the digits' base has a high one."""
    scale = yaml.safe_load((ROOT / "workflow/scales/tiny.yaml").read_text())
    losses = {}
    for name in (BASE, "qwen3-8b"):
        install_shipped(name, ROOT / "data/bases" / name, tmp_path / name)
        ids, labels = make_batch(load_tokenizer(tmp_path / name), SETTINGS, make_rng(1, "unseen"), "puzzles")
        with torch.inference_mode():
            losses[name] = completion_loss(load_base(tmp_path / name), ids, labels).item()
    made, wanted = read_json(tmp_path / BASE / "model.json"), scale["models"][BASE]
    assert {key: made["settings"][key] for key in ("architecture", "steps")} | {"corpus": made["corpus"]} == {
        key: wanted[key] for key in ("architecture", "steps", "corpus")
    }
    assert losses[BASE] < 1 < losses["qwen3-8b"]
