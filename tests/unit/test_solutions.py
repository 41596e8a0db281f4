"""Worked solutions of data sets, from released columns to what supervised fine-tuning imitates."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_models import settings_of

from rlvr.bases.tokenizer import build_tokenizer
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, read_table
from rlvr.data.curation import curate_files
from rlvr.data.curation_recipe import CurationRecipe
from rlvr.data.fetching import Origin, fetch_source
from rlvr.data.readers import get_reader, read_problems
from rlvr.plan.own_sources import own_sources
from rlvr.plan.sources import check_solutions, load_registry, with_solutions
from rlvr.prompts import render_prompt
from rlvr.tables import PROBLEMS
from rlvr.train.solutions import solved_examples

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = load_registry(ROOT / "data" / "sources.csv")
SUMS = [(3, 4), (5, 6), (7, 8), (9, 9)]


def deepmath_rows() -> pd.DataFrame:
    """Rows in the columns of DeepMath-103K: three attempts of a reasoning model, of which one closes its thought."""
    rows = [
        {
            "question": f"Let $a={a}$ and $b={b}$. Find $a+b$.", "final_answer": str(a + b), "difficulty": 5.0 + index,
            "topic": "Mathematics -> Algebra",
            "r1_solution_1": f"<think>\nI add {a} and {b} to {a + b}.\n</think>\n\nThe answer is \\boxed{{{a + b}}}.",
            "r1_solution_2": f"Adding {b} to {a} gives {a + b}.\n\n**Final Answer**\n\\boxed{{{a + b}}}",
            "r1_solution_3": "",
        }
        for index, (a, b) in enumerate(SUMS)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def gsm8k_rows() -> pd.DataFrame:
    """Rows in the columns of GSM8K: the reasoning with its computations, then the answer behind four signs."""
    answers = [f"There are {a}+{b}=<<{a}+{b}={a + b}>>{a + b} pears.\n#### {a + b}" for a, b in SUMS]
    return pd.DataFrame({"question": [f"{a} pears and {b} pears: how many?" for a, b in SUMS], "answer": answers})


def math_rows() -> pd.DataFrame:
    """Rows in the columns of MATH: a solution with its answer in a box."""
    solutions = [f"We have ${a}+{b}=\\boxed{{{a + b}}}$." for a, b in SUMS]
    questions = [f"Compute ${a}+{b}$." for a, b in SUMS]
    return pd.DataFrame({"problem": questions, "level": "Level 1", "type": "Algebra", "solution": solutions})


def solutions_of(raw: pd.DataFrame, reader: str) -> list[str]:
    return list(read_problems(raw, reader, "here", "here", "rows")["solution"])


def test_solutions_are_read_from_the_column_that_a_reader_knows_or_is_told() -> None:
    assert read_problems(deepmath_rows(), "deepmath", "here", "here", "rows")["solution"].isna().all()
    assert solutions_of(deepmath_rows(), "deepmath+r1_solution_1")[0] == "I add 3 and 4 to 7."
    assert solutions_of(deepmath_rows(), "deepmath+r1_solution_2")[0] == (
        "Adding 4 to 3 gives 7.\n\n**Final Answer**\n\\boxed{7}"
    )
    assert solutions_of(deepmath_rows(), "deepmath+r1_solution_3") == [""] * 4
    assert solutions_of(gsm8k_rows(), "gsm8k")[0] == "There are 3+4=<<3+4=7>>7 pears."
    assert solutions_of(gsm8k_rows(), "gsm8k+answer") == solutions_of(gsm8k_rows(), "gsm8k")
    assert solutions_of(math_rows(), "math")[0] == r"We have $3+4=\boxed{7}$."


def test_a_column_of_solutions_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="r1_solution_4"):
        solutions_of(deepmath_rows(), "deepmath+r1_solution_4")
    with pytest.raises(InputError, match="reader 'deepmth'"):
        get_reader("deepmth+r1_solution_1")


def curate(source: Any, origin: Origin, folder: Path) -> Path:
    rows, provenance, train = (folder / name for name in ("rows.parquet", "rows.json", "train.parquet"))
    fetch_source(source, origin, rows, provenance)
    recipe = CurationRecipe("here", minimum_difficulty=None, eval_problems=0, max_train_problems=None, seed=0)
    curate_files([rows], [provenance], recipe, train, folder / "eval.parquet", folder / "card.json")
    return train


def imitated(train: Path, **settings: Any) -> list[str]:
    """What carries loss of every example, as text."""
    frame, tokenizer = read_table(train, PROBLEMS), build_tokenizer()
    asked = replace(settings_of("lora"), **{"completions_per_step": 2, "max_completion_tokens": 128} | settings)
    prompts = [render_prompt(question, asked.template) for question in frame["question"]]
    examples = solved_examples(frame, prompts, tokenizer, asked, train)
    pairs = zip(examples["input_ids"], examples["completion_mask"], strict=True)
    return [tokenizer.decode([token for token, counts in zip(ids, mask, strict=True) if counts]) for ids, mask in pairs]


def test_a_release_of_deepmath_is_imitated_by_the_column_that_the_scale_names(tmp_path: Path) -> None:
    registered = with_solutions(REGISTRY["deepmath-103k"], {"deepmath-103k": "r1_solution_1"})
    for number, file in enumerate(registered.files):
        path = tmp_path / registered.repository / file
        path.parent.mkdir(parents=True, exist_ok=True)
        part = deepmath_rows()
        part.insert(0, "id", range(len(part)))
        part["question"] = [f"{question} (Part {number}.)" for question in part["question"]]
        part.to_parquet(path, index=False)
    plain = vars(registered) | {"expected_rows": None, "sha256": ()}
    train = curate(type(registered)(**plain), Origin("mirror", mirror_dir=str(tmp_path)), tmp_path)
    assert read_json(tmp_path / "card.json")["sources"][0]["reader"] == "deepmath+r1_solution_1"
    texts = imitated(train)
    assert len(texts) == 4 * len(registered.files)
    assert any("I add 3 and 4 to 7.</think>\\boxed{7}" in text for text in texts)
    assert not any(text.count("</think>") != 1 for text in texts)


def test_solutions_of_a_file_of_ones_own(tmp_path: Path) -> None:
    rows = [{"q": f"{a} and {b}?", "a": str(a + b), "how": f"{a}+{b}={a + b}" if a != 7 else None} for a, b in SUMS]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    declared = {
        "load": "json", "files": [str(tmp_path / "mine.jsonl")], "licence": "our own",
        "columns": {"question": "q", "answer": "a", "solution": "how"},
    }  # fmt: skip
    scale = {"sources": {"mine": declared}, "datasets": {"here": {"sources": ["mine"], "origin": "own"}}}
    source = own_sources(scale, (), Path("mine.yaml"))["mine"]
    train = curate(source, Origin("own"), tmp_path)
    texts = imitated(train, completions_per_step=1)
    assert sorted(text.partition("</think>")[0] for text in texts) == ["3+4=7", "5+6=11", "9+9=18"]


def test_problems_without_a_solution_are_left_out_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    train = tmp_path / "train.parquet"
    frame = read_problems(gsm8k_rows(), "gsm8k", "here", "here", "rows")
    frame.loc[[0, 2], "solution"] = [None, " "]
    frame.to_parquet(train)
    assert len(imitated(train)) == 2
    assert "2 problems have no solution; 2 solutions: 0 longer" in capsys.readouterr().out
    frame.assign(solution=None).astype({"solution": object}).to_parquet(train)
    with pytest.raises(InputError, match="has no worked solutions"):
        imitated(train)


@pytest.mark.parametrize(
    ("solutions", "own", "named"),
    [({"other": "x"}, {}, "'other'"), ({"mine": "x"}, {"mine": {}}, "of the scale's own")],
)
def test_solutions_are_named_for_sources_of_the_data_set(solutions: dict, own: dict, named: str) -> None:
    scale = {"datasets": {"here": {"sources": ["mine"], "solutions": solutions}}, "sources": own}
    with pytest.raises(InputError, match=named):
        check_solutions(scale, Path("scale.yaml"))
