"""The documents: which sentence is said under which verdict, and that nothing else is said beside it."""

import html
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typst
from configured import Configured
from document_study import FACTS, changed_numbers, claim, write_study

from rlvr.core.errors import InputError
from rlvr.plan.claim_grammar import comparisons_of
from rlvr.plan.claims import load_claims
from rlvr.plan.outputs import selected_runs
from rlvr.report.pdf import PaperFiles, compile_paper, document_inputs, typeset
from rlvr.report.render import DASH

ROOT = Path(__file__).resolve().parents[2]
SAYINGS = """
#import "{parts}": *
#if-holds("a", holds: [A wins.], fails: [A loses.])
#if-holds("b", holds: [B wins.], fails: [B loses.])
#let (lora, dora) = ("table1/lora-r8/accuracy", "table1/dora-r8/accuracy")
#compare(dora, lora, above: [DoRA is ahead], below: [DoRA is behind], missing: [Unknown.])
#compare(lora, "base/base/hard", above: [LoRA learned], below: [LoRA did not learn])
#follow((lora, dora), rising: [It rises.], falling: [It falls.], missing: [No course.])
#by-sides((lora, dora), above: [Both positive.], below: [Both negative.], split: [Split.],
  level: [Some zero.], missing: [None run.])
#where-run((lora, dora))[Both were run.]
#of-stand-ins[About stand-ins.]
"""


def paper_files(written: dict[str, Any]) -> PaperFiles:
    figures = [path.replace(".png", ".pdf") for path in written["figures"]]
    names = ("numbers", "claims", "audit", "tags")
    return PaperFiles(**{name: written[name] for name in names}, tables=written["tables"], figures=figures)


def spoken(folder: Path, text: str, **changes: Any) -> str:
    """The text of a document, without its layout."""
    written = write_study(folder, **changes)
    path = folder / "text.typ"
    path.write_text(text.replace("{parts}", str(ROOT / "paper/parts.typ")))
    inputs = document_inputs(paper_files(written), written["facts"], written["captions"])
    page = typst.compile(str(path), root="/", format="html", sys_inputs=inputs).decode()
    words = " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL).split())
    return re.sub(r"([(\[]) | ([).;,\]])", r"\1\2", words)


def verdict(word: str) -> list[dict[str, Any]]:
    return [claim("a", "A beats B.", word)]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("holds", "A wins."),
        ("fails", "A loses."),
        ("stand-in: holds", "A wins."),
        ("stand-in: fails", "A loses."),
        ("undecided", "Undecided here (undecided): A beats B."),
        ("stand-in: undecided", "Undecided here (stand-in: undecided): A beats B."),
        ("stand-in: one seed only", "Undecided here (stand-in: one seed only): A beats B."),
        ("not run", "Not run here: A beats B."),
    ],
)
def test_one_sentence_is_said_for_each_verdict(tmp_path: Path, word: str, said: str) -> None:
    text = spoken(tmp_path, SAYINGS, claims=verdict(word))
    assert said in text
    assert sum(each in text for each in ("A wins.", "A loses.", "Undecided here", "Not run here: A beats")) == 1


def test_a_claim_that_is_not_there_was_not_run(tmp_path: Path) -> None:
    text = spoken(tmp_path, SAYINGS, claims=verdict("holds"))
    assert "Not run here: b" in text and "B wins." not in text and "B loses." not in text


@pytest.mark.parametrize(
    ("lora", "dora", "said"),
    [
        (50, 60, "DoRA is ahead (60.0 [57.0, 63.0] against 50.0 [47.0, 53.0]; their intervals are apart)."),
        (50, 52, "DoRA is ahead (52.0 [49.0, 55.0] against 50.0 [47.0, 53.0]; their intervals overlap)."),
        (60, 50, "DoRA is behind (50.0 [47.0, 53.0] against 60.0 [57.0, 63.0]; their intervals are apart)."),
        (None, 50, "Unknown."),
        (50, None, "Unknown."),
        (50, 50, "The two are level"),
    ],
)
def test_two_cells_are_compared(tmp_path: Path, lora: float | None, dora: float | None, said: str) -> None:
    numbers = changed_numbers({"table1/lora-r8/accuracy": lora, "table1/dora-r8/accuracy": dora})
    text = spoken(tmp_path, SAYINGS, claims=[], numbers=numbers)
    assert said in text
    assert sum(each in text for each in ("DoRA is ahead", "DoRA is behind", "Unknown.", "The two are level")) == 1


@pytest.mark.parametrize(
    ("lora", "dora", "course", "side"),
    [
        (1, 2, "It rises.", "Both positive."),
        (-1, -2, "It falls.", "Both negative."),
        (1, -2, "It falls.", "Split."),
        (None, 2, "No course.", "Both positive."),
        (None, None, "No course.", "None run."),
        (0, 2, "It rises.", "Some zero."),
        (0, -2, "It falls.", "Some zero."),
        (0, 0, None, "Some zero."),
    ],
)
def test_courses_and_sides(
    tmp_path: Path, lora: float | None, dora: float | None, course: str | None, side: str
) -> None:
    numbers = changed_numbers({"table1/lora-r8/accuracy": lora, "table1/dora-r8/accuracy": dora})
    text = spoken(tmp_path, SAYINGS, claims=[], numbers=numbers)
    assert [each for each in ("It rises.", "It falls.", "No course.") if each in text] == [course] * bool(course)
    sides = ("Both positive.", "Both negative.", "Split.", "Some zero.", "None run.")
    assert [each for each in sides if each in text] == [side]
    assert ("Both were run." in text) == (lora is not None and dora is not None)


def test_an_untrained_base_is_a_cell(tmp_path: Path) -> None:
    text = spoken(tmp_path, SAYINGS, claims=[])
    assert "LoRA learned" in text and "LoRA did not learn" not in text


def test_a_base_is_compared_by_its_unrounded_score(tmp_path: Path) -> None:
    """Both read 44.0; the base has 44.03."""
    text = spoken(tmp_path, SAYINGS, claims=[], numbers=changed_numbers({"table1/lora-r8/accuracy": 44.01}))
    assert "LoRA did not learn (44.0 [41.0, 47.0] against 44.0 [41.0, 47.0]" in text


@pytest.mark.parametrize("comparable", [True, False])
def test_words_about_stand_ins_are_said_of_them_only(tmp_path: Path, comparable: bool) -> None:
    text = spoken(tmp_path, SAYINGS, facts={**FACTS, "comparable": comparable})
    assert ("About stand-ins." in text) != comparable


STUDIES = sorted((ROOT / "workflow/studies").glob("*/paper.typ"))


def declared(path: Path, word: str) -> list[dict[str, Any]]:
    """Every claim of a study with one verdict."""
    return [claim(each.key, each.sentence, word, each.where) for each in load_claims(path.parent / "claims.yaml")]


def branches(path: Path, outcome: str) -> dict[str, set[str]]:
    """What a study's text says of each claim under an outcome, as far as it is plain text."""
    found: dict[str, set[str]] = {}
    for key, body in re.findall(r'#if-holds\("([a-z0-9-]+)",(.*?)\n  \)', path.read_text(), re.DOTALL):
        for words in re.findall(rf"\b{outcome}: \[([\u201cA-Z][^\[\]#'$@_]+)", body):
            found.setdefault(key, set()).add(" ".join(words.split()))
    return found


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("outcome", ["holds", "fails", "undecided", "not-run"])
def test_a_studys_text_says_what_its_verdicts_say(tmp_path: Path, path: Path, outcome: str) -> None:
    word = outcome.replace("-", " ")
    claims = declared(path, word if word == "not run" else f"stand-in: {word}")
    text = spoken(tmp_path, path.read_text().replace("../../..", str(ROOT)), claims=claims)
    for key, said in branches(path, outcome).items():
        others = {
            words for other in ("holds", "fails") if other != outcome for words in branches(path, other).get(key, ())
        }
        assert all(words in text for words in said), key
        assert not any(words in text for words in others if not any(words in own for own in said)), key
    failures = re.search(r"Failures, and what would decide them(.*?)Threats to validity", text)
    assert failures and ("No statement fails." in failures[1]) == (outcome != "fails")
    if outcome == "fails":
        missing = [
            each["sentence"] for each in claims if each["sentence"].rstrip(".")[:40] not in html.unescape(failures[1])
        ]
        assert not missing
    words = {"undecided": "statements are undecided", "not-run": "statements need something that was not run"}
    for which, sentence in words.items():
        assert (f"{len(claims)} {sentence}" in failures[1]) == (outcome == which)
    counts = {"holds": "hold", "fails": "fail", "undecided": "are undecided", "not-run": "were not run"}
    assert f"{len(claims)} {counts[outcome]}" in text


WORDS_OF_STAND_INS = ("stand-in", "Stand-in", "small base", "small model", "smallest rank here")


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("comparable", [True, False])
def test_a_studys_text_speaks_of_stand_ins_only_where_there_are_some(
    tmp_path: Path, path: Path, comparable: bool
) -> None:
    numbers = changed_numbers({})
    numbers |= {"models": {}, "study": {**numbers["study"], "note": ""}, "labels": {}}
    claims = declared(path, "fails" if comparable else "stand-in: fails")
    facts = {**FACTS, "comparable": comparable}
    main = path.read_text().replace("../../..", str(ROOT))
    text = spoken(tmp_path, main, claims=claims, numbers=numbers, facts=facts)
    assert any(words in text for words in WORDS_OF_STAND_INS) != comparable


OF_ROUNDING = 0.01


def with_margin(path: Path) -> set[str]:
    """Claims that ask a margin for a difference, and not only for its rounding."""
    return {
        each.key
        for each in load_claims(path.parent / "claims.yaml")
        for part in comparisons_of(each.statement)
        if part.margin is None or part.margin.value > OF_ROUNDING
    }


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.parent.name)
def test_a_margin_that_is_missed_is_not_told_as_a_difference_of_the_other_sign(path: Path) -> None:
    """Where a margin is asked, a smaller difference in the paper's direction fails, too."""
    text = path.read_text()
    parts = re.split(r'(?:#if-holds|headline|failure|#compare|#follow|#by-sides)\((?=")', text)
    told = [
        (part.split('"')[1], words)
        for part in parts[1:]
        for words in re.findall(r"\bfails: \[(?!\])(.+?)\](?:,|\n)", part, re.DOTALL)
    ]
    assert told
    asked = with_margin(path)
    silent = [
        key for key, words in told if key in asked and not re.search(r"asked|margin|smaller than|within|half", words)
    ]
    assert not silent


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.parent.name)
def test_prose_compares_means_over_seeds_or_names_the_seed(tmp_path: Path, path: Path) -> None:
    """Verdicts are over seeds: a sentence on one seed beside them would speak of another number."""
    own = ROOT / "workflow/scales" / f"{path.parent.name}.yaml"  # of a study that has a scale of its own
    scale = own.stem if own.is_file() else "tiny"
    workspace = Configured(ROOT).load(tier="full", scale=scale, studies=[path.parent.name])
    outputs = workspace.outputs[path.parent.name]
    cells = {
        f"{key}/{row.key}/{column.key}": (selected_runs(row, column), column)
        for key, output in outputs.items()
        for row, column in output.cells()
    }
    text = path.read_text()
    named = said_places(tmp_path, text)
    assert named or path.parent.name != "structure-over-scale"  # a text may compare nothing
    assert named <= cells.keys() | {place for place in named if place.startswith("base/")}
    for place in named & cells.keys():
        runs, column = cells[place]
        if column.reduce == "only" and not column.shown.is_exact and "base" not in runs[0]:
            sentences = re.findall(rf'#\w[\w-]*\((?:"[^"]*", )?"{re.escape(place)}".*?\n  \)', text, re.DOTALL)
            assert sentences and all("the paper's seed" in words for words in sentences), place


def said_places(folder: Path, text: str) -> set[str]:
    """Every cell that a text's conditional sentences look at."""
    written = write_study(folder)
    path = folder / "text.typ"
    path.write_text(text.replace("../../..", str(ROOT)))
    inputs = document_inputs(paper_files(written), written["facts"], written["captions"])
    said = json.loads(typst.query(str(path), "<said>", field="value", root="/", sys_inputs=inputs))
    single = {each[side] for each in said for side in ("left", "right") if side in each}
    return single.union(*(each["places"] for each in said if "places" in each))


def test_a_headline_shows_what_its_verdict_is_judged_on(tmp_path: Path) -> None:
    """The sides of the claim, over seeds, and not the cells of one seed."""
    text = (
        '#import "{parts}": *\n#verdict-table((headline("a", why: (holds: [Because.])),))\n'
        '#set heading(numbering: "A")\n= Claims <claims>'
    )
    told = spoken(tmp_path, text, claims=verdict("holds"), numbers=changed_numbers({"table1/lora-r8/accuracy": 12.3}))
    assert "DoRA, r = 8 84.0 60.0" in told and f"LoRA, r = 8 {DASH} 50.0" in told and "12.3" not in told
    assert "Because." in told


def test_a_claim_that_was_not_run_says_what_it_lacks(tmp_path: Path) -> None:
    told = spoken(tmp_path, '#import "{parts}": *\n#claims-tables', claims=verdict("not run"))
    assert "DoRA, r = 16" in told and "What it lacks" in told and "this tier" not in told


def test_equal_effective_ranks_are_level_with_each_other(tmp_path: Path) -> None:
    path = ROOT / "workflow/studies/structure-over-scale/paper.typ"
    places = [f"figure2/{row}/effective_rank_mean" for row in ("full", "full-stored", "dora-r16")]
    numbers = changed_numbers(dict.fromkeys(places, 5.0))
    text = spoken(tmp_path, path.read_text().replace("../../..", str(ROOT)), claims=[], numbers=numbers)
    assert "full fine-tuning lies level with DoRA in effective rank" in text


def test_the_primary_text_carries_doras_sweep_on() -> None:
    """Rank 64 is the paper's largest, not the grid's: its cliff beyond is a headline of its own."""
    text = (ROOT / "workflow/studies/structure-over-scale/paper.typ").read_text()
    assert 'headline("dora-has-no-cliff-where-lora-has"' in text and "table11/dora-r256/mean" in text
    assert not re.search(r"dora-r64[^]]*up to the largest rank(?! that the paper ran)", text)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.parent.name)
def test_every_branch_of_a_studys_text_is_written(path: Path) -> None:
    """Text on a claim says something where it holds and where it fails."""
    assert branches(path, "holds").keys() == branches(path, "fails").keys() != set()


def test_the_general_document_builds_and_escapes_what_it_is_given(tmp_path: Path) -> None:
    written = write_study(tmp_path)
    compile_paper(str(ROOT / "paper/general.typ"), paper_files(written), written["facts"], written["captions"],
                  str(tmp_path / "paper.pdf"))  # fmt: skip
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")


BUILD = """
import sys
from pathlib import Path
from document_study import write_study
from test_document import ROOT, compile_paper, paper_files
from rlvr.report.looks import save_figure
from rlvr.report.plotting import styled

folder = Path(sys.argv[1])
written = write_study(folder)
with styled(str(ROOT / "paper/style.mplstyle")):
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2, 4], [2, 4, 3], marker="o", label="DoRA")
    axes.legend()
    save_figure(figure, folder / "figures/figure1.pdf", "pdf", {"Subject": "figure1", "CreationDate": None})
main = str(ROOT / "paper/general.typ")
compile_paper(main, paper_files(written), written["facts"], written["captions"], str(folder / "paper.pdf"))
"""


def test_equal_inputs_give_equal_pdfs_whenever_and_wherever_they_are_built(tmp_path: Path) -> None:
    """Two processes, folders, time zones and orders of sets, and two seconds of the clock."""
    for name, zone in (("here", "UTC"), ("else where", "Asia/Tokyo")):
        places = {"PYTHONPATH": os.pathsep.join([str(ROOT / "workflow/lib"), str(Path(__file__).parent)])}
        environment = {**os.environ, **places, "TZ": zone, "PYTHONHASHSEED": str(len(zone))}
        time.sleep(1)  # the dates of a PDF have seconds
        subprocess.run([sys.executable, "-c", BUILD, str(tmp_path / name)], env=environment, check=True)
    for name in ("figures/figure1.pdf", "paper.pdf"):
        one, other = ((tmp_path / folder / name).read_bytes() for folder in ("here", "else where"))
        assert one == other, name
        assert str(tmp_path).encode() not in one


def test_the_date_of_a_document_is_that_of_its_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "main.typ").write_text('#set document(title: "t")')
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert b"D:19700102000000Z" in typeset(str(tmp_path / "main.typ"), {})
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "today")  # no number: as if it were not set
    monkeypatch.setattr("rlvr.core.provenance.LIBRARY", tmp_path)  # no git checkout
    assert b"D:19700101000000Z" in typeset(str(tmp_path / "main.typ"), {})


def test_a_study_with_nothing_in_it_still_has_a_document(tmp_path: Path) -> None:
    empty = changed_numbers({})
    empty |= {"cells": {}, "labels": {}, "scores": {}, "runs": []}
    empty["coverage"] = {"groups": [], "tiers": [], "outputs": []}
    empty["study"]["runs"] = "0"
    written = write_study(tmp_path, numbers=empty, claims=[], audit=[], tags=[])
    files = paper_files({**written, "tables": [], "figures": []})
    compile_paper(str(ROOT / "paper/general.typ"), files, FACTS, {}, str(tmp_path / "paper.pdf"))
    assert (tmp_path / "paper.pdf").is_file()


def test_what_typst_refuses_is_an_error_with_its_message(tmp_path: Path) -> None:
    written = write_study(tmp_path)
    (tmp_path / "broken.typ").write_text("#nothing-of-this-name")
    with pytest.raises(InputError, match="unknown variable"):
        compile_paper(str(tmp_path / "broken.typ"), paper_files(written), FACTS, {}, str(tmp_path / "paper.pdf"))


def test_an_error_of_typst_itself_is_met_with_another_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def compile_once(path: str, root: str, sys_inputs: dict[str, str], timestamp: int) -> bytes:
        asked.append(sys_inputs["nudge"])
        if len(asked) < 3:
            raise typst.TypstError("internal error: parent group")
        return b"%PDF"

    monkeypatch.setattr(typst, "compile", compile_once)
    assert typeset("main.typ", {}) == b"%PDF"
    assert asked == ["0", "1", "2"]
