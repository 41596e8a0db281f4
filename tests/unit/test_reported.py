# ruff: noqa: RUF001 (the characters that the paper prints)
"""Every printed number and text in ``reported/`` of the primary study, against a list typed from the paper by itself.

The list was typed from the text of the preprint and of the later abstract, without looking at the files.
"""

from pathlib import Path

import pytest

from rlvr.core.csvfile import read_csv
from rlvr.plan.real_size import load_printed_counts

REPORTED = Path(__file__).resolve().parents[2] / "workflow/studies/structure-over-scale/reported"

TABLES = {
    "table1": """
        Apertus: 2.3 3.5 +1.2
        Llama:   2.7 3.9 +1.2
        Qwen:    78.1 84.0 +5.9
    """,
    "table4": """
        8:   22M 78.1
        16:  43.6M 76.2
        32:  87.2M 77.3
        64:  174M 73.1
        128: 348M 4.7
        256: 696M 2.3
    """,
    "table5": """
        LoRA 8:   22M 78.9 78.1 19.0
        LoRA 16:  43.6M 78.1 76.2 15.2
        DoRA 8:   23.2M 78.1 81.9 16.9
        DoRA 16:  45.0M 75.6 84.0 17.0
        QuanTA 3: 35.3M 78.9 84.0 19.4
        FFT:      ~8B 78.9 77.3 15.9
    """,
    "table6": """
        LoRA 8:   3.3 11.8
        DoRA 16:  7.7 16.6
        FFT:      9.8 19.1
        QuanTA 3: 12.7 20.6
    """,
    "table10": """
        8:   22M 4.7 78.1
        16:  43.6M 7.1 76.2
        32:  87.2M 10.2 77.3
        64:  174M 13.6 73.1
        128: 348M 9.7 4.7
        256: 696M 9.5 2.3
    """,
    "table11": """
        8:  23.2M 81.9
        16: 45.0M 84.0
        32: 90.0M 80.9
        64: 180M 75.0
    """,
    "table12": """
        LoRA 8:   22.0M 13.1 78.1
        LoRA 16:  43.6M 12.4 76.2
        DoRA 16:  45.0M 15.6 84.0
        QuanTA 4: 7.7M 12.9 78.5
        QuanTA 3: 35.3M 7.5 84.0
    """,
    "table13": """
        DoRA:           84.0 76.6 62.5 74.4 10.9
        DoRA no_kv:     80.9 77.0 60.9 72.9 10.4
        QuanTA linear:  78.5 79.3 64.5 74.1 8.4
        QuanTA no_v:    80.1 78.5 63.7 74.1 9.0
        QuanTA no_kv:   84.0 76.2 65.2 75.1 9.6
    """,
    "table14": """
        LoRA 8:   19.0 13.2 21.4 17.9 4.3
        QuanTA 4: 19.6 11.2 18.5 16.4 4.6
        QuanTA 3: 19.4 14.5 21.7 18.5 3.6
    """,
    "table15": """
        LoRA 16:  28.9 34.3 27.3 30.2 3.7
        QuanTA 4: 26.6 0.8 21.9 16.4 13.7
    """,
    "table16": """
        3 linear: 78.5 79.3 64.5 74.1 8.4
        3 no_v:   80.1 78.5 63.7 74.1 9.0
        3 no_kv:  84.0 76.2 65.2 75.1 9.6
        4 linear: 79.7
        4 no_kv:  78.5
    """,
    "table17": """
        LoRA 16:  9.95
        DoRA 16:  11.04
        QuanTA 3: 10.36
        FFT:      1.35
    """,
    "tableS2": """
        64: 73.1 8.7 6.0
    """,
    "tableS4": """
        LoRA:   × ×
        DoRA:   ✓ ✓
        QuanTA: ✓ ✓
        BOFT:   × ✓
        MoRA:   ~ ×
        FFT:    × ×
    """,
    "figure2": """
        LoRA 8:        4.7 78.1
        LoRA 16:       7.1 76.2
        LoRA 32:       10.2 77.3
        LoRA 64:       13.6 73.1
        LoRA 128:      9.7 4.7
        LoRA 256:      9.5 2.3
        LoRA 8 again:  4.7 78.1
        LoRA 16:       7.1 76.2
        LoRA 32:       10.2 77.3
        LoRA 64:       13.6 73.1
        LoRA 128:      9.7 4.7
        LoRA 256:      9.5 2.3
        DoRA 8:        81.9
        DoRA 16:       ~900 84.0
        DoRA 32:       80.9
        DoRA 64:       75.0
        QuanTA 3:      ~1580 84.0
        QuanTA 4:      78.5
        FFT:           ~400 77.3
    """,
}
FACTS = {  # printed texts, lower case where the paper prints small capitals
    "table2": [
        "Independent", "~15T tokens", "131K", "Meta", "~15.6T tokens", "128K", "Alibaba", "~36T tokens", "150K",
    ],
    "table3": [
        "r ∈ {8, 16, 32, 64, 128, 256}", "All linear", "r ∈ {8, 16, 32, 64}", "All linear", "[16, 8, 8, 4]",
        "All linear† (KV excluded)", "[16, 16, 16]", "All linear† (KV excluded)",
    ],
    "table7": [
        "4× NVIDIA H100 (64GB) node", "Ubuntu 24.04 LTS (via Singularity)", "version 12.8.0",
        "bfloat16 (training & inference)", "PyTorch 2.9.0 (with custom torchao 0.13.0)", "Axolotl 0.13.0",
        "vLLM 0.11.1 (PagedAttention enabled)", "FlashAttention 2.8.3, xFormers 0.0.33",
        "PyTorch DDP (DistributedDataParallel)",
    ],
    "table8": [
        "Group Relative Policy Optimization (GRPO)", "Dr. GRPO (token-level unbiased)", "8 generations per prompt",
        "0.0 (pure outcome-based RL)", "false (raw scores used)", "64", "AdamW (fused)", "0.0", "cosine decay",
        "0.1 (10% of steps)", "0.15", "1",
    ],
    "table9": [
        "r = 16", "α = 32", "all linear", "0.0", "none", "d = 4, feats = [16, 8, 8, 4]", "all linear", "0.0",
        "d = 3, feats = [16, 16, 16]", "all linear", "0.0", "1 × 10^-5", "8,192",
    ],
}  # fmt: skip
COUNTS = {
    "table 3": "22M ~700M 23M 180M 7.7M 35.3M ~8B",
    "tables 4 and 10": "22M 43.6M 87.2M 174M 348M 696M",
    "table 5": "22M 43.6M 23.2M 45.0M 35.3M ~8B",
    "table 9": "41.9M 43.6M 6.9M 7.7M 35.3M",
    "table 11": "23.2M 45.0M 90.0M 180M",
    "table 12": "22.0M 43.6M 45.0M 7.7M 35.3M",
}


def typed(block: str) -> list[list[str]]:
    """Cells of every line behind its colon."""
    return [line.split(":", 1)[1].split() for line in block.strip().splitlines()]


def filed(name: str) -> list[list[str]]:
    """Cells of every line of a file that are not empty, without the row's key."""
    return [
        [text for key, text in line.items() if key != "row" and text] for _, line in read_csv(REPORTED / f"{name}.csv")
    ]


def test_no_file_is_left_out():
    assert {path.stem for path in REPORTED.glob("*.csv")} == {*TABLES, *FACTS, "parameters"}


@pytest.mark.parametrize("name", TABLES)
def test_cells_are_those_of_the_paper(name):
    assert filed(name) == typed(TABLES[name])


@pytest.mark.parametrize("name", FACTS)
def test_texts_are_those_of_the_paper(name):
    assert [text for line in filed(name) for text in line] == FACTS[name]


@pytest.mark.parametrize("place", COUNTS)
def test_counts_are_those_of_the_paper(place):
    lines = [line for line in load_printed_counts(REPORTED / "parameters.csv") if line["output"] == place]
    assert [line["printed"] for line in lines] == COUNTS[place].split()


def test_no_count_is_left_out():
    assert {line["output"] for _, line in read_csv(REPORTED / "parameters.csv")} == set(COUNTS)
