"""What a user gets wrong stops the dry run, with a message that names file, key or row and says what to do."""

import pytest

from conftest import GRID, TINY, Checkout


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
    assert "Known: paper, realdata, tiny" in refusal(checkout, "--config", "scale=huge")
    assert "Known studies: real-rows, structure-over-scale" in refusal(checkout, "--config", "study=other")


def test_unknown_key_in_the_scale(checkout: Checkout) -> None:
    checkout.edit(TINY, "  kl_beta: 0.0", "  kl_beta: 0.0\n  kl_betta: 0.1")
    message = refusal(checkout)
    for words in ("tiny.yaml", "key 'train'", "kl_betta"):
        assert words in message


CHANGES = {
    "unknown method": ({"method": "lorra"}, ["lora-r8_bs64_s42", "lorra", "lora", "quanta"]),
    "rank on a method that has none": ({"method": "full", "alpha": "", "target_modules": ""}, ["lora-r8_bs64_s42", "rank"]),
    "a required setting is missing": ({"rank": ""}, ["lora-r8_bs64_s42", "rank"]),
    "a model that the scale lacks": ({"model": "qwen9-8b"}, ["model 'qwen9-8b'", "tiny", "qwen3-8b"]),
    "a data set that the scale lacks": ({"dataset": "gsm9k"}, ["dataset 'gsm9k'", "tiny", "deepmath-hard"]),
    "an unknown target set": ({"target_modules": "no_heads"}, ["no_heads", "all_linear"]),
    "text where a number belongs": ({"rank": "eight"}, ["line 2", "rank", "eight"]),
    "a rank that the scale cannot divide": ({"rank": "12"}, ["lora-r8_bs64_s42", "12"]),
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
    for words in (str(GRID), "line 3", rows[0]["run_id"], "twice"):
        assert words in message


def test_a_mirror_without_the_file_stops_before_training(checkout: Checkout, tmp_path) -> None:
    (tmp_path / "mirror").mkdir()
    sources = f'sources={{origin: mirror, mirror_dir: "{tmp_path / "mirror"}"}}'
    done = checkout.snakemake("cards", "--config", "scale=realdata", "study=real-rows", sources)
    assert done.returncode != 0
    assert "roll_math_deepmath_deal.jsonl" in done.stdout
    assert not (checkout.root / "results/realdata/train").exists()
