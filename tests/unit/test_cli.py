"""The command ``rlvr``: what it prints, how it ends, what it does not import."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from small_models import small_model
from typer.testing import CliRunner

from rlvr.cli.app import app
from rlvr.core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
RUNNER = CliRunner()
ROWS = [
    {"id": 1, "completion": r"So \boxed{1/2}.", "gold": "0.5"},
    {"id": 2, "completion": r"So \boxed{3}.", "gold": 4},
    {"id": 3, "completion": "no box", "gold": "4"},
    {
        "id": 4,
        "completion": [{"role": "user", "content": "?"}, {"role": "assistant", "content": r"\boxed{4}"}],
        "gold": "4",
    },
]
VERDICTS = ["correct", "wrong", "unparsed", "correct"]


def call(*words: str | Path, stdin: str | None = None):
    return RUNNER.invoke(app, [str(word) for word in words], input=stdin)


def lines(rows: list[dict]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def json_lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_every_command_has_help_with_an_example_that_names_it() -> None:
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    assert names == ["grade", "spectra", "parameters", "audit", "samples", "train", "watch"]
    for name in names:
        shown = call(name, "--help")
        assert shown.exit_code == 0
        assert f"rlvr {name}" in shown.stdout.partition("Examples:")[2]


def test_grade_reads_every_format_and_standard_input_alike(tmp_path: Path) -> None:
    import pandas as pd

    (tmp_path / "rows.jsonl").write_text(lines(ROWS))
    plain = [
        {**row, "completion": row["completion"] if isinstance(row["completion"], str) else r"\boxed{4}"} for row in ROWS
    ]
    frame = pd.DataFrame([{**row, "gold": str(row["gold"])} for row in plain])
    frame.to_csv(tmp_path / "rows.csv", index=False)
    frame.to_parquet(tmp_path / "rows.parquet")
    for name in ("rows.jsonl", "rows.csv", "rows.parquet"):
        found = json_lines(call("grade", tmp_path / name, "--json").stdout)
        assert [row["verdict"] for row in found] == VERDICTS, name
        assert [row["line"] for row in found] == [1, 2, 3, 4]
        assert all(row["reason"] for row in found)
    piped = call("grade", "-", "--json", stdin=lines(ROWS))
    assert [row["verdict"] for row in json_lines(piped.stdout)] == VERDICTS
    assert "2 correct" in piped.stderr


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_grade_writes_what_it_read_with_the_verdicts(tmp_path: Path, suffix: str) -> None:
    import pandas as pd

    source, target = tmp_path / "rows.jsonl", tmp_path / f"graded.{suffix}"
    source.write_text(lines(ROWS[:3]))
    assert call("grade", source, "--out", target).exit_code == 0
    readers = {"jsonl": lambda path: pd.read_json(path, lines=True), "csv": pd.read_csv, "parquet": pd.read_parquet}
    frame = readers[suffix](target)
    assert list(frame["id"]) == [1, 2, 3]
    assert list(frame["verdict"]) == VERDICTS[:3]


@pytest.mark.parametrize(
    ("text", "words", "named"),
    [
        ('{"completion": "x"}\n', [], "none of the columns gold"),
        ('{"completion": "x", "gold": "1"}\n[1]\n', [], "line 2"),
        ('{"completion": "x", "gold": "1"}\n{oops\n', [], "line 2"),
        ('{"completion": "x", "gold": null}\n', [], "line 1, column 'gold'"),
        ('{"completion": 7, "gold": "1"}\n', [], "column 'completion'"),
        ('{"completion": "x", "gold": "1"}\n', ["--gold", "right"], "no column 'right'"),
        ('{"completion": "x", "gold": "1"}\n', ["--verifier", "chess"], "chess"),
        ('{"completion": "x", "gold": "1"}\n', ["--format", "xml"], "--format"),
        ('{"completion": "x", "gold": "\\\\frac{"}\n', [], "line 1"),
        ("", [], "no rows"),
    ],
)
def test_grade_says_what_is_wrong_and_where(text: str, words: list[str], named: str) -> None:
    ended = call("grade", "-", *words, stdin=text)
    assert ended.exit_code == 1
    assert isinstance(ended.exception, InputError)
    assert named in str(ended.exception)


def test_grade_keeps_going_over_a_gold_that_cannot_be_read() -> None:
    rows = [{"completion": r"\boxed{1}", "gold": "\\frac{"}, {"completion": r"\boxed{1}", "gold": "1"}]
    found = json_lines(call("grade", "-", "--keep-going", "--json", stdin=lines(rows)).stdout)
    assert [row["verdict"] for row in found] == ["no gold", "correct"]


def test_grade_shows_foreign_text_without_its_control_characters() -> None:
    rows = [{"completion": "\\boxed{\x1b[31m[bold]7}", "gold": "4"}]
    shown = call("grade", "-", stdin=lines(rows)).stdout
    assert "\x1b" not in shown
    assert "[bold]7" in shown


def test_audit_counts_what_the_rule_counts(tmp_path: Path) -> None:
    from rlvr.report.audit.judging import audit_study

    expected = audit_study(ROOT / "workflow/studies/structure-over-scale", ROOT / "data/configs")
    found = call("audit", "structure-over-scale", "--json", "--out", tmp_path / "audit.csv")
    assert json.loads(found.stdout) == json.loads(json.dumps(expected))
    assert len((tmp_path / "audit.csv").read_text().splitlines()) > len(expected)
    assert isinstance(call("audit", "no-such-study").exception, InputError)


def test_parameters_are_the_closed_forms_of_lora() -> None:
    found = json.loads(call("parameters", "qwen3-8b", "lora:rank=8|16,target_modules=mlp", "--json").stdout)
    one_layer = 3 * (4096 + 12288)
    assert [row["trainable"] for row in found["methods"]] == [rank * 36 * one_layer for rank in (8, 16)]
    assert found["parameters"] == 8_190_735_360


def test_parameters_of_a_folder_of_ones_own_with_its_own_axes(tmp_path: Path) -> None:
    shape = {"model_type": "llama", "hidden_size": 576, "num_hidden_layers": 2, "num_attention_heads": 9}
    shape |= {"num_key_value_heads": 3, "intermediate_size": 1536, "vocab_size": 100, "max_position_embeddings": 512}
    (tmp_path / "config.json").write_text(json.dumps(shape))
    found = json.loads(
        call("parameters", tmp_path, "quanta:dims=24x24,target_modules=attention", "lora", "--json").stdout
    )
    assert [row["method"] for row in found["methods"]] == ["quanta:dims=24x24,target_modules=attention", "lora"]
    assert found["methods"][0]["trainable"] == 2 * 4 * 576**2
    wrong = call("parameters", tmp_path, "quanta:dims=24x25")
    assert isinstance(wrong.exception, InputError)


@pytest.mark.parametrize(
    "words", [["lora:rank"], ["lora:rank=0"], ["lora:size=1"], ["nothing"], ["lora", "--set", "x"]]
)
def test_parameters_refuse_words_that_mean_nothing(words: list[str]) -> None:
    ended = call("parameters", "qwen3-8b", *words)
    assert ended.exit_code == 1
    assert isinstance(ended.exception, InputError)


def test_spectra_of_two_checkpoints_are_those_of_their_difference(tmp_path: Path) -> None:
    import torch

    base, tuned = small_model(), small_model()  # drawn from one seed
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if name.endswith("q_proj.weight"):
                weight[0, 0] += 1.0
    base.save_pretrained(tmp_path / "base")
    tuned.save_pretrained(tmp_path / "tuned")
    ended = call("spectra", tmp_path / "base", tmp_path / "tuned", "--out", tmp_path / "out", "--json")
    assert ended.exit_code == 0, ended.exception
    rows = {row["projection"]: row for row in json.loads(ended.stdout)}
    assert rows["q_proj"]["effective rank"] == pytest.approx(1.0)
    assert rows["k_proj"]["effective rank"] == 0.0
    names = {"spectra.parquet", "diagnostics.parquet", "effective_rank.png", "geometry.png"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names


def test_samples_of_two_runs_stand_beside_each_other(tmp_path: Path) -> None:
    from test_samples import problems, rows

    from rlvr.core.io import write_table
    from rlvr.tables import GRADES, PROBLEMS, SAMPLES

    samples, grades = rows()
    for run in ("a", "b"):
        folder = tmp_path / "tiny" / "evaluate" / run / "main"
        write_table(samples[samples["run_id"] == run], folder / "samples.parquet", SAMPLES)
        write_table(grades[grades["run_id"] == run], folder / "grades.parquet", GRADES)
    write_table(problems(), tmp_path / "tiny" / "data" / "hard" / "eval.parquet", PROBLEMS)
    (tmp_path / "tiny" / "train" / "b").mkdir(parents=True)
    runs = tmp_path / "tiny" / "evaluate" / "a", tmp_path / "tiny" / "train" / "b"
    shown = call("samples", *runs, "--problem", "p2", "--out", tmp_path / "page.html")
    assert shown.exit_code == 0, shown.exception
    assert "2 of 4 correct" in shown.stdout
    assert "3 of 4 correct" in shown.stdout
    assert "a p2 0" in (tmp_path / "page.html").read_text()
    records = json_lines(call("samples", *runs, "--problems", "2", "--json").stdout)
    assert [(row["run_id"], row["problem_id"]) for row in records[::4]] == [
        ("a", "p1"),
        ("b", "p1"),
        ("a", "p2"),
        ("b", "p2"),
    ]
    for words in ([tmp_path], [*runs, "--benchmark", "easy"], [runs[0], runs[0]], [*runs, "--problem", "p9"]):
        assert isinstance(call("samples", *words).exception, InputError), words


def test_training_finds_its_places_beside_the_spec(tmp_path: Path) -> None:
    from rlvr.cli.train import find_places

    spec = tmp_path / "tiny" / "specs" / "a_run.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"model": "qwen3-8b", "dataset": "enigmata-10k"}))
    places = find_places(spec, None, None, tmp_path / "mine")
    assert places["base"] == tmp_path / "tiny" / "models" / "qwen3-8b-puzzles"  # the scale's stand-in of that data set
    assert places["problems"] == tmp_path / "tiny" / "data" / "enigmata-10k" / "train.parquet"
    assert places["out"] == tmp_path / "mine"
    elsewhere = tmp_path / "a_run.json"
    elsewhere.write_text(spec.read_text())
    with pytest.raises(InputError, match="--base, --problems"):
        find_places(elsewhere, None, None, tmp_path)


LIGHT = [
    ["grade", "-"],
    ["audit", "structure-over-scale"],
    ["parameters", "qwen3-8b", "lora", "quanta", "mora", "full"],
    ["samples", "--help"],
    ["train", "--help"],
]


@pytest.mark.parametrize("words", LIGHT, ids=lambda words: words[0])
def test_commands_that_need_no_torch_do_not_import_it(words: list[str]) -> None:
    code = (
        "import sys\nfrom rlvr.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code, ended.code\n"
        "assert not {'torch', 'peft', 'transformers', 'pandas', 'matplotlib'} & set(sys.modules)\n"
    )
    environment = {"PYTHONPATH": str(ROOT / "workflow/lib"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code, *words], input=lines(ROWS), capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr


def test_an_error_ends_the_process_with_one_sentence_and_one() -> None:
    command = [sys.executable, "-m", "rlvr.cli", "grade", "nowhere.jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "workflow/lib")})
    assert done.returncode == 1
    assert done.stderr.startswith("error: nowhere.jsonl: no such file.")
    assert "Traceback" not in done.stderr
