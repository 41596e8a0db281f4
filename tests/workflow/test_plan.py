"""Plans of `snakemake -n`: one job per row, single outputs with only what they need, the cluster's plan."""

import re
from typing import Any

from bound_rows import SCALES, SCHEMAS, load_program
from conftest import Checkout, Unedited

from rlvr.plan.program import finished_runs
from rlvr.plan.scale import load_scale


def core_rows(checkout: Checkout, *words: str) -> list[dict[str, str]]:
    """Rows of tier core at scale tiny, which has the further seeds; by other words those of another scale."""
    return [row for row in checkout.read_grid() if row["tier"] in (words or ("core", "seeds"))]


def test_one_training_job_per_grid_row(unedited: Unedited) -> None:
    assert unedited.plan()["train_run"] == len(core_rows(unedited))


def test_the_full_tier_trains_every_row(unedited: Unedited) -> None:
    assert unedited.plan("train", "--config", "tier=full")["train_run"] == len(unedited.read_grid())


def test_a_scale_says_which_seeds_its_tiers_have(unedited: Unedited) -> None:
    """At scale paper a further seed costs half a day on four GPUs: only tier all has the seeds that nobody printed."""
    rows = unedited.read_grid()
    further = {row["run_id"] for row in rows if row["tier"] == "seeds"}
    for tier in ("core", "full"):
        assert further and not further & set(load_program("paper", tier).rows)
    every = {row["run_id"] for row in rows}
    assert set(load_program("paper", "all").rows) == set(load_program("tiny", "full").rows) == every
    assert further < set(load_program("tiny").rows)


def test_headline_rows_have_five_seeds(unedited: Unedited) -> None:
    """Every run of the bases on DeepMath-Hard that tables 1, 4, 11, 13 and 17 show, as the documentation lists them."""
    seeds: dict[str, set[int]] = {}
    for row in core_rows(unedited):
        seeds.setdefault(row["run_id"].rpartition("_s")[0], set()).add(row["seed"])
    five = {name for name, found in seeds.items() if found == {42, 43, 44, 45, 46}}
    one = {name for name, found in seeds.items() if found == {42}}
    assert five | one == set(seeds) and len(five) == 28
    assert one == {
        "qwen3-8b_deepmath-hard_quanta-d4-all-linear_bs64",
        "llama-3.1-8b_deepmath-hard_quanta-d4-all-linear_bs64",
        "apertus-8b_deepmath-hard_quanta-d4-all-linear_bs64",
        "llama-3.1-8b_math_quanta-d3-no-kv-constant_bs64",
    }


def test_a_new_row_adds_exactly_one_training_job(checkout: Checkout, unedited: Unedited) -> None:
    before = unedited.plan("evaluate")
    rows = checkout.read_grid()
    checkout.write_grid([*rows, {**rows[0], "seed": 7}])
    after = checkout.plan("evaluate")
    assert after["train_run"] == before["train_run"] + 1
    assert after["generate_samples"] == before["generate_samples"] + 1


def test_methods_that_start_from_singular_vectors_share_one_decomposition_of_their_base(
    checkout: Checkout, unedited: Unedited
) -> None:
    assert unedited.plan("train")["decompose_base"] == 0
    rows = checkout.read_grid()
    added = [{**rows[2], "method": name} for name in ("pissa", "lora-rlmo", "dct-lora")]
    checkout.write_grid([*rows, *added])
    assert checkout.plan("train")["decompose_base"] == 1
    assert (
        checkout.plan("results/tiny/train/qwen3-8b_deepmath-hard_dct-lora-r32_bs64_s42/run.json")["decompose_base"] == 0
    )
    listed = checkout.run("-n", "results/tiny/train/qwen3-8b_deepmath-hard_pissa-r32_bs64_s42/run.json")
    assert "results/tiny/decompositions/qwen3-8b/exact/triples.safetensors" in listed


def test_a_rotated_model_is_made_from_its_base(checkout: Checkout) -> None:
    rotated = {"kind": "rotated", "from": "qwen3-8b", "rotated_layers": [1], "permuted_layers": [0], "seed": 0}
    checkout.edit_scale(**{"models__scrambled": rotated})
    plan = checkout.plan("results/tiny/models/scrambled/model.json")
    assert plan == {"rotate_model": 1, "install_model": 1}


def test_a_table_asks_only_for_what_it_needs(unedited: Unedited) -> None:
    plan = unedited.plan("table4")
    of_the_sweep = ("lora", "qwen3-8b", "deepmath-hard")
    sweep = [row for row in core_rows(unedited) if (row["method"], row["model"], row["dataset"]) == of_the_sweep]
    assert plan["train_run"] == len(sweep) == 5 * 11  # seeds, and two readings of six ranks that share one
    assert plan["score_run"] == len(sweep) + 1  # the base
    assert plan["measure_run"] == 0
    assert plan["tabulate_output"] == 1


def test_a_figure_asks_only_for_what_it_needs(unedited: Unedited) -> None:
    plan = unedited.plan("figure1")
    assert plan["measure_frozen"] == 3
    assert plan["train_run"] == 0


def scale_of_tiny() -> dict[str, Any]:
    """The scale, its ladder as its rungs."""
    return load_scale("tiny", SCALES, SCHEMAS)


def test_stages_are_targets(unedited: Unedited) -> None:
    assert unedited.plan("cards")["train_run"] == 0
    assert unedited.plan("data")["curate_dataset"] == len(scale_of_tiny()["datasets"])
    assert unedited.plan("train")["generate_samples"] == 0
    assert unedited.plan("evaluate")["measure_run"] == 0
    assert unedited.plan("spectra")["generate_samples"] == 0
    rules = ("count_parameters", "tabulate_parameters", "tabulate_memory", "parameters")
    assert unedited.plan("parameters") == dict.fromkeys(rules, 1)


def test_pairs_from_anywhere_are_measured_with_the_spectra(unedited: Unedited, tmp_path) -> None:
    for name in ("base", "tuned"):
        (tmp_path / name).mkdir()
    pairs = f"pairs={{mine: {{base: {tmp_path}/base, tuned: {tmp_path}/tuned}}}}"
    assert dict(unedited.plan("pairs", "--config", pairs)) == {"measure_pair": 1, "plot_pair": 1, "pairs": 1}
    assert unedited.plan("spectra", "--config", pairs)["measure_pair"] == 1
    assert unedited.plan("spectra")["measure_pair"] == 0


def test_agreement_compares_the_runs_of_each_base_on_request(unedited: Unedited) -> None:
    plan = unedited.plan("agreement")
    models = {row["model"] for row in core_rows(unedited)}
    assert plan["compare_runs"] == plan["plot_agreement"] >= len(models)
    assert plan["train_run"] == len(core_rows(unedited)) and plan["generate_samples"] == 0
    assert unedited.plan()["compare_runs"] == 0


def test_pairs_with_one_base_are_compared_without_any_training(unedited: Unedited, tmp_path) -> None:
    for name in ("base", "tuned", "other"):
        (tmp_path / name).mkdir()
    pairs = ", ".join(f"{name}: {{base: {tmp_path}/base, tuned: {tmp_path}/{name}}}" for name in ("tuned", "other"))
    alone = f"alone: {{base: {tmp_path}/other, tuned: {tmp_path}/tuned}}"
    plan = unedited.plan("agreement", "--config", f"pairs={{{pairs}, {alone}}}")
    assert dict(plan) == {"compare_runs": 1, "plot_agreement": 1, "agreement": 1}


def test_shipped_and_computed_bases_are_one_switch(unedited: Unedited) -> None:
    assert unedited.plan("models")["install_model"] == 4
    pretrained = [name for name, model in scale_of_tiny()["models"].items() if model["kind"] == "pretrained"]
    computed = unedited.plan("models", "--config", "artefacts={base: compute, train: compute}")
    assert computed["pretrain_model"] == len(pretrained)
    assert computed["install_model"] == 0


def test_list_lint_and_dag(unedited: Unedited) -> None:
    listing = unedited.run("--list")
    assert "train_run" in listing
    assert "table4" in listing
    assert "figure2" in listing
    lint = unedited.snakemake("--lint")
    assert lint.returncode == 0, lint.stdout
    assert "digraph" in unedited.run("table4", "--dag")


def test_runs_from_any_directory(unedited: Unedited, tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere"
    plan = unedited.plan("--directory", str(elsewhere), "cards")
    assert plan["curate_dataset"] == len(scale_of_tiny()["datasets"])


def test_what_is_finished_so_far_makes_a_paper(checkout: Checkout) -> None:
    """Runs without a manifest are left out, so that nothing is trained; every table and the PDF are still made."""
    run_id = core_rows(checkout)[0]["run_id"]
    manifest = checkout.root / "results" / "tiny" / "train" / run_id / "run.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}")
    assert finished_runs(checkout.root / "results" / "tiny") == {run_id}
    plan = checkout.plan("paper", "--config", "tier=finished")
    assert plan["check_run"] == 1 and plan.get("train_run", 0) <= 1
    assert plan["compile_paper"] == 1 and plan["tabulate_output"] > 10


def test_the_cluster_plan_of_a_fresh_clone(unedited: Unedited, tmp_path) -> None:
    """The literal command, without any set-up: the link at the root leads to the profile."""
    done = unedited.snakemake("--profile", "slurm", "-n", "all", XDG_CONFIG_HOME=str(tmp_path / "home"))
    assert done.returncode == 0, done.stdout
    jobs = re.findall(r"^rule train_run:$.*?^    resources: .*?$", done.stdout, flags=re.MULTILINE | re.DOTALL)
    left_out = done.stdout.count(" is left out: ")  # they do not fit a card
    assert len(jobs) == len(core_rows(unedited, "core")) - left_out > 0
    for job in jobs:
        for wanted in (
            "gpu=4",
            "mem_mb=256000",
            "runtime=1440",
            "slurm_partition=gpu",
            "tasks=0",
            "nodes=1",
            "cpus_per_task=32",
        ):
            assert wanted in job, job
        assert "results/paper/environments/train-gpu.json" in job, job
    for before in ("fetch_model", "fetch_source", "check_environment", "check_gpu_environment"):
        assert f"rule {before}:" in done.stdout


def test_the_command_line_adds_to_what_the_cluster_runs(unedited: Unedited) -> None:
    """`--config` would replace a profile's own `config:`, and run scale tiny on the cluster."""
    done = unedited.snakemake("--profile", "slurm", "-n", "table4", "--config", "tier=all")
    assert done.returncode == 0, done.stdout
    assert "check_gpu_environment" in done.stdout


def test_paper_settings_are_the_printed_ones() -> None:
    """The specs of the cluster's runs, resolved: printed hyperparameters, ranks as printed."""
    program = load_program("paper", "full")
    specs = program.specs
    sweep = specs["qwen3-8b_deepmath-hard_lora-r256_bs64_s42"]
    assert (sweep["rank"], sweep["alpha"]) == (256, 512)
    assert specs["qwen3-8b_deepmath-hard_lora-r256-a32_bs64_s42"]["alpha"] == 32
    for run_id, spec in specs.items():
        own_rate = program.studies["structure-over-scale"].rows[run_id]["learning_rate"]
        assert spec["learning_rate"] == (own_rate or 1e-5)
        assert spec["group_size"] == 8
        assert spec["kl_beta"] == 0
        assert (spec["loss_type"], spec["scale_rewards"]) == ("dr_grpo", "none")
        assert spec["completions_per_step"] in (64, 128, 256)
    assert specs["qwen3-8b_deepmath-hard_quanta-d4-no-kv_bs64_s42"]["dims"] == [16, 8, 8, 4]


def test_the_catalogs_snakefile_plans_what_the_one_at_the_root_plans(unedited: Unedited) -> None:
    by_catalog = unedited.plan("--snakefile", "workflow/Snakefile")
    assert by_catalog.pop("everything") == 1
    expected = unedited.plan()
    assert expected.pop("all") == 1
    assert by_catalog == expected
