"""Every example that the help of a command prints, as it is printed, in a folder with files of the names it says.

Those that train are in tests/smoke/test_train_command.py.
"""

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from small_models import small_model
from test_learning_curves import frame
from test_model_cards import finished
from test_samples import problems, rows
from train_inputs import RUN
from typer.testing import CliRunner, Result

from rlvr.cli import audit, grade, parameters, samples, spectra, train, watch
from rlvr.cli.app import app
from rlvr.core.io import write_json, write_table
from rlvr.tables import GRADES, METRICS, PROBLEMS, SAMPLES

ROOT = Path(__file__).resolve().parents[2]
MODULES = (grade, spectra, parameters, audit, samples, watch, train)
BASES = ("qwen3-8b_base", "llama-3.1-8b_base")
SHAPE = {
    "model_type": "llama", "hidden_size": 576, "num_hidden_layers": 2, "num_attention_heads": 9, "vocab_size": 100,
    "num_key_value_heads": 3, "intermediate_size": 1536, "max_position_embeddings": 2048,
}  # fmt: skip


def printed_examples(module) -> list[str]:
    """The lines of a module's examples without the marks that keep typer from reading them as markup."""
    return [line.replace("\\[", "[") for line in module.EXAMPLES.split("\n\n")[1:]]


CHEAP = [line for module in MODULES if module is not train for line in printed_examples(module)]


def write_rows(folder: Path) -> None:
    """What `rlvr grade` is given: completions with golds, and programs with tests."""
    found = [{"completion": r"So \boxed{1/2}.", "gold": "0.5"}, {"completion": "none", "gold": "4"}]
    (folder / "completions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))
    renamed = pd.DataFrame(found).rename(columns={"completion": "reply", "gold": "answer"})
    renamed.to_parquet(folder / "rows.parquet")
    program = "```python\ndef twice(x):\n    return 2 * x\n```"
    tests = {"test_setup_code": "", "test_list": ["assert twice(2) == 4"], "challenge_test_list": []}
    row = {"completion": program, "gold": "def twice(x): return x + x", "tests": json.dumps(tests)}
    (folder / "programs.jsonl").write_text(json.dumps(row) + "\n")


def write_models(folder: Path) -> None:
    """A base, a tuned checkpoint, an adapter and a run of it; the large ones are links to the same."""
    import torch

    small_model().save_pretrained(folder / "base")
    tuned = small_model()
    with torch.no_grad():
        tuned.model.layers[0].self_attn.q_proj.weight[0, 0] += 1.0
    tuned.save_pretrained(folder / "tuned")
    (folder / "runs" / "mine").mkdir(parents=True)
    finished("lora", folder / "runs" / "mine")
    shutil.copytree(folder / "runs" / "mine" / "adapter", folder / "adapter")
    for name in ("base", "tuned"):
        (folder / f"{name}-8b").symlink_to(folder / name)
    write_json(SHAPE, folder / "my-model" / "config.json")


def write_results(results: Path) -> None:
    """Evaluations of two bases and a run on one benchmark, and a finished run with its log."""
    drawn, graded = rows()
    for name, run in zip((*BASES, RUN), ("a", "b", "a"), strict=True):
        place = results / "evaluate" / name / "main"
        for table, schema, file in ((drawn, SAMPLES, "samples"), (graded, GRADES, "grades")):
            own = table[table["run_id"] == run].assign(run_id=name)
            renamed = own.assign(problem_id=own["problem_id"].replace("p1", "aime-2025/1"))
            write_table(renamed, place / f"{file}.parquet", schema)
    asked = problems()
    asked["problem_id"] = asked["problem_id"].replace("p1", "aime-2025/1")
    write_table(asked, results / "data" / "hard" / "eval.parquet", PROBLEMS)
    write_json({"max_steps": 4}, results / "specs" / f"{RUN}.json")
    write_json({"steps": 4}, results / "train" / RUN / "run.json")
    write_table(frame([0.0, 1.0, 2.0, 3.0]), results / "train" / RUN / "metrics.parquet", METRICS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    write_rows(folder)
    write_models(folder)
    write_results(folder / "results" / "tiny")
    shutil.copytree(folder / "results" / "tiny", folder / "results" / "pocket")
    (folder / "my-studies").symlink_to(ROOT / "workflow" / "studies")
    return folder


def run_line(line: str) -> Result:
    """A line as a shell would run it: what stands before a pipe in a shell, patterns of files in sorted order."""
    *before, command = line.split(" | ")
    given = None
    if before:
        given = subprocess.run(["bash", "-c", before[0]], capture_output=True, text=True, check=True).stdout
    program, *words = shlex.split(command)
    assert program == "rlvr"
    expanded = [name for word in words for name in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]
    return CliRunner().invoke(app, expanded, input=given)


@pytest.mark.parametrize("line", CHEAP)
def test_an_example_of_the_help_works_as_it_stands(line: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    ended = run_line(line)
    assert ended.exit_code == 0, ended.exception
    if "--json" in line:
        first = ended.stdout.lstrip()[0]
        found = json.loads(ended.stdout if first == "[" or "\n  " in ended.stdout else ended.stdout.splitlines()[0])
        assert found
    if "--out" in line:
        words = shlex.split(line)
        assert (place / words[words.index("--out") + 1]).exists()


def test_examples_of_the_help_fit_a_line_and_are_printed_as_they_are() -> None:
    for module in MODULES:
        name = module.__name__.rpartition(".")[2]
        shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "80"}).stdout
        for line in printed_examples(module):
            assert f" {line}" in [each.rstrip() for each in shown.splitlines()], line


def test_the_commands_of_the_page_work_as_they_stand(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of docs/commands.md that run `rlvr`; what pip installs is tested in tests/workflow/test_package.py."""
    monkeypatch.chdir(place)
    lines = [line for line in (ROOT / "docs" / "commands.md").read_text().splitlines() if "| rlvr " in line]
    assert lines
    for line in lines:
        ended = run_line(line)
        assert ended.exit_code == 0, ended.exception
        assert "correct" in ended.stdout
