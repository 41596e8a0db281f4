"""The worked examples of docs/own.md: the files that it prints, as they stand, and the commands that it names."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from conftest import Checkout, copy_code

from rlvr.bases.loading import load_base

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "own.md").read_text()
FILES = dict(re.findall(r"```\w+\n# (workflow/\S+)\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = re.findall(r"^snakemake (.*)$", PAGE, re.MULTILINE)


def words(command: str) -> list[str]:
    return [word.strip("'") for word in re.findall(r"'[^']*'|\S+", command)]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout with a model folder, an adapter, problems and an exam of one's own, and the files of the page."""
    import torch
    from peft import LoraConfig, get_peft_model

    checkout = copy_code(tmp_path_factory.mktemp("own") / "checkout")
    mine = checkout.root / "mine"
    shutil.copytree(ROOT / "data" / "bases" / "qwen3-8b", mine / "model")
    for name in ("model.json", "checksums.json"):
        (mine / "model" / name).unlink()
    torch.manual_seed(0)
    adapted = get_peft_model(
        load_base(mine / "model"), LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
    )
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.1)
    adapted.save_pretrained(str(mine / "adapter"))
    problems = [
        {"problem": f"Add {n} and {n + 1}.", "solution": rf"Sum: \boxed{{{2 * n + 1}}}", "level": n % 4}
        for n in range(60)
    ]
    (mine / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in problems))
    for part in (1, 2):
        rows = [{"number": 100 * part + n, "question": f"Reverse {100 * part + n}.", "answer": n} for n in range(3)]
        pd.DataFrame(rows).to_csv(mine / f"exam-{part}.csv", index=False)
    for name, text in FILES.items():
        path = checkout.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return checkout


def scores(checkout: Checkout, run: str) -> pd.DataFrame:
    return pd.read_parquet(checkout.root / "results" / "mine" / "evaluate" / run / "mine" / "scores.parquet")


def test_the_page_has_its_files_and_its_commands() -> None:
    assert set(FILES) == {
        "workflow/scales/mine.yaml",
        *(f"workflow/studies/mine/{name}" for name in ("study.yaml", "grid.csv", "outputs.yaml", "claims.yaml")),
    }
    assert [words(command)[0] for command in COMMANDS] == ["bases", "evaluate"]


def test_an_own_model_and_an_existing_adapter_are_evaluated_on_own_data(own: Checkout) -> None:
    own.run(*words(COMMANDS[0]))
    for run in ("my-model_base", "my-model-adapted_base"):
        found = scores(own, run).set_index(["benchmark", "statistic"])
        assert found.loc[("my-problems", "avg_at_k"), "n_problems"] == 8
        assert found.loc[("my-exam", "avg_at_k"), "n_problems"] == 6
    models = own.root / "results" / "mine" / "models"
    assert (models / "my-model" / "tokenizer.json").is_file()
    facts = json.loads((models / "my-model-adapted" / "model.json").read_text())
    assert (facts["adapter_type"], facts["from"]) == ("LORA", "my-model")
    kept = pd.read_parquet(own.root / "results/mine/data/my-problems/train.parquet")
    assert kept["difficulty"].min() >= 2  # `minimum_difficulty` saw the column that the source calls level
    assert set(kept["answer"]) <= {str(2 * n + 1) for n in range(60)}


def test_the_merged_model_computes_what_peft_computes(own: Checkout) -> None:
    import torch
    from peft import PeftModel

    models = own.root / "results" / "mine" / "models"
    tokens = torch.arange(5, 25)[None]
    expected = PeftModel.from_pretrained(load_base(models / "my-model"), str(own.root / "mine" / "adapter")).eval()
    with torch.no_grad():
        assert torch.allclose(load_base(models / "my-model-adapted")(tokens).logits, expected(tokens).logits, atol=1e-5)
        assert not torch.allclose(load_base(models / "my-model")(tokens).logits, expected(tokens).logits, atol=1e-3)


def test_a_run_on_own_data_is_planned_to_its_table(own: Checkout) -> None:
    plan = own.plan(*words(COMMANDS[1]))
    assert plan["train_run"] == plan["tabulate_output"] == 1 and plan["generate_samples"] >= 1


@pytest.mark.nightly  # its plan is tested above; what trains and tabulates is what every study uses
def test_a_run_is_trained_on_own_data_and_tabulated(own: Checkout) -> None:
    own.run(*words(COMMANDS[1]))
    (run,) = (own.root / "results" / "mine" / "train").glob("*/run.json")
    assert json.loads(run.read_text())["steps"] == 2
    table = (own.root / "results/mine/paper/mine/tables/table1.md").read_text()
    assert "LoRA" in table
