"""The HTML report in a real browser: nothing is complained about, and it works by keyboard and on a telephone.

The page of a small crafted study is always looked at; the page of a finished workflow, too, where the environment
variable REPORT_HTML names one.
"""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser, browser, find_chromium, wait_for_file
from document_study import CELLS_CSV, write_study

from rlvr.report.page import StudyFiles, write_page

ROOT = Path(__file__).resolve().parents[2]
DESKTOP, PHONE = (1280, 900), (360, 740)
ROWS = "tbody tr:not([hidden])"
VISIBLE = "[...document.querySelectorAll('.card:not([hidden])')].filter(each => each.getClientRects().length)"

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no chromium on this machine (Debian: apt-get install chromium)"
)


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module", params=["crafted", *(["finished"] if os.environ.get("REPORT_HTML") else [])])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "finished":
        return Path(os.environ["REPORT_HTML"]).resolve()
    folder = tmp_path_factory.mktemp("page")
    files = write_study(folder, picture=wide_picture())
    write_page([StudyFiles.of(files)], "core", ROOT / "paper/page", str(folder / "report.html"))
    return folder / "report.html"


def wide_picture() -> bytes:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(7, 3), dpi=200)
    figure.subplots().plot([1, 2, 3])
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    plt.close(figure)
    return stream.getvalue()


@pytest.fixture
def opened(window: Browser, page: Path) -> Browser:
    window.open(page.as_uri(), *DESKTOP)
    return window


def shown(window: Browser) -> list[str]:
    return window.run(f"{VISIBLE}.map(each => each.dataset.name)")


def focused(window: Browser) -> str:
    return window.run(
        "document.activeElement.name || document.activeElement.className || document.activeElement.tagName"
    )


def tab_to(window: Browser, name: str) -> None:
    for _ in range(20):
        window.press("Tab")
        if focused(window) == name:
            return
    raise AssertionError(f"{name} cannot be reached with the tab key")


def test_nothing_is_complained_about_and_the_network_is_not_asked(opened: Browser, page: Path) -> None:
    assert opened.complaints() == []
    assert opened.requests() == [page.as_uri()]
    assert opened.run("document.title") == "Which adapter for reinforcement learning with verifiable rewards?"


def test_every_figure_is_visible(opened: Browser) -> None:
    sizes = opened.run(
        "Promise.all([...document.querySelectorAll('figure img')].map(each => each.decode().then(() => "
        "[each.naturalWidth, each.getBoundingClientRect().width, each.getBoundingClientRect().height])))"
    )
    assert sizes
    assert all(natural > 1 and width > 100 and height > 50 for natural, width, height in sizes)


def test_texts_of_the_data_are_texts(opened: Browser) -> None:
    assert opened.run("document.querySelectorAll('main script, main style, main iframe').length") == 0
    assert opened.run("document.querySelectorAll('main [onerror], main [onclick], main [onload]').length") == 0


def test_a_tables_csv_downloads(opened: Browser, page: Path, tmp_path: Path) -> None:
    opened.save_downloads(tmp_path)
    link = "document.querySelector('.card[data-kind=table] a[download$=\".csv\"]')"
    name = opened.run(f"{link}.download")
    opened.run(f"{link}.scrollIntoView()")
    opened.run(f"{link}.focus()")
    opened.press("Enter")
    text = wait_for_file(tmp_path / name).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows and {"row", "column", "value"} <= rows[0].keys()
    if page.name == "report.html" and name == "toy-table1.csv":
        assert text == CELLS_CSV


def test_filters_work_by_keyboard(opened: Browser) -> None:
    everything = shown(opened)
    tab_to(opened, "query")
    opened.type("dora")
    found = shown(opened)
    assert found and len(found) < len(everything)
    assert all("dora" in text for text in opened.run(f"{VISIBLE}.map(each => each.textContent.toLowerCase())"))
    assert opened.run("document.getElementById('shown').textContent").startswith(f"{len(found)} of ")
    for name in ("study", "kind", "name", "method"):
        tab_to(opened, name)
    opened.press("Tab")
    assert opened.run("document.activeElement.type") == "reset"
    opened.press("Enter")
    opened.run("new Promise(done => setTimeout(done, 50))")
    assert shown(opened) == everything


def test_a_kind_and_a_method_are_chosen_by_keyboard(opened: Browser) -> None:
    tab_to(opened, "kind")
    opened.type("Tables")
    assert opened.run(f"[...new Set({VISIBLE}.map(each => each.dataset.kind))]") == ["table"]
    tab_to(opened, "method")
    opened.type("lora")
    rows = opened.run(
        f"{VISIBLE}.flatMap(each => [...each.querySelectorAll('{ROWS}')].map(row => row.dataset.methods))"
    )
    assert "lora" in " ".join(rows).split() and all("lora" in row.split() or not row for row in rows)


def test_what_nothing_matches_is_said(opened: Browser) -> None:
    tab_to(opened, "query")
    opened.type("no such words at all")
    assert shown(opened) == []
    assert not opened.run("document.getElementById('nothing').hidden")


def test_a_figure_is_enlarged_by_keyboard(opened: Browser) -> None:
    opened.run("document.querySelector('button.zoom').focus()")
    opened.press("Enter")
    opened.run("document.querySelector('#zoomed img').decode().then(() => new Promise(done => setTimeout(done, 50)))")
    assert opened.run("document.getElementById('zoomed').open")
    width = "document.querySelector('#zoomed img').getBoundingClientRect().width"
    before = opened.run(width)
    for _ in range(4):
        opened.press("+")
    assert opened.run(width) > 2 * before
    opened.press("Escape")
    assert not opened.run("document.getElementById('zoomed').open")
    assert focused(opened) == "zoom"
    assert opened.complaints() == []


def test_a_figure_has_its_data(opened: Browser) -> None:
    opened.run("document.querySelector('.card[data-kind=figure] summary').focus()")
    opened.press("Enter")
    opened.run("new Promise(done => setTimeout(done, 50))")
    rows = "[...document.querySelectorAll('.card[data-kind=figure] details[open] tbody tr')]"
    assert opened.run(f"{rows}.filter(each => each.getClientRects().length).length") > 0


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_is_wider_than_the_window(window: Browser, page: Path, size: tuple[int, int]) -> None:
    window.open(page.as_uri(), *size)
    window.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert window.run("document.documentElement.scrollWidth") <= size[0]
    wide = window.run(
        "[...document.querySelectorAll('header, form, .card, .card > *, .links a, form *')].filter(each => "
        f"each.getBoundingClientRect().right > {size[0]} + 1).map(each => each.outerHTML.slice(0, 200))"
    )
    assert wide == []
