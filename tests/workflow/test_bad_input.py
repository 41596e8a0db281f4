"""A user's mistake stops the dry run, with a message that names file, key or row and says what to do."""

import json
from pathlib import Path

import pytest
from conftest import GRID, STUDY, TINY, Checkout


def refusal(checkout: Checkout, *arguments: str) -> str:
    done = checkout.snakemake("-n", *arguments)
    assert done.returncode != 0, done.stdout
    assert "Job stats" not in done.stdout
    return done.stdout


def test_unknown_config_key(checkout: Checkout) -> None:
    message = refusal(checkout, "--config", "scal=tiny")
    for words in ("config.yaml", "'scal' was unexpected", "Known keys", "scale"):
        assert words in message


def test_unknown_scale_and_study(checkout: Checkout) -> None:
    for words in ("scale 'huge' is not there", "paper, pocket, pocket-real, pocket-smoke, realdata, tiny"):
        assert words in refusal(checkout, "--config", "scale=huge")
    for words in ("study 'other' is not there", "peft-for-rlvr", "structure-over-scale"):
        assert words in refusal(checkout, "--config", "studies=[other]")


def test_the_key_of_the_older_configuration_is_named(checkout: Checkout) -> None:
    message = refusal(checkout, "--config", "study=structure-over-scale")
    assert "'study' was unexpected" in message and "studies" in message


def test_numbers_within_a_table_of_the_command_line_are_numbers(checkout: Checkout) -> None:
    """Snakemake hands them over as texts."""
    allowed = checkout.snakemake("-n", "plan", "--config", "budget={gpu_hours: 2.5e+6, storage_gib: 100}")
    assert allowed.returncode == 0, allowed.stdout
    assert "key 'budget.gpu_hours': 'many' is not of type 'number'" in refusal(
        checkout, "--config", "budget={gpu_hours: many}"
    )
    assert "key 'limits.mem_mb': -1 is less than the minimum" in refusal(checkout, "--config", "limits={mem_mb: -1}")


def test_pairs_that_do_not_exist_or_are_misspelt(checkout: Checkout) -> None:
    message = refusal(checkout, "pairs", "--config", "pairs={mine: {base: no/such/folder, tuned: data}}")
    for words in ("pair 'mine'", "base 'no/such/folder' is not a folder"):
        assert words in message
    message = refusal(checkout, "pairs", "--config", "pairs={mine: {base: data, tund: data}}")
    for words in ("config.yaml", "pairs", "mine", "tund"):
        assert words in message


def test_unknown_key_in_the_scale(checkout: Checkout) -> None:
    checkout.edit(TINY, "  generation: transformers", "  generation: transformers\n  kl_betta: 0.1")
    message = refusal(checkout)
    for words in ("tiny.yaml", "key 'settings'", "kl_betta"):
        assert words in message


def test_unknown_and_repeated_keys_in_a_study(checkout: Checkout) -> None:
    checkout.edit(STUDY, "  kl_beta: 0.0", "  kl_beta: 0.0\n  kl_betta: 0.1")
    message = refusal(checkout)
    for words in ("study.yaml", "key 'recipe'", "kl_betta", "kl_beta"):
        assert words in message
    checkout.edit(STUDY, "  kl_betta: 0.1", "  kl_beta: 0.1")
    assert "key 'kl_beta' appears twice" in refusal(checkout)


def test_a_model_rotated_from_one_that_is_not_there(checkout: Checkout) -> None:
    rotated = {"kind": "rotated", "from": "qwen3-9b", "rotated_layers": [1], "permuted_layers": [], "seed": 0}
    checkout.edit_scale(**{"models__scrambled": rotated})
    message = refusal(checkout)
    for words in ("tiny.yaml", "'scrambled'", "'qwen3-9b'"):
        assert words in message


CHANGES = {
    "unknown method": ({"method": "lorra"}, ["lorra-r8_bs64_s42", "unknown method", "lora", "quanta"]),
    "rank on a method that has none": (
        {"method": "full", "alpha": "", "target_modules": ""},
        ["full-r8_bs64_s42", "rank"],
    ),
    "a required setting is missing": ({"rank": ""}, ["needs 'rank'", "lora"]),
    "a model that the scale lacks": ({"model": "qwen9-8b"}, ["model 'qwen9-8b'", "tiny", "qwen3-8b"]),
    "a data set that the scale lacks": ({"dataset": "gsm9k"}, ["dataset 'gsm9k'", "tiny", "deepmath-hard"]),
    "an unknown target set": ({"target_modules": "no_heads"}, ["no_heads", "all_linear"]),
    "text where a number belongs": ({"rank": "eight"}, ["line 2", "rank", "eight"]),
    "a value that the recipe does not know": ({"schedule": "linear"}, ["line 2", "schedule", "linear", "cosine"]),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_wrong_row(checkout: Checkout, case: str) -> None:
    changes, expected = CHANGES[case]
    rows = checkout.read_grid()
    checkout.write_grid([{**rows[0], **changes}, *rows[1:]])
    message = refusal(checkout)
    assert "grid.csv" in message
    for words in expected:
        assert words in message


def test_duplicate_run_id(checkout: Checkout) -> None:
    rows = checkout.read_grid()
    checkout.write_grid([rows[0], *rows])
    message = refusal(checkout)
    for words in (str(GRID), rows[0]["run_id"], "twice"):
        assert words in message


def mirror_of(folder: Path, difficulty: str = "9.0", **columns: object) -> str:
    """Sources key for a mirror that holds four DeepMath rows in ROLL's columns."""
    rows = [
        {"id": str(number), "difficulty": difficulty, "prompt": f"What is {number} + 1?"}
        | {"ground_truth": str(number + 1), "source": "deepmath_103k", "tag": "deepmath_103k"}
        for number in range(4)
    ]
    path = folder / "deepmath" / "roll_math_deepmath_deal.jsonl"
    path.parent.mkdir(parents=True)
    changed = [{key: value for key, value in {**row, **columns}.items() if value is not None} for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in changed))
    return f'sources={{origin: mirror, mirror_dir: "{folder}"}}'


CARD = "results/realdata/data/deepmath-hard/card.json"
REAL_ROWS = ("--config", "scale=realdata", "studies=[]")


def allow_four_rows(checkout: Checkout) -> None:
    checkout.edit(
        "workflow/scales/realdata.yaml",
        "    expected_kept: 261\n",
        "    expected_kept: 261\n    allow_other_count: true\n",
    )


def test_a_mirror_without_the_file_stops_the_dry_run(checkout: Checkout, tmp_path: Path) -> None:
    message = refusal(checkout, "cards", *REAL_ROWS, f'sources={{origin: mirror, mirror_dir: "{tmp_path}"}}')
    for words in ("roll_math_deepmath_deal.jsonl", "no such file", "deepmath-roll", "mirror_dir"):
        assert words in message


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"ground_truth": None}, ["ground_truth", "prompt"]),
        ({"difficulty": "hard"}, ["difficulty", "hard"]),
        ({"difficulty": "2.0"}, ["deepmath-hard", "difficulty >= 8.5"]),
    ],
    ids=["a missing column", "a difficulty that is not a number", "nothing left after the filters"],
)
def test_bad_rows_stop_before_any_training(checkout: Checkout, tmp_path: Path, columns, expected) -> None:
    allow_four_rows(checkout)
    done = checkout.snakemake(CARD, *REAL_ROWS, mirror_of(tmp_path / "mirror", **columns))
    assert done.returncode != 0
    for words in expected:
        assert words in done.stdout
    assert not (checkout.root / CARD).exists()


def test_a_mirror_of_other_size_stops_with_both_numbers(checkout: Checkout, tmp_path: Path) -> None:
    done = checkout.snakemake(CARD, *REAL_ROWS, mirror_of(tmp_path / "mirror"))
    assert done.returncode != 0
    assert "has 4 rows, expected 4,994" in done.stdout
    assert not (checkout.root / CARD).exists()


def test_good_rows_pass_where_bad_ones_stop(checkout: Checkout, tmp_path: Path) -> None:
    allow_four_rows(checkout)
    checkout.run(CARD, *REAL_ROWS, mirror_of(tmp_path / "mirror"))
    card = json.loads((checkout.root / CARD).read_text())
    assert card["deviations"] == [
        "source deepmath-roll has 4 rows, expected 4,994",
        "4 problems pass the filters, expected 261",
    ]


@pytest.mark.parametrize(
    "place", ["train/qwen3-8b_deepmath-hard_lora-r8_bs64_s42", "evaluate/qwen3-8b_deepmath-hard_lora-r8_bs64_s42/main"]
)
def test_a_file_in_the_place_of_a_folder_of_results(checkout: Checkout, place: str) -> None:
    """Found before the plan, or met while planning."""
    file = checkout.root / "results/tiny" / place
    file.parent.mkdir(parents=True)
    file.touch()
    message = refusal(checkout, "table4")
    sentence = f"InputError: results/tiny/{place}: is a file; a folder is needed there. Move it away."
    assert message.strip().splitlines()[-1] == sentence and "Traceback" not in message
