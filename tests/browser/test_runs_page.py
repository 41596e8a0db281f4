"""The overview of all runs in a real browser: filter, order, picture, a telephone; hostile names stay text.

A crafted overview is always looked at; that of a finished workflow, too, where RUNS_HTML names one. Pages of the site
are looked at where SITE_HTML names its index (`make site`).
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from chromium import Browser, browser, find_chromium

from rlvr.report.runs_page import as_frame, page_text, run_records

ROOT = Path(__file__).resolve().parents[2]
DESKTOP, PHONE = (1280, 900), (360, 740)
HOSTILE = "</script><img src=x onerror=alert(1)>"
ROWS = "document.querySelectorAll('#runs tbody tr').length"
FIRST = "document.querySelector('#runs tbody td').textContent"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SITE_PAGES = (
    "index",
    "own",
    "papers/index",
    "reference/files/scale",
    "reference/library/grading",
    "reference/commands",
)

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no chromium on this machine (Debian: apt-get install chromium)"
)


def described(run_id: str, method: str) -> dict:
    facts = {"run_id": run_id, "model": "small", "dataset": "hard", "method": method, "seed": 1, "setting": HOSTILE}
    return {**facts, "base": "small_base", "base_model": "small"}


def records() -> list[dict]:
    rows = [
        {
            "run_id": run_id,
            "benchmark": "hard",
            "statistic": "avg_at_k",
            "k": 4,
            "value": value,
            "low": value,
            "high": value,
        }
        for run_id, value in (("a", 0.5), ("b", 0.7), ("small_base", 0.4))
    ]
    manifests = {
        run_id: {"run_id": run_id, "trainable_parameters": count, "steps": 3}
        for run_id, count in (("a", 10), ("b", 200))
    }
    runs = [described("a", "lora"), described("b", "full"), described("unfinished", "dora")]
    return run_records(runs, manifests, {"small": 1000}, pd.DataFrame(rows))


def test_the_table_has_a_row_per_run_and_benchmark_beside_its_base() -> None:
    frame = as_frame(records()).set_index("run_id")
    assert list(frame.index) == ["a", "b"]
    assert list(frame["share"]) == [1.0, 20.0]
    assert list(frame["value"]) == [50.0, 70.0]
    assert set(frame["base"]) == {40.0}


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module", params=["crafted", *(["finished"] if os.environ.get("RUNS_HTML") else [])])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "finished":
        return Path(os.environ["RUNS_HTML"]).resolve()
    path = tmp_path_factory.mktemp("runs") / "runs.html"
    facts = {"scale": "tiny", "tier": "core", "comparable": False}
    path.write_text(page_text(records(), facts, ROOT / "paper" / "runs"))
    return path


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_nothing_is_complained_about_asked_for_or_cut_off(window: Browser, page: Path, size: tuple[int, int]) -> None:
    window.open(page.as_uri(), *size)
    assert window.complaints() == []
    assert window.requests() == [page.as_uri()]
    assert window.run(OVERFLOW) <= 0
    assert window.run("document.querySelectorAll('#plot circle').length") > 0


def test_words_and_heads_choose_and_order(window: Browser, page: Path) -> None:
    window.open(page.as_uri(), *DESKTOP)
    total = window.run(ROWS)
    best = window.run(FIRST)
    window.run("document.querySelector('th button[data-key=accuracy]').click()")
    assert window.run(FIRST) != best
    window.run("document.querySelector('[name=query]').focus()")
    window.type("full")
    assert 0 < window.run(ROWS) < total
    assert str(window.run(ROWS)) in window.run("document.getElementById('shown').textContent")
    window.run("document.querySelector('[name=query]').value = ''; show()")
    window.run("document.querySelector('[name=method]').value = 'lora'; show()")
    assert 0 < window.run(ROWS) < total


@pytest.mark.skipif(not os.environ.get("SITE_HTML"), reason="SITE_HTML names no site (make site)")
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("name", SITE_PAGES)
def test_pages_of_the_site_load_nothing_from_elsewhere_and_fit(
    window: Browser, name: str, size: tuple[int, int]
) -> None:
    address = Path(os.environ["SITE_HTML"]).resolve().parent / f"{name}.html"
    window.open(address.as_uri(), *size)
    assert [url for url in window.requests() if not url.startswith("file:")] == []
    assert window.run("document.querySelector('h1').getClientRects().length") == 1
    assert window.run(OVERFLOW) <= 0
