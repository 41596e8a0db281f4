"""Pages for readers: links lead somewhere, named commands exist, and the picture of the rules is their graph."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Checkout, copy_code

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = ROOT / "CHANGELOG.md"  # tells of commands that are gone
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CONVENTIONS.md", "SECURITY.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
LEFT_OUT = {"all"}  # a target
Edge = tuple[str, str]

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def code_of(text: str) -> Iterator[str]:
    """Fenced lines and inline code of a page, comments after ``#`` left out."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from (line.split(" #")[0] for line in block.splitlines())
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def headings_of(path: Path) -> set[str]:
    """Anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}


def make_targets(text: str) -> set[str]:
    """Targets that a page calls: the first word after ``make`` in its code."""
    return {found for code in code_of(text) for found in re.findall(r"(?:^|\s)make ([a-z][\w-]*)", code)}


def snakemake_targets(text: str) -> set[str]:
    """Words after ``snakemake`` in the code of a page that are targets: no options, no values of options."""
    found: set[str] = set()
    for code in code_of(text):
        for call in re.findall(r"(?:^|\s)snakemake ([^|;&]*)", code):
            words = re.sub(r"'[^']*'|\"[^\"]*\"", "X", call).split()
            takes_value = {"--config", "--profile", "-q", "--cores", "--forcerun"}
            named = (word for at, word in enumerate(words) if at == 0 or words[at - 1] not in takes_value)
            found |= {word for word in named if re.fullmatch(r"[a-z]\w*", word)}
    return found


def reduced(edges: set[Edge]) -> set[Edge]:
    """The edges without those that a longer way implies."""
    after: dict[str, set[str]] = {}
    for start, end in edges:
        after.setdefault(start, set()).add(end)

    def reaches(start: str, end: str) -> bool:
        return any(step == end or reaches(step, end) for step in after.get(start, ()))

    return {
        (start, end)
        for start, end in edges
        if not any(reaches(step, end) for step in after[start] if step != end)
    }  # fmt: skip


@pytest.mark.parametrize("page", [*PAGES, CHANGELOG], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", page.read_text()):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in headings_of(file), f"{page.name} links to the heading {target}"


def test_every_page_of_docs_is_reachable_from_the_readme() -> None:
    linked = {target for page in PAGES for target in re.findall(r"\]\((?:docs/)?([\w-]+\.md)", page.read_text())}
    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= linked


@pages
def test_make_targets_that_are_named_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert make_targets(page.read_text()) <= targets


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy of the workflow without results, which no test of this module edits."""
    return copy_code(tmp_path_factory.mktemp("docs") / "checkout")


@pytest.fixture(scope="module")
def rules(code: Checkout) -> set[str]:
    """Names of all rules, the outputs of the default study among them."""
    return set(re.findall(r"^(\w+)(?: \(.*\))?$", code.run("--list"), re.MULTILINE))


@pages
def test_snakemake_targets_that_are_named_exist(page: Path, rules: set[str]) -> None:
    assert snakemake_targets(page.read_text()) <= rules


def test_a_wrong_command_would_be_found() -> None:
    text = "Use `make dmeo`.\n\n```bash\nsnakemake -n -q rules  # what\nsnakemake --config tier=full tabel4\n```\n"
    assert make_targets(text) == {"dmeo"} and snakemake_targets(text) == {"tabel4"}


def test_the_picture_of_the_rules_is_their_graph(code: Checkout) -> None:
    """README shows the rules of the default target and what feeds what, short cuts left out."""
    graph = code.run("--rulegraph", "mermaid-js")
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]", graph, re.MULTILINE))
    edges = {(names[start], names[end]) for start, end in re.findall(r"(id\d+) --> (id\d+)", graph)}
    wanted = reduced({edge for edge in edges if not LEFT_OUT.intersection(edge)})
    [picture] = re.findall(r"^```mermaid\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    lines = "\n".join(f"  {start} --> {end}" for start, end in sorted(wanted))
    assert set(re.findall(r"(\w+) --> (\w+)", picture)) == wanted, f"The picture should be:\n{lines}"
