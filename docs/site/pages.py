"""Pages that are made and not written: reference of library, schemas and command; the papers' inventory; navigation.

Run by mkdocs-gen-files while the site is built. It imports the light parts of the library only.
"""

import ast
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mkdocs_gen_files
import yaml

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "workflow" / "lib"
sys.path.insert(0, str(LIBRARY))

from rlvr.report.audit.files import audit_studies, to_markdown  # noqa: E402

COMMANDS = ("grade", "spectra", "parameters", "audit", "samples", "train", "watch")
GUIDES = {
    "Start": {"Start": "start.md", "The command rlvr": "commands.md", "Architecture": "architecture.md"},
    "Tutorials": {
        "Regenerate a table": "tutorial-table.md",
        "Add a method": "tutorial-method.md",
        "Add a study": "tutorial-study.md",
        "Your own things": "own.md",
        "Scale pocket": "pocket.md",
    },
    "Guides": {
        "Methods": "methods.md",
        "Runs": "runs.md",
        "Grading": "grading.md",
        "Rewards in other trainers": "rewards.md",
        "Enigmata": "enigmata.md",
        "Spectra": "spectra.md",
        "Statistics": "statistics.md",
        "Outputs": "outputs.md",
        "Claims": "claims.md",
        "Audit": "audit.md",
        "Report": "report.md",
        "Sharing runs": "sharing.md",
        "On a cluster": "cluster.md",
        "Reliability": "reliability.md",
    },
}
AT_THE_ROOT = {
    "CONTRIBUTING": "Contributing",
    "CONVENTIONS": "Conventions",
    "SECURITY": "Security",
    "CHANGELOG": "Changes",
}


def write(path: str, text: str) -> None:
    """Write a page of the site."""
    with mkdocs_gen_files.open(path, "w") as file:
        file.write(text)


def cell(value: Any) -> str:
    """A value within a table of Markdown."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")


def library_pages() -> dict[str, str]:
    """One page for each room of the library."""
    pages = {}
    rooms = sorted({path.relative_to(LIBRARY / "rlvr").parts[0].removesuffix(".py") for path in public_modules()})
    for room in rooms:
        modules = [
            path for path in public_modules() if path.relative_to(LIBRARY / "rlvr").parts[0].removesuffix(".py") == room
        ]
        names = [
            ".".join(path.relative_to(LIBRARY).with_suffix("").parts).removesuffix(".__init__") for path in modules
        ]
        page = f"reference/library/{room}.md"
        write(page, f"# rlvr.{room}\n\n" + "\n\n".join(f"::: {name}" for name in names) + "\n")
        pages[f"rlvr.{room}"] = page
    return pages


def public_modules() -> list[Path]:
    """Modules of the library with something to say: private ones, entry points and empty packages are left out."""
    found = sorted((LIBRARY / "rlvr").rglob("*.py"))
    return [
        path
        for path in found
        if path.stem != "__main__" and path != LIBRARY / "rlvr" / "__init__.py" and says_something(path)
    ]


def says_something(path: Path) -> bool:
    """Whether a module has a docstring and a definition that is not private."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return ast.get_docstring(tree) is not None and any(not name.startswith("_") for name in named)


def schema_pages() -> dict[str, str]:
    """One page for each schema of what a user writes: every key with its type and description."""
    pages = {}
    for path in sorted((ROOT / "workflow" / "schemas").glob("*.schema.yaml")):
        schema = yaml.safe_load(path.read_text(encoding="utf-8"))
        rows = [
            f"| `{key}` | {cell(kind)} | {cell(text)} |" for key, kind, text in keys_of(schema, schema.get("$defs", {}))
        ]
        name = path.name.removesuffix(".schema.yaml")
        table = "\n".join(["| key | type | what it says |", "|---|---|---|", *rows])
        write(f"reference/files/{name}.md", f"# {name}\n\n{schema.get('description', '')}\n\n{table}\n")
        pages[name] = f"reference/files/{name}.md"
    return pages


def keys_of(schema: Mapping[str, Any], shared: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Dotted name, type and description of every key of a schema, nested ones below their parent."""
    for name, entry in schema.get("properties", {}).items():
        yield from key_of(f"{prefix}{name}", entry, shared)
    for place in ("additionalProperties", "items"):
        nested = schema.get(place)
        if isinstance(nested, Mapping):
            inner = f"{prefix}<name>" if place == "additionalProperties" else f"{prefix.removesuffix('.')}[]"
            yield from key_of(inner, nested, shared)
    for branch in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        if "properties" in branch:
            yield from keys_of(branch, shared, prefix)


def key_of(name: str, entry: Any, shared: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """A key and those below it."""
    if not isinstance(entry, Mapping):
        return
    resolved = {**shared.get(str(entry.get("$ref", "")).rpartition("/")[2], {}), **entry}
    if resolved.get("description") or not {"properties", "items", "additionalProperties"} & set(resolved):
        yield name, kind_of(resolved), str(resolved.get("description", ""))
    if "$ref" not in entry:
        yield from keys_of(resolved, shared, f"{name}.")


def kind_of(entry: Mapping[str, Any]) -> str:
    """Type of a key in words."""
    if "const" in entry:
        return f"`{entry['const']}`"
    if "enum" in entry:
        return "one of " + ", ".join(f"`{value}`" for value in entry["enum"])
    kind = entry.get("type", "")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def command_page() -> str:
    """The help of every command, as a terminal of 100 characters shows it."""
    parts = ["# Options of the command `rlvr`\n"]
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    for name in COMMANDS:
        command = [sys.executable, "-m", "rlvr.cli", name, "--help"]
        text = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
        parts.append(f"## {name}\n\n```text\n{text.strip().replace('python -m rlvr.cli', 'rlvr')}\n```\n")
    write("reference/commands.md", "\n".join(parts))
    return "reference/commands.md"


def inventory_pages() -> dict[str, str]:
    """One page per paper: its statements with the verdicts of today's audit, its claims with those of the results."""
    records, titles = audit_studies(ROOT / "workflow" / "studies", (), ROOT / "data" / "configs")
    pages, rows = {}, []
    for study in sorted({record["study"] for record in records}):
        own = [record for record in records if record["study"] == study]
        statements = demoted(to_markdown(own, titles).partition("\n")[2].replace("<", "&lt;"))
        parts = [f"# {titles[study]}", claims_text(study), "## Statements against what is printed", statements]
        write(f"papers/{study}.md", "\n\n".join(parts))
        pages[titles[study]] = f"papers/{study}.md"
        counts = Counter(str(record["verdict"]) for record in own)
        found = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        rows.append(f"| [{cell(titles[study])}]({study}.md) | {len(own)} | {cell(found)} |")
    head = (
        "# The papers' inventory\n\nEvery statement that is checked, with the verdict of the day the site was built; "
        "claims with those of the results that lay in the checkout then.\n\n"
        "| paper | statements | verdicts of the audit |\n|---|--:|---|\n"
    )
    write("papers/index.md", head + "\n".join(rows) + "\n")
    return {"Overview": "papers/index.md", **pages}


def demoted(text: str) -> str:
    """Markdown with its headings two levels lower."""
    return re.sub(r"^(#+)", r"#\1", text, flags=re.MULTILINE)


def claims_text(study: str) -> str:
    """The claims of a study as judged by the results of the checkout, or that there are none."""
    parts = ["## Claims", ""]
    found = sorted((ROOT / "results").glob(f"*/paper/{study}/claims.json"))
    for path in found:
        claims = json.loads(path.read_text(encoding="utf-8"))["claims"]
        parts += [f"Scale `{path.parents[2].name}`:", "", "| claim | where | verdict |", "|---|---|---|"]
        parts += [f"| {cell(each['sentence'])} | {cell(each['where'])} | {cell(each['verdict'])} |" for each in claims]
        parts.append("")
    if not found:
        declared = ROOT / "workflow" / "studies" / study / "claims.yaml"
        content = yaml.safe_load(declared.read_text(encoding="utf-8"))["claims"] if declared.is_file() else {}
        judged = "No results lay in the checkout: claims are listed without a verdict."
        parts += [judged, "", "| claim | where |", "|---|---|"] if content else ["No claims are declared."]
        parts += [f"| {cell(each['sentence'])} | {cell(each['where'])} |" for each in content.values()]
    return "\n".join(parts)


def root_pages() -> dict[str, str]:
    """Pages that lie at the root of the repository, with their links turned to the site."""
    pages = {}
    for name, title in AT_THE_ROOT.items():
        text = (ROOT / f"{name}.md").read_text(encoding="utf-8")
        write(f"project/{name}.md", re.sub(r"\]\(docs/", "](../", text))
        pages[title] = f"project/{name}.md"
    return pages


def navigation(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """The navigation as mkdocs-literate-nav reads it."""
    lines = []
    for section, pages in sections.items():
        lines.append(f"* {section}")
        for title, page in pages.items():
            if isinstance(page, Mapping):
                lines.append(f"    * {title}")
                lines += [f"        * [{name}]({place})" for name, place in page.items()]
            else:
                lines.append(f"    * [{title}]({page})")
    return "\n".join(lines) + "\n"


STYLE = """
.md-typeset table:not([class]) { display: block; overflow-x: auto; }
.md-typeset table:not([class]) td { min-width: 5rem; overflow-wrap: anywhere; }
.md-typeset h1, .md-typeset h2, .md-typeset h3 { overflow-wrap: anywhere; }
"""
ADDRESSES = re.compile(r"\]\(\.\./(SECURITY|CONTRIBUTING|CONVENTIONS|CHANGELOG)\.md")

for page in sorted((ROOT / "docs").glob("*.md")):
    text = page.read_text(encoding="utf-8")
    if ADDRESSES.search(text):
        write(page.name, ADDRESSES.sub(r"](project/\1.md", text))
write("site.css", STYLE)
write(
    "index.md",
    (ROOT / "docs" / "start.md").read_text(encoding="utf-8").replace("# Start", "# Which adapter for RLVR?", 1),
)
write(
    "SUMMARY.md",
    navigation(
        {
            "Start": {"Home": "index.md", **GUIDES["Start"]},
            "Tutorials": GUIDES["Tutorials"],
            "Guides": GUIDES["Guides"],
            "Papers": inventory_pages(),
            "Reference": {
                "The command": command_page(),
                "Files that users write": schema_pages(),
                "Library": library_pages(),
            },
            "Project": root_pages(),
        }
    ),
)
