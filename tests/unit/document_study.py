"""The files that documents and pages of a study read, with round numbers and texts that try to break out of them."""

import base64
import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlvr.report.render import DASH

NASTY = '<script>document.title = "broken"</script> & "quoted" #emph[typst] $x$ @nobody'
PIXEL = base64.b64decode(  # a red PNG of one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
LORA, DORA = "base_hard_lora-r8_bs64_s42", "base_hard_dora-r8_bs64_s42"
COST = {"runs": "2", "steps": "40", "completions": "2,560", "hours": "0.01", "memory": "0.60"}
RUN = {"model": "base", "dataset": "hard", "seed": "42", "tier": "core", "completions_per_step": "", "state": "trained"}
TRAINED = {"steps": "20", "minutes": "0.30", "memory": "0.60", "moved": "97.00"}
FACTS = {
    "name": "toy",
    "title": "A toy study",
    "citation": "structure",
    "names": {"base": "Base 8B"},
    "comparable": False,
    "tier": "core",
}


def cell(value: float, printed: str = "", spread: float = 3.0) -> dict[str, Any]:
    """A cell of ``numbers.json``."""
    low, high = value - spread, value + spread
    texts = {"value": f"{value:.1f}", "low": f"{low:.1f}", "high": f"{high:.1f}", "verdict": "stand-in"}
    exact = {"exact": {"value": value, "low": low, "high": high}}
    return {**texts, **exact, **({"printed": printed} if printed else {})}


NUMBERS: dict[str, Any] = {
    "cells": {"table1": {"lora-r8": {"accuracy": cell(50, "78.1")}, "dora-r8": {"accuracy": cell(60, "84.0")}}},
    "labels": {"table1": {"lora-r8": "LoRA, r = 8 (here 1)", "dora-r8": "DoRA, r = 8 (here 1)"}},
    "scores": {
        "base_base": {
            "hard": {
                "avg_at_k": {
                    "value": "44.0",
                    "low": "41.0",
                    "high": "47.0",
                    "exact": {"value": 44.03, "low": 40.97, "high": 46.98},
                    "k": "4",
                    "problems": "256",
                    "unparsed_share": "1.0",
                    "truncated_share": "2.0",
                    "timed_out_share": "0.0",
                },
                "pass_at_k": {"value": "70.0"},
                "maj_at_k": {"value": "50.0"},
            }
        }
    },
    "models": {"base": "stand-in, 81 K"},
    "study": {
        "scale": "tiny",
        "note": "Scale 'tiny': small stand-ins.",
        "data_note": "",
        "runs": "2",
        "models": "1",
        "seeds": "42",
        "training_hours": "0.01",
    },
    "runs": [
        {
            **RUN,
            **TRAINED,
            "run_id": LORA,
            "method": "lora",
            "setting": "r = 8",
            "scores": {"hard": "50.0 [47.0, 53.0]"},
        },
        {
            **RUN,
            **TRAINED,
            "run_id": DORA,
            "method": "dora",
            "setting": "r = 8",
            "scores": {"hard": "60.0 [57.0, 63.0]"},
        },
        {
            **RUN,
            "run_id": "base_hard_full_bs64_s42",
            "method": "full",
            "setting": "",
            "tier": "full",
            "state": "not in this tier",
        },
    ],
    "coverage": {
        "groups": [
            {
                "model": "base",
                "dataset": "hard",
                "method": method,
                "declared": "1",
                "settings": "1",
                "trained": trained,
                "seeds": seeds,
                "missing": missing,
            }
            for method, trained, seeds, missing in (
                ("lora", "1", "42", ""),
                ("dora", "1", "42", ""),
                ("full", "0", "", "as printed, seed 42"),
            )
        ],
        "tiers": [{"tier": "core", "declared": "2", "trained": "2"}, {"tier": "full", "declared": "1", "trained": "0"}],
        "outputs": [{"output": "table1", "cells": "2", "filled": "2", "printed": "2", "compared": "2"}],
    },
    "compute": {
        "groups": [{"model": "base", "method": "lora", **COST}],
        "total": COST,
        "devices": "cpu",
        "commits": "none",
        "versions": [{"package": "torch", "version": "2"}],
    },
}


def claim(key: str, sentence: str, verdict: str, where: str = "section 4") -> dict[str, Any]:
    """A row of ``claims.json``."""
    texts = {"numbers": "60.0 - 50.0", "margin": "> 0", "contradicted_by": "", "models": "base", "seeds": "42"}
    plain = verdict.rpartition(": ")[2]
    judged = {"verdict": verdict, "leans": plain, "printed_verdict": "holds", "scale": "tiny", "tier": "core"}
    named = {"claim": key, "paper": "A toy study", "where": where, "sentence": sentence}
    sides = [
        {"label": "DoRA, r = 8", "ours": "60.0", "printed": "84.0"},
        {"label": "LoRA, r = 8", "ours": "50.0", "printed": ""},
    ]
    lacking = [{"verdict": "not run", "numbers": "DoRA, r = 16: not run", "over_seeds": False}]
    return {**named, **judged, **texts, "comparisons": lacking if plain == "not run" else [], "sides": sides}


CLAIMS = [claim("dora-beats-lora", "DoRA beats LoRA.", "holds"), claim("nasty", NASTY, "fails", "section 5")]
FAMILY = {"sentence": "Some would be decided by chance.", "contradicted": 1}
AUDIT = [
    {
        "id": "mean",
        "document": "preprint",
        "where": "table 1",
        "sentence": f"the mean {NASTY}",
        "kind": "mean",
        "printed": "3.0",
        "operands": "1; 2",
        "derived": 1.5,
        "found": "1.5",
        "by": "",
        "remark": "",
        "verdict": "does not follow",
    },
    {
        "id": "gap",
        "document": "preprint",
        "where": "table 1",
        "sentence": "the rest",
        "kind": "mean",
        "printed": "3.0",
        "operands": "?x",
        "derived": None,
        "found": "not printed",
        "by": "",
        "remark": "not printed",
        "verdict": "cannot be checked",
    },
]
TAGS = [
    {
        "tag": tag,
        "group": "recipe",
        "file": "workflow/studies/toy/study.yaml",
        "line": 3,
        "subject": "rate: 1",
        "text": f"{tag}: {NASTY}",
    }
    for tag in ("SOURCE", "ASSUME", "DEVIATION")
]
TABLE = {
    "output": "table1",
    "caption": f"Accuracy. {NASTY} The paper's table 1.",
    "label_columns": 2,
    "kinds": ["label", "label", "ours", "printed"],
    "alignments": ["left", "left", "right", "right"],
    "headers": [["", "Method"], ["", "Rank"], ["Score", "Accuracy (%)"], ["Score", "Paper"]],
    "rows": [
        {"key": "lora-r8", "texts": ["LoRA", "r = 8", "50.0 [47.0, 53.0]", "78.1"], "verdicts": ["stand-in"]},
        {"key": "dora-r8", "texts": ["DoRA", NASTY, "60.0 [57.0, 63.0]", "84.0"], "verdicts": ["stand-in"]},
    ],
    "notes": ["In brackets: an interval."],
    "scope": "",
    "provenance": [],
}
CELLS_CSV = f"output,row,column,value,runs\ntable1,lora-r8,accuracy,50.0,{LORA}\ntable1,dora-r8,accuracy,60.0,{DORA}\n"
FIGURE_CSV = f"run_id,step,reward\n{LORA},1,0.123456789\n{LORA},2,0.5\n"
MINIMAL_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 240 120]>>endobj\ntrailer<</Root 1 0 R>>\n"
)


def write_study(folder: Path, picture: bytes = PIXEL, **changes: Any) -> dict[str, Any]:
    """Write everything that a document or a page of the study reads.

    Args:
        folder: Where to.
        picture: PNG of its figure.
        changes: Other contents of ``numbers``, ``claims``, ``audit``, ``tags``, ``facts``.

    Returns:
        What a rule hands over (``StudyFiles.of``): facts, captions, paths.
    """
    contents = {"numbers": NUMBERS, "claims": CLAIMS, "audit": AUDIT, "tags": TAGS} | changes
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    (folder / "tables").mkdir(exist_ok=True)
    for name in ("numbers", "claims", "audit", "tags"):
        content = {"claims": contents[name], "family": FAMILY} if name == "claims" else contents[name]
        (folder / f"{name}.json").write_text(json.dumps(content))
    (folder / "tables/table1.json").write_text(json.dumps(TABLE))
    (folder / "tables/table1.csv").write_text(CELLS_CSV)
    (folder / "figures/figure1.png").write_bytes(picture)
    (folder / "figures/figure1.pdf").write_bytes(MINIMAL_PDF)
    (folder / "figures/figure1.csv").write_text(FIGURE_CSV)
    paths = {name: str(folder / f"{name}.json") for name in ("numbers", "claims", "audit", "tags")}
    return {
        **paths,
        "facts": contents.get("facts", FACTS),
        "captions": {"figure1": f"Reward. {NASTY}"},
        "tables": [str(folder / "tables/table1.json")],
        "figures": [str(folder / "figures/figure1.png")],
    }


def changed_numbers(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers with other cells: values by place ``output/row/column``; ``None`` for a cell that was not run."""
    numbers = copy.deepcopy(NUMBERS)
    for place, value in changes.items():
        output, row, column = place.split("/")
        found = {"value": DASH, "verdict": "not run"} if value is None else cell(value, "50.0")
        numbers["cells"].setdefault(output, {}).setdefault(row, {})[column] = found
    return numbers
