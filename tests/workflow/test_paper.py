"""The paper's sources hold text and layout, never a result."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*(ROOT / "paper").glob("*.typ"), *(ROOT / "workflow/studies").glob("*/paper.typ")]


def typed_numbers(text: str) -> list[str]:
    """Digits in a Typst source that are neither names, references, nor widths of columns and figures."""
    text = re.sub(r"//.*", "", text)
    text = re.sub(r'"[^"\n]*"', "", text)
    text = re.sub(r"@\w+|\d+(\.\d+)?(fr|%)|\(auto,\) \* \d+", "", text)
    return re.findall(r"\d[\d.,]*", text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_number_is_typed_in_a_document(path: Path) -> None:
    if path.name == "style.typ":
        pytest.skip("style.typ is the one place where lengths stand")
    assert typed_numbers(path.read_text()) == []


def test_a_typed_number_would_be_found() -> None:
    assert typed_numbers('LoRA reaches 46.6 percent #value("table4", "lora-r8", "x")') == ["46.6"]
