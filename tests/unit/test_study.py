"""A grid bound to a scale."""

from pathlib import Path

import pytest

from rlvr.adapters.methods import METHODS
from rlvr.core.errors import InputError
from rlvr.plan.study import check_datasets, load_protocols, load_study, read_grid

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
SCHEMAS = WORKFLOW / "schemas"
HEADER = "run_id,tier,model,dataset,method,rank,alpha,axes,target_modules,schedule,completions_per_step,seed"


def load(tier: str = "core", scale: str = "tiny"):
    return load_study(
        "structure-over-scale", tier, WORKFLOW / f"scales/{scale}.yaml", WORKFLOW / "studies", SCHEMAS, METHODS
    )


def grid(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "study" / "grid.csv"
    path.parent.mkdir()
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def test_ranks_and_alphas_are_divided_together() -> None:
    tiny, paper = load(), load(scale="paper")
    for run_id, spec in tiny.specs.items():
        printed = paper.specs[run_id]
        if spec["rank"] is not None:
            assert printed["rank"] == 8 * spec["rank"]
            assert printed["alpha"] / printed["rank"] == spec["alpha"] / spec["rank"]


def test_tiers_nest() -> None:
    assert set(load("core").rows) < set(load("full").rows) == set(load("core").grid)


def test_suites_of_runs_and_bases() -> None:
    study = load()
    assert study.suites("qwen3-8b_deepmath-hard_lora-r8_bs64_s42") == ["main"]
    assert study.suites("llama-3.1-8b_math_quanta-d3-all-linear-constant_bs64_s42") == ["math", "main"]
    assert set(study.suites("llama-3.1-8b_base")) == {"main", "math"}
    assert list(study.sampling("main", "transformers")) == ["deepmath-hard", "aime-2025-2026"]
    assert study.model_of("llama-3.1-8b_base") == "llama-3.1-8b"
    assert study.trained_bases == ["qwen3-8b_base", "llama-3.1-8b_base", "apertus-8b_base"]


def test_runs_on_enigmata_have_a_base_and_a_benchmark_of_their_own() -> None:
    tiny, paper, run_id = load("full"), load("full", scale="paper"), "qwen3-8b_enigmata-10k_lora-r8_bs64_s42"
    assert (tiny.model_of(run_id), paper.model_of(run_id)) == ("qwen3-8b-puzzles", "qwen3-8b")
    assert tiny.suites(run_id) == ["puzzles", "main"]
    assert paper.suites(run_id) == ["enigmata-eval", "aime-2025-2026"]
    assert tiny.suites("qwen3-8b-puzzles_base") == ["puzzles", "main"]
    assert "qwen3-8b-puzzles_base" in tiny.trained_bases
    assert "qwen3-8b-puzzles_base" not in load("core").trained_bases


@pytest.mark.parametrize(("key", "part"), [("benchmark", "benchmarks"), ("stand_in_model", "models")])
def test_a_data_set_that_names_what_is_not_there_is_refused(key: str, part: str) -> None:
    scale = {"datasets": {"one": {"origin": "hub", key: "nothing"}}, "benchmarks": {}, "models": {}}
    with pytest.raises(InputError, match=f"data set 'one' names {key} 'nothing'. Add it under '{part}'"):
        check_datasets(scale, Path("scale.yaml"))


def test_both_readings_of_alpha_differ_in_alpha_alone() -> None:
    specs = load().specs
    for rank in (8, 32, 64, 128, 256):
        scaled = specs[f"qwen3-8b_deepmath-hard_lora-r{rank}_bs64_s42"]
        held = specs[f"qwen3-8b_deepmath-hard_lora-r{rank}-a32_bs64_s42"]
        assert {key for key in scaled if scaled[key] != held[key]} == {"run_id", "alpha"}
        assert held["alpha"] == specs["qwen3-8b_deepmath-hard_lora-r16_bs64_s42"]["alpha"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a_b,core,m,d,lora,x,,,,,,1", "column 'rank' holds 'x'"),
        ("a_b,core,m,d,lora,8,16,,all_linear,,,1,surplus", "more cells"),
        ("a_b,nightly,m,d,lora,8,16,,all_linear,,,1", "key 'tier'"),
        ("a_b,core,m,d,lora,0,16,,all_linear,,,1", "key 'rank'"),
        ("a_b,core,m,d,lora,8,16,,all_linear,,,", "key 'seed'"),
    ],
)
def test_a_wrong_cell_names_file_and_line(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(InputError, match=r"grid\.csv, line 2") as refused:
        read_grid(grid(tmp_path, line), SCHEMAS / "grid.schema.yaml")
    assert words in str(refused.value)


def test_scale_goes_before_the_papers_protocol() -> None:
    tiny, paper = load().sampling("main", "transformers"), load(scale="paper")
    assert tiny["aime-2025-2026"]["samples_per_problem"] == 4
    aime = paper.sampling("aime-2025-2026", "vllm")["aime-2025-2026"]
    assert (aime["samples_per_problem"], aime["max_completion_tokens"]) == (32, 7168)
    assert aime["template"] == "r1_zero"


def test_the_same_benchmark_has_the_protocol_of_each_paper() -> None:
    studies = ("peft-for-rlvr", "off-the-principals", "orthonormal-initialisation")
    found = [load_protocols(WORKFLOW / "studies" / name, SCHEMAS)["math-500"] for name in studies]
    assert [protocol["samples_per_problem"] for protocol in found] == [4, 2, 4]
    assert [protocol["temperature"] for protocol in found] == [0.6, 0.7, 0.6]
    assert [protocol["max_completion_tokens"] for protocol in found] == [32768, 8192, 8192]


def test_every_benchmark_of_a_paper_is_a_data_set_of_scale_paper() -> None:
    datasets = load(scale="paper").scale["datasets"]
    named = {name for path in (WORKFLOW / "studies").iterdir() for name in load_protocols(path, SCHEMAS)}
    assert {name for name in named if not name.startswith("enigmata")} <= set(datasets)


def test_benchmark_without_a_protocol_is_refused(tmp_path: Path) -> None:
    text = (WORKFLOW / "scales/tiny.yaml").read_text()
    old = "  math: {samples_per_problem: 4, temperature: 1.0, top_p: 1.0, max_completion_tokens: 24}"
    assert old in text
    scale = tmp_path / "tiny.yaml"
    scale.write_text(text.replace(old, "  math: {samples_per_problem: 4}"))
    study = tmp_path / "studies/one"
    study.mkdir(parents=True)
    (study / "grid.csv").write_text(HEADER + "\n")
    with pytest.raises(InputError, match=r"tiny\.yaml: benchmark 'math' lacks 'max_completion_tokens'.*of study 'one'"):
        load_study("one", "core", scale, tmp_path / "studies", SCHEMAS, METHODS)
    (study / "protocols.yaml").write_text("benchmarks: {math: {samples_per_problem: 4, temperature: -1}}\n")
    with pytest.raises(InputError, match=r"protocols\.yaml"):
        load_study("one", "core", scale, tmp_path / "studies", SCHEMAS, METHODS)
