"""Studies, their grids, and the program that binds them to a scale."""

from pathlib import Path

import pytest
import yaml
from bound_rows import PRIMARY, SCALES, SCHEMAS, STUDIES, TINY, load_program
from hypothesis import given
from hypothesis import strategies as st

from rlvr.adapters.methods import METHODS
from rlvr.core.errors import InputError
from rlvr.plan.binding import prompt_limits, with_own_factors
from rlvr.plan.grid import expand, name_run, read_grid
from rlvr.plan.layout import check_layout
from rlvr.plan.program import make_program
from rlvr.plan.scale import check_datasets, load_scale, prompts_like, scale_ranks
from rlvr.plan.study import complete_recipe, is_public, load_study, study_names

HEADER = "tier,model,dataset,method,rank,alpha,target_modules,seed"
ROW = "core,qwen3-8b,deepmath-hard,lora,8,16,all_linear,42"
AIME = {"samples_per_problem": 32, "temperature": 0.6, "top_p": 0.95, "max_completion_tokens": 16384}


def write_study(folder: Path, name: str, *lines: str, header: str = HEADER, **changes: object) -> Path:
    """A study that takes its recipe from the primary one; returns the folder of all studies."""
    for primary in (PRIMARY,):
        if not (folder / primary).exists():
            (folder / primary).mkdir(parents=True)
            for file in ("study.yaml", "grid.csv"):
                (folder / primary / file).write_text((STUDIES / primary / file).read_text())
    content = {
        "title": "A study",
        "citation": "lora",
        "recipe": {"from": PRIMARY},
        "benchmarks": {"deepmath-hard": AIME, "aime-2025-2026": {**AIME, "out_of_distribution": True}},
        **changes,
    }
    (folder / name).mkdir(parents=True)
    (folder / name / "study.yaml").write_text(yaml.safe_dump(content))
    (folder / name / "grid.csv").write_text("\n".join([header, *lines]) + "\n")
    return folder


def bind(folder: Path, *names: str, tier: str = "full"):
    studies = [load_study(name, folder, SCHEMAS, METHODS) for name in names]
    return make_program("tiny", TINY, tier, studies, METHODS)


def test_ranks_and_alphas_are_divided_together() -> None:
    tiny, paper = load_program(), load_program("paper")
    for run_id in tiny.rows:
        spec, printed = tiny.specs[run_id], paper.specs[run_id]
        if spec["rank"] is not None:
            assert printed["rank"] == 8 * spec["rank"] == spec["printed"]["rank"]
            assert printed["alpha"] / printed["rank"] == spec["alpha"] / spec["rank"]


@given(st.sets(st.integers(1, 512), min_size=1, max_size=12), st.sampled_from([1, 4, 8, 16]))
def test_scaled_ranks_keep_order_and_distinctness(ranks: set[int], divisor: int) -> None:
    found = scale_ranks(ranks, divisor)
    ordered = [found[rank] for rank in sorted(ranks)]
    assert ordered == sorted(set(ordered)) and ordered[0] >= 1
    assert all(rank / divisor <= small for rank, small in found.items())
    if all(rank % divisor == 0 for rank in ranks):
        assert all(small * divisor == rank for rank, small in found.items())


def test_rank_one_has_a_stand_in_below_rank_eight(tmp_path: Path) -> None:
    folder = write_study(tmp_path, "ranks", ROW.replace(",8,16,", ",1|8|16|32,2r,"), run_tag="ranks")
    specs = bind(folder, "ranks").specs
    assert [(spec["printed"]["rank"], spec["rank"]) for spec in specs.values()] == [(1, 1), (8, 2), (16, 3), (32, 4)]
    assert all(spec["alpha"] == 2 * spec["rank"] for spec in specs.values())


def test_tiers_nest() -> None:
    core, full = load_program(), load_program(tier="full")
    assert set(core.rows) < set(full.rows) == set(core.specs)


def test_suites_of_runs_and_bases() -> None:
    program = load_program()
    assert program.run_suites("qwen3-8b_deepmath-hard_lora-r8_bs64_s42") == ["main"]
    assert program.run_suites("llama-3.1-8b_math_quanta-d3-no-kv-constant_bs64_s42") == ["math", "main"]
    assert set(program.run_suites("llama-3.1-8b_base")) == {"main", "math"}
    assert list(program.sampling("main", "transformers")) == ["deepmath-hard", "aime-2025-2026"]
    assert program.model_of("llama-3.1-8b_base") == "llama-3.1-8b"
    assert program.trained_bases == ["qwen3-8b_base", "llama-3.1-8b_base", "apertus-8b_base"]


def test_runs_on_enigmata_have_a_base_and_a_benchmark_of_their_own() -> None:
    tiny, paper = load_program(tier="full"), load_program("paper", "full")
    run_id = "qwen3-8b_enigmata-10k_lora-r8_bs64_s42"
    assert (tiny.model_of(run_id), paper.model_of(run_id)) == ("qwen3-8b-puzzles", "qwen3-8b")
    assert tiny.run_suites(run_id) == ["puzzles", "main"]
    assert paper.run_suites(run_id) == ["enigmata-eval", "aime-2025-2026"]
    assert tiny.run_suites("qwen3-8b-puzzles_base") == ["puzzles", "main"]
    assert "qwen3-8b-puzzles_base" in tiny.trained_bases
    assert "qwen3-8b-puzzles_base" not in load_program().trained_bases


@pytest.mark.parametrize(("key", "part"), [("benchmark", "datasets"), ("stand_in_model", "models")])
def test_a_data_set_that_names_what_is_not_there_is_refused(key: str, part: str) -> None:
    scale = {"datasets": {"one": {"origin": "hub", key: "nothing"}}, "models": {}}
    with pytest.raises(InputError, match=f"data set 'one' names {key} 'nothing'. Add it under '{part}'"):
        check_datasets(scale, Path("scale.yaml"))


def test_both_readings_of_alpha_differ_in_alpha_alone() -> None:
    specs = load_program().specs
    for rank in (8, 32, 64, 128, 256):
        scaled = specs[f"qwen3-8b_deepmath-hard_lora-r{rank}_bs64_s42"]
        held = specs[f"qwen3-8b_deepmath-hard_lora-r{rank}-a32_bs64_s42"]
        assert {key for key in scaled if scaled[key] != held[key]} == {"run_id", "alpha", "printed"}
        assert held["alpha"] == specs["qwen3-8b_deepmath-hard_lora-r16_bs64_s42"]["alpha"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("core,m,d,lora,x,16,all_linear,1", "column 'rank' holds 'x'"),
        ("core,m,d,lora,٨,16,all_linear,1", "column 'rank' holds '٨'"),
        ("core,m,d,lora,8,inf,all_linear,1", "column 'alpha' holds 'inf'"),
        ("core,m,d,lora,,2r,all_linear,1", "there is no rank"),
        ("core,m,d,lora,8,16,all_linear,1,surplus", "more cells"),
        ("nightly,m,d,lora,8,16,all_linear,1", "key 'tier'"),
        ("core,m,d,lora,0,16,all_linear,1", "key 'rank'"),
        ("core,m,d,lora,8,16,all_linear,", "'seed' is a required property"),
        ("core,m,d,lora,8,16,all_linear,4294967296", "key 'seed'"),
    ],
)
def test_a_wrong_cell_names_file_and_line(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "grid.csv"
    path.write_text(f"{HEADER}\n{line}\n")
    with pytest.raises(InputError, match=r"grid\.csv, line 2") as refused:
        read_grid(path, SCHEMAS)
    assert words in str(refused.value)


def test_an_unknown_and_a_repeated_column_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    path.write_text(f"{HEADER},learning_rat\n{ROW},1\n")
    with pytest.raises(InputError, match=r"unknown column 'learning_rat'.*learning_rate"):
        read_grid(path, SCHEMAS)
    path.write_text(f"{HEADER},seed\n{ROW},1\n")
    with pytest.raises(InputError, match="column 'seed' appears twice"):
        read_grid(path, SCHEMAS)


def test_byte_order_marks_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n{ROW}\r\n".encode())
    (row,) = read_grid(path, SCHEMAS)
    assert (row["tier"], row["seed"]) == ("core", 42)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_a_product_has_every_combination_once(sizes: list[int]) -> None:
    cells = {f"c{n}": "|".join(f"v{n}.{i}" for i in range(size)) for n, size in enumerate(sizes)}
    rows = [tuple(row.values()) for row in expand(cells)]
    expected = 1
    for size in sizes:
        expected *= size
    assert len(rows) == len(set(rows)) == expected


def test_the_id_of_a_run_follows_from_its_row() -> None:
    row = {"model": "m", "dataset": "d", "method": "lora", "rank": 8, "alpha": 16.0, "target_modules": "all_linear"}
    assert name_run({**row, "seed": 1}, 64) == "m_d_lora-r8_bs64_s1"
    assert name_run({**row, "seed": 1, "alpha": 32.0, "learning_rate": 5e-6}, 64) == "m_d_lora-r8-a32-lr5e-06_bs64_s1"
    assert name_run({**row, "seed": 1, "target_modules": "no_kv"}, 64, "tag") == "m_d_lora-r8-no-kv_bs64_s1_tag"


def test_a_typed_id_must_be_that_of_its_row(tmp_path: Path) -> None:
    header = f"run_id,{HEADER}"
    good = write_study(tmp_path / "good", "one", f"qwen3-8b_deepmath-hard_lora-r8_bs64_s42,{ROW}", header=header)
    assert list(bind(good, "one").specs) == ["qwen3-8b_deepmath-hard_lora-r8_bs64_s42"]
    bad = write_study(tmp_path / "bad", "one", f"qwen3-8b_deepmath-hard_lora-r16_bs64_s42,{ROW}", header=header)
    with pytest.raises(InputError, match=r"lora-r8_bs64_s42': the row says '.*lora-r16_bs64_s42'"):
        bind(bad, "one")


def test_one_id_in_two_grids_is_one_run(tmp_path: Path) -> None:
    folder = write_study(tmp_path, "one", ROW)
    program = bind(folder, PRIMARY, "one")
    run_id = "qwen3-8b_deepmath-hard_lora-r8_bs64_s42"
    assert run_id in program.rows_of("one") and run_id in program.rows_of(PRIMARY)
    assert program.run_suites(run_id) == ["main", "main-one"]
    assert list(program.rows).count(run_id) == 1


def test_one_id_with_two_meanings_is_refused_and_a_tag_mends_it(tmp_path: Path) -> None:
    recipe = {"from": PRIMARY, "weight_decay": 0.1}
    folder = write_study(tmp_path / "a", "one", ROW, recipe=recipe)
    with pytest.raises(InputError, match=r"other settings: weight_decay \(0.0 and 0.1\).*run_tag"):
        bind(folder, PRIMARY, "one")
    tagged = write_study(tmp_path / "b", "one", ROW, recipe=recipe, run_tag="one")
    assert "qwen3-8b_deepmath-hard_lora-r8_bs64_s42_one" in bind(tagged, PRIMARY, "one").rows


def test_runs_with_equal_settings_are_trained_once(tmp_path: Path) -> None:
    folder = write_study(tmp_path, "one", ROW, run_tag="one")
    program = bind(folder, PRIMARY, "one")
    assert list(program.rows_of("one")) == ["qwen3-8b_deepmath-hard_lora-r8_bs64_s42"]
    assert not any(run_id.endswith("_one") for run_id in program.specs)


def test_samples_of_two_studies_are_kept_apart(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "a", "one", ROW, protocol="")
    with pytest.raises(InputError, match="keeps its samples under '', as study 'structure-over-scale' does"):
        bind(folder, PRIMARY, "one")


def test_a_run_that_nobody_would_evaluate_is_refused(tmp_path: Path) -> None:
    line = ROW.replace("deepmath-hard", "skywork-hard")
    folder = write_study(tmp_path, "one", line)
    with pytest.raises(
        InputError, match=r"no protocol for the benchmark 'skywork-hard', on which run '.*' is evaluated"
    ):
        bind(folder, "one")


def test_what_the_scale_lacks_is_named(tmp_path: Path) -> None:
    folder = write_study(tmp_path, "one", ROW.replace("qwen3-8b", "qwen9-8b"))
    with pytest.raises(InputError, match=r"model 'qwen9-8b' is not in the scale. Scale 'tiny' has: qwen3-8b"):
        bind(folder, "one")


def test_a_scale_may_do_without_a_model_and_says_why(tmp_path: Path) -> None:
    folder = write_study(tmp_path, "one", ROW, ROW.replace("qwen3-8b", "rung-3"))
    studies = [load_study("one", folder, SCHEMAS, METHODS)]
    scale = {**TINY, "absent": {"rung-*": "too large", "qwen3-8b": "it has that one"}}
    program = make_program("tiny", scale, "all", studies, METHODS)
    (kept,) = program.rows
    assert kept.startswith("qwen3-8b")
    assert program.absent == {"rung-3_deepmath-hard_lora-r8_bs64_s42": "too large"}
    limits = prompt_limits("tiny", scale, ["one"], lambda name: load_study(name, folder, SCHEMAS, METHODS), METHODS)
    assert limits == {"deepmath-hard": {"qwen3-8b": 64}}


def test_lengths_of_prompts_do_not_wait_for_models_with_the_same_tokens() -> None:
    """No rung of a ladder is pre-trained, and no model rotated, only to count the tokens of prompts."""
    scale = load_scale("tiny", SCALES, SCHEMAS)
    first = {model: prompts_like(model, scale) for model in scale["models"]}
    assert {first[model] for model in first if model.startswith("maturity-")} == {"qwen3-8b"}
    assert first["qwen3-4b-base-rotated"] == first["llama-3.1-8b"] == "qwen3-8b"
    tuned = {first[model] for model, entry in scale["models"].items() if entry["kind"] == "tuned"}
    assert tuned and all(scale["models"][model]["template"] == "chat" for model in tuned)
    bases = Path(__file__).resolve().parents[2] / "data" / "bases"
    assert len({(folder / "tokenizer.json").read_bytes() for folder in bases.iterdir()}) == 1
    paper = load_scale("paper", SCALES, SCHEMAS)
    assert prompts_like("qwen3-4b-base-rotated", paper) == "qwen3-4b-base"
    assert prompts_like("qwen2.5-7b-instruct", paper) == "qwen2.5-7b-instruct"


def test_recipes_come_whole_or_from_another_study(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "a", "one", ROW, recipe={"from": PRIMARY, "kl_beta": 0.5})
    assert complete_recipe("one", folder, SCHEMAS)["kl_beta"] == 0.5
    alone = write_study(tmp_path / "b", "one", ROW, recipe={"kl_beta": 0.5})
    with pytest.raises(InputError, match=r"one/study\.yaml: recipe lacks 'learning_rate'"):
        complete_recipe("one", alone, SCHEMAS)
    circle = write_study(tmp_path / "c", "one", ROW, recipe={"from": "one"})
    with pytest.raises(InputError, match="recipe takes from 'one'"):
        complete_recipe("one", circle, SCHEMAS)


def test_greedy_benchmarks_keep_their_one_sample(tmp_path: Path) -> None:
    greedy = {"samples_per_problem": 1, "temperature": 0, "top_p": 1.0, "max_completion_tokens": 4096}
    folder = write_study(tmp_path, "one", ROW, benchmarks={"deepmath-hard": {**greedy, "out_of_distribution": True}})
    (suite,) = bind(folder, "one").suites.values()
    assert suite.benchmarks["deepmath-hard"] == {**greedy, "max_completion_tokens": 24}


def test_the_scale_takes_precedence_over_the_papers_protocol() -> None:
    tiny, paper = load_program().sampling("main", "transformers"), load_program("paper")
    assert tiny["aime-2025-2026"]["samples_per_problem"] == 4
    aime = paper.sampling("aime-2025-2026", "vllm")["aime-2025-2026"]
    assert (aime["samples_per_problem"], aime["max_completion_tokens"]) == (32, 7168)
    assert aime["template"] == "r1_zero"


def read_study(name: str):
    return yaml.safe_load((STUDIES / name / "study.yaml").read_text())


def test_a_benchmark_has_the_protocol_of_each_paper() -> None:
    studies = ("peft-for-rlvr", "off-the-principals", "orthonormal-initialisation")
    found = [read_study(name)["benchmarks"]["math-500"] for name in studies]
    assert [protocol["samples_per_problem"] for protocol in found] == [4, 2, 4]
    assert [protocol["temperature"] for protocol in found] == [0.6, 0.7, 0.6]
    assert [protocol["max_completion_tokens"] for protocol in found] == [32768, 8192, 8192]


@pytest.mark.parametrize("name", study_names(STUDIES))
def test_every_study_is_whole_and_its_benchmarks_are_data_sets_of_its_scale(name: str) -> None:
    """That of the papers is scale paper, unless another scale says that it is made for the study."""
    assert complete_recipe(name, STUDIES, SCHEMAS)["algorithm"] == "grpo"
    scales = [load_scale(path.stem, SCALES, SCHEMAS) for path in sorted(SCALES.glob("*.yaml"))]
    own = [scale for scale in scales if name in scale.get("studies", ())]
    datasets = (own or [load_scale("paper", SCALES, SCHEMAS)])[0]["datasets"]
    assert set(read_study(name)["benchmarks"]) <= set(datasets)
    if (STUDIES / name / "grid.csv").is_file():
        assert load_study(name, STUDIES, SCHEMAS, METHODS).rows


def test_the_recipe_of_peft_for_rlvr_at_scale_paper() -> None:
    """The settings that sections 2.2 and 2.4 of its paper print, and the paper's ablations as rows."""
    specs = load_program("paper", "full", ("peft-for-rlvr",)).specs
    lora = specs["deepseek-r1-distill-qwen-1.5b_dapo-math-17k_lora-r32_bs128_s42_peft"]
    printed = {
        "learning_rate": 1e-5, "schedule": "constant", "warmup_fraction": 0.0, "dropout": 0.05, "rank": 32, "alpha": 64,
        "max_steps": 1024, "clip_epsilon": 0.2, "clip_epsilon_high": 0.28, "kl_beta": 0.0, "group_size": 8,
        "loss_type": "dapo", "completions_per_step": 128, "max_prompt_tokens": 512, "max_completion_tokens": 16384,
        "reward": "binary",
    }  # fmt: skip
    assert {key: lora[key] for key in printed} == printed
    sweeps = [spec for run_id, spec in specs.items() if "-1.5b_" in run_id and spec["method"] == "lora"]
    assert {spec["learning_rate"] for spec in sweeps} == {1e-5, 5e-6, 1e-6}
    assert {spec["rank"] for spec in sweeps} == {1, 8, 16, 32}
    assert {spec["loss_type"] for spec in sweeps} == {"dapo", "grpo", "dr_grpo"}
    assert {spec["completions_per_step"] for spec in sweeps} == {32, 128}
    assert len({spec["method"] for spec in specs.values()}) == 13


def test_the_grid_of_off_the_principals_is_the_printed_one() -> None:
    """36 rows that the paper ran (appendices C.1, section 5); its seeds and our own rows are of another tier."""
    name = "off-the-principals"
    program = load_program("paper", "core", (name,))
    rows = program.studies[name].rows
    core = [program.specs[run_id] for run_id, row in rows.items() if row["tier"] == "core"]
    assert len(core) == 36
    dense = next(spec for spec in core if spec["method"] == "full" and spec["seed"] == 42)
    printed = {
        "loss_type": "dapo", "clip_epsilon": 0.2, "clip_epsilon_high": 0.28, "kl_beta": 0.0, "group_size": 12,
        "completions_per_step": 768, "updates_per_generation": 4, "max_steps": 1280, "learning_rate": 1e-6,
        "schedule": "constant", "reward": "signed", "overlong_buffer_tokens": 1024, "mixed_precision": "bf16",
    }  # fmt: skip
    assert {key: dense[key] for key in printed} == printed
    sweep = [spec for spec in core if spec["method"] in ("lora", "pissa")]
    assert {(spec["method"], spec["rank"], spec["learning_rate"]) for spec in sweep} == {
        (method, rank, rate) for method in ("lora", "pissa") for rank in (8, 32, 64) for rate in (1e-4, 5e-5, 1e-5)
    }
    assert {row["method"] for row in rows.values() if row["method"].startswith("sparse")} == {
        f"sparse-{mask}" for mask in ("principal", "non-principal", "low-magnitude", "union", "random")
    }
    public = [pair for pair in program.studies[name].pairs.values() if is_public(pair)]
    assert (len(program.studies[name].pairs), len(public)) == (31, 28)


def test_a_scale_may_have_factors_of_rates_for_one_study() -> None:
    factors = {**TINY["factors"], "studies": {PRIMARY: {"full": 7.0}, "other": {"default": 5.0}}}
    scale = {**TINY, "factors": factors}
    found = with_own_factors(PRIMARY, scale)["factors"]["learning_rate"]
    assert found == {**TINY["factors"]["learning_rate"], "full": 7.0}
    assert with_own_factors("third", scale)["factors"]["learning_rate"] == TINY["factors"]["learning_rate"]


def test_a_scale_may_stand_on_another() -> None:
    realdata = load_scale("realdata", SCALES, SCHEMAS)
    assert realdata["pretrain"] == TINY["pretrain"] and list(realdata["models"]) == ["qwen3-8b"]
    assert realdata["caps"] == {**TINY["caps"], "max_completion_tokens": 32}
    assert "deepmath-all" in realdata["datasets"] and "enigmata-10k" not in realdata["datasets"]


def test_a_scale_that_leads_back_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("from: two\n")
    (tmp_path / "two.yaml").write_text("from: one\n")
    with pytest.raises(InputError, match="leads back to itself"):
        load_scale("one", tmp_path, SCHEMAS)


def test_without_a_study_the_scales_suites_are_sampled_by_its_default() -> None:
    realdata = load_program("realdata", studies=())
    assert list(realdata.sampling("all", "transformers")) == ["aime-2024", "aime-2025", "math-500"]
    assert load_program("paper", studies=()).suites == {}


def test_results_of_an_older_layout_are_refused(tmp_path: Path) -> None:
    check_layout(tmp_path / "nothing")
    (tmp_path / "new/specs").mkdir(parents=True)
    (tmp_path / "new/specs/run.json").write_text('{"run_id": "run"}')
    check_layout(tmp_path / "new")
    (tmp_path / "old/specs").mkdir(parents=True)
    (tmp_path / "old/specs/run.json").write_text('{"run_id": "run", "study": "one"}')
    (tmp_path / "tables/paper/tables").mkdir(parents=True)
    for name in ("old", "tables"):
        with pytest.raises(InputError, match=r"holds results of an older version.*Nothing was touched"):
            check_layout(tmp_path / name)


@pytest.mark.parametrize("name", ["../structure-over-scale", "no-such", "", "Structure-Over-Scale"])
def test_a_study_is_a_name_and_no_path(name: str) -> None:
    with pytest.raises(InputError, match=rf"study '{name}' is not there. Known: .*off-the-principals"):
        load_study(name, STUDIES, SCHEMAS, METHODS)


def test_pairs_of_checkpoints_are_read_and_checked(tmp_path: Path) -> None:
    folder = write_study(tmp_path, "one", ROW)
    header = "pair,base_repository,base_revision,tuned_repository,tuned_revision"
    (folder / "one/pairs.csv").write_text(f"{header}\nmine,a/b,{'0' * 40},c/d,{'1' * 40}\n")
    assert load_study("one", folder, SCHEMAS, METHODS).pairs["mine"]["tuned_repository"] == "c/d"
    (folder / "one/pairs.csv").write_text(f"{header}\nmine,a/b,main,c/d,{'1' * 40}\n")
    with pytest.raises(InputError, match=r"line 2: base_revision is 'main'"):
        load_study("one", folder, SCHEMAS, METHODS)
    (folder / "one/pairs.csv").write_text(f"{header}\nmine,,{'0' * 40},c/d,\n")
    with pytest.raises(InputError, match="line 2: base_revision has no repository"):
        load_study("one", folder, SCHEMAS, METHODS)


def test_pairs_need_no_revision_no_repository_and_may_have_a_stand_in(tmp_path: Path) -> None:
    folder = write_study(tmp_path, "one", ROW)
    (run_id,) = load_study("one", folder, SCHEMAS, METHODS).rows
    header = "pair,base_repository,base_revision,tuned_repository,tuned_revision,stand_in"
    (folder / "one/pairs.csv").write_text(f"{header}\nhead,a/b,,c/d,,{run_id}\nprivate,a/b,,,,\n")
    pairs = load_study("one", folder, SCHEMAS, METHODS).pairs
    assert [is_public(pair) for pair in pairs.values()] == [True, False]
    assert pairs["head"]["stand_in"] == run_id
    (folder / "one/pairs.csv").write_text(f"{header}\nhead,a/b,,c/d,,no-run\n")
    with pytest.raises(InputError, match="stand_in 'no-run' is no run of the grid"):
        load_study("one", folder, SCHEMAS, METHODS)
