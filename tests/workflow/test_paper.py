"""The paper's sources hold text and layout, never a result."""

import json
import re
from pathlib import Path

import pytest
import yaml
from conftest import Checkout

from rlvr.plan.claims import load_claims

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*(ROOT / "paper").glob("*.typ"), *(ROOT / "workflow/studies").glob("*/paper.typ")]


def typed_numbers(text: str) -> list[str]:
    """Digits in a Typst source that are no names, references, code, lengths, indices or comparisons of code."""
    text = re.sub(r"(?<!:)//.*", "", text)
    text = re.sub(r'"[^"\n]*"|`[^`\n]*`', "", text)
    text = re.sub(r"@\w+|b?float\d+|\d+(\.\d+)?(fr|pt|%)|\(auto,\) \* \d+", "", text)
    text = re.sub(r"\.(at|slice)\(\d+(, \d+)?\)|[<>=]=? \d+\b|update\(0\)", "", text)
    return re.findall(r"\d[\d.,]*", text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_number_is_typed_in_a_document(path: Path) -> None:
    if path.name == "style.typ":
        pytest.skip("style.typ is the one place where lengths stand")
    assert typed_numbers(path.read_text()) == []


STUDIES = sorted((ROOT / "workflow/studies").glob("*/paper.typ"))
studies = pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.parent.name)


@studies
def test_claims_that_a_text_speaks_of_are_declared(path: Path) -> None:
    declared = {claim.key for claim in load_claims(path.parent / "claims.yaml")}
    spoken = re.findall(r'(?:if-holds|headline|failure|outcome|verdict-of)\("([a-z0-9-]+)"', path.read_text())
    assert spoken and set(spoken) <= declared


def places(text: str) -> set[str]:
    """Cells that a text names in full: ``output/row/column``."""
    return set(re.findall(r'"((?:table|figure)S?\d+/[a-z0-9.-]+/[a-z0-9_]+)"', text))


def at_its_scale(study: str) -> list[str]:
    """Settings for a study that a scale of its own is made for; none for one that every scale has."""
    scales = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / "workflow/scales").glob("*.yaml")}
    made_for = sorted(name for name, scale in scales.items() if study in scale.get("studies", ()))
    return [f"scale={name}" for name in made_for[:1]]


@studies
def test_cells_and_outputs_that_a_text_names_are_declared(path: Path, checkout: Checkout) -> None:
    """As the workflow itself resolves them; names put together in the text are tested by rendering it."""
    script = (
        "import json\n"
        f"print(json.dumps({{key: sorted('/'.join((row.key, column.key)) for row, column in output.cells()) "
        f"for key, output in OUTPUTS['{path.parent.name}'].items()}}), flush=True)\nsys.exit(0)\n"
    )
    (checkout.root / "Snakefile").open("a").write(script)
    done = checkout.snakemake("-n", "--config", f"studies=[{path.parent.name}]", *at_its_scale(path.parent.name))
    cells = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    named = places(path.read_text())
    assert named
    shown = set(re.findall(r'"((?:table|figure)S?\d+)"', path.read_text()))  # in chapters, and where a text points
    assert shown and shown <= cells.keys()
    assert {place for place in named if place.partition("/")[2] not in cells.get(place.partition("/")[0], ())} == set()


def test_a_typed_number_would_be_found() -> None:
    assert typed_numbers('LoRA reaches 46.6 percent #value("table4", "lora-r8", "x")') == ["46.6"]
