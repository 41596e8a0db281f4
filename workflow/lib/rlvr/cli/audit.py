"""``rlvr audit``: which statements of the papers do not follow from what they print."""

from pathlib import Path
from typing import Annotated

import typer

from rlvr.cli.console import AsJson, examples, need, print_json
from rlvr.core.places import shared_root

EXAMPLES = examples(
    "rlvr audit",
    "rlvr audit structure-over-scale --json",
    "rlvr audit --studies my-studies/ --out audit.csv",
)


def audit(
    names: Annotated[list[str] | None, typer.Argument(help="Studies; all by default.", metavar="[STUDY]...")] = None,
    studies: Annotated[Path | None, typer.Option(help="Folder of studies; by default those of the package.")] = None,
    target: Annotated[Path | None, typer.Option("--out", help="Write every statement: .csv, .json or .md.")] = None,
    as_json: AsJson = False,
) -> None:
    """Re-derive the papers' statements from the numbers that they print; no run, no download, no torch."""
    need("audit", "scipy")
    from rlvr.core.io import atomic_path
    from rlvr.report.audit.files import as_text, audit_studies, to_summary

    root = shared_root()
    records, titles = audit_studies(studies or root / "workflow" / "studies", names or (), root / "data" / "configs")
    if target is not None:
        text = as_text(records, titles, target.suffix, f"--out {target}")
        with atomic_path(target) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if as_json:
        print_json(records)
    else:
        typer.echo(to_summary(records, titles), nl=False)
