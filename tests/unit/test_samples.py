"""Completions shown to readers: pages that hostile rows cannot break, and the rule that picks a problem for a table."""

import pandas as pd
import pytest
from test_escaping import HIDDEN, NASTY, Tags

from rlvr.core.errors import InputError
from rlvr.core.io import write_table
from rlvr.plan.outputs import Output
from rlvr.report.render import DASH
from rlvr.report.sample_pages import PageOptions, assemble, choose, show_samples_file, to_html, to_markdown
from rlvr.report.sample_tables import choose_problem, tabulate_samples
from rlvr.report.scope import ReportScope
from rlvr.tables import GRADES, PROBLEMS, SAMPLES

OWN_TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "section", "pre", "p", "code", "div", "article",
    "details", "summary",
}  # fmt: skip
RIGHT = {("a", "p1"): 4, ("b", "p1"): 3, ("a", "p2"): 2, ("b", "p2"): 3, ("a", "p3"): 4, ("b", "p3"): 1}
K = 4


def rows(texts=None):
    """Samples and grades of the runs a and b on three problems; of each, the first samples are right, as in RIGHT."""
    lines = [
        {
            "run_id": run, "benchmark": "hard", "problem_id": problem, "sample": sample, "completion_tokens": 7,
            "finish_reason": "length" if sample == 1 else "stop",
            "text": (texts or {}).get((run, problem, sample), f"{run} {problem} {sample}"),
            "verdict": "correct" if sample < right else "wrong", "extracted": "7" if sample != 3 else None,
            "stage": "match", "grader": "1",
        }
        for (run, problem), right in RIGHT.items()
        for sample in range(K)
    ]  # fmt: skip
    frame = pd.DataFrame(lines)
    return frame[list(SAMPLES.columns)], frame[list(GRADES.columns)]


def problems(question="How many?", answer="7"):
    """Three problems; the first by id asks the given question."""
    facts = {"dataset": "hard", "verifier": "math", "difficulty": 9.0, "topic": None, "meta": "{}"}
    texts = {"p3": "third", "p1": question, "p2": "second"}
    return pd.DataFrame(
        [{"problem_id": name, "question": text, "answer": answer, **facts} for name, text in texts.items()]
    )


@pytest.fixture
def paths(tmp_path):
    samples, grades = rows()
    frames = {"samples": (samples, SAMPLES), "grades": (grades, GRADES), "problems": (problems(), PROBLEMS)}
    for name, (frame, schema) in frames.items():
        write_table(frame, tmp_path / f"{name}.parquet", schema)
    return {name: [str(tmp_path / f"{name}.parquet")] for name in frames}


@pytest.mark.parametrize("text", [*NASTY, "\n\n".join(NASTY)])
def test_a_page_of_nasty_rows_holds_nothing_but_its_own_markup(text):
    samples, grades = rows({("a", "p1", 0): text})
    grades.loc[0, "extracted"] = text
    page = assemble(samples, grades, choose(problems(text or "?", text or "?"), 1, "hard"), ["a", "b"])
    html = to_html(page, "hard", 100_000)
    seen = Tags()
    seen.feed(html)
    seen.close()
    assert set(seen.tags) <= OWN_TAGS and seen.tags.count("pre") == 1 + 2 * K and seen.tags.count("article") == 2
    markdown = to_markdown(page, "hard", 100_000)
    assert not set(html + markdown) & set(HIDDEN)
    headings = [token for token in tokens(markdown) if token == "heading_open"]
    assert len(headings) == 1 + 1 + 2
    assert not {"html_block", "html_inline", "link_open", "image", "bullet_list_open"} & set(tokens(markdown))


def tokens(text):
    """Kinds of everything that a reader of CommonMark makes of a text."""
    from markdown_it import MarkdownIt

    parsed = MarkdownIt("commonmark").parse(text)
    return [each.type for token in parsed for each in (token, *(token.children or ()))]


def test_a_page_says_what_became_of_every_completion(tmp_path, paths):
    options = PageOptions(["b", "a", "gone"], ["p2"], 2000)
    show_samples_file(paths, "hard", options, str(tmp_path / "out.md"), str(tmp_path / "out.html"))
    text = (tmp_path / "out.md").read_text()
    assert "Problem p2" in text and "Problem p1" not in text
    assert (
        text.index("### b: 3 of 4 correct") < text.index("### a: 2 of 4 correct") < text.index("### gone: not sampled")
    )
    assert "sample 1: correct, 7 tokens, cut at the limit; answer read: 7" in text
    assert "sample 3: wrong, 7 tokens; no answer read" in text
    assert (tmp_path / "out.html").read_text().count("<details") == 2 * K


def test_problems_are_the_first_by_id_or_those_named():
    assert list(choose(problems(), 2, "hard")["problem_id"]) == ["p1", "p2"]
    assert list(choose(problems(), ["p3", "p1"], "hard")["problem_id"]) == ["p3", "p1"]
    with pytest.raises(InputError, match=r"'hard' has no problem 'p9'.*p1, p2, p3"):
        choose(problems(), ["p9"], "hard")


def test_the_first_problem_that_a_majority_tells_apart():
    """Both solve p1; half of the samples is no majority, so that p2 is solved by b alone; p3 comes later."""
    _, grades = rows()
    assert choose_problem(grades, ["a", "b"]) == "p2"
    assert choose_problem(grades[grades["problem_id"] != "p2"], ["a", "b"]) == "p3"
    assert choose_problem(grades[grades["problem_id"] == "p1"], ["a", "b"]) is None
    assert choose_problem(grades, ["a", "gone"]) is None


def declared(characters=1200):
    """A table of completions of the runs a and b."""
    curves = [{"name": "A", "runs": ["a"]}, {"name": "B", "runs": ["b"]}]
    plot = {"benchmark": "hard", "curves": curves, "characters": characters}
    return Output("table18", "samples", "table 18", "Caption.", plot=plot)


def test_the_table_shows_the_first_completion_of_the_majority(paths):
    frame, table = tabulate_samples(declared(), ReportScope("tiny", True, ["a", "b"]), paths, [])
    assert frame[["run_id", "problem_id", "sample", "verdict", "correct"]].to_numpy().tolist() == [
        ["a", "p2", 2, "wrong", 2], ["b", "p2", 0, "correct", 3],
    ]  # fmt: skip
    assert [column.header for column in table.columns] == [("",), ("A",), ("B",)]
    assert table.columns[2].texts == ["3 of 4 samples", "7 (correct)", "b p2 0"]
    assert table.notes[0] == "Problem p2: second"


def test_a_table_without_runs_says_so():
    frame, table = tabulate_samples(declared(), ReportScope("tiny", True, []), {}, [])
    assert frame.empty and table.columns[1].texts == [DASH] * 3 and "No problem was found" in table.notes[0]
