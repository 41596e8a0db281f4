"""The PDF: a Typst document that reads generated files and types no number of its own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.escaping import visible_texts
from rlvr.core.io import atomic_path


@dataclass(frozen=True)
class PaperFiles:
    """Files that the document reads: ``numbers.json``, verdicts, tables as JSON and figures as PDF."""

    numbers: str
    claims: str
    audit: str
    tables: Sequence[str]
    figures: Sequence[str]

    def as_inputs(self) -> dict[str, str]:
        """Absolute paths by name, lists as JSON objects from file stem to path; Typst's inputs are texts."""
        single = {name: str(Path(getattr(self, name)).resolve()) for name in ("numbers", "claims", "audit")}
        several = {
            name: json.dumps({Path(path).stem: str(Path(path).resolve()) for path in getattr(self, name)})
            for name in ("tables", "figures")
        }
        return single | several


def compile_paper(
    main_path: str, files: PaperFiles, study: Mapping[str, Any], captions: Mapping[str, str], pdf_path: str
) -> None:
    """Compile the document.

    Args:
        main_path: The study's ``paper.typ``, or ``paper/general.typ``.
        files: What it reads.
        study: ``name``, ``title`` and ``citation`` of the study; ``data_figures``: figures that show a data set only.
        captions: Captions of the figures by name; tables carry theirs.
        pdf_path: Where the PDF goes.

    Raises:
        InputError: If Typst refuses the document; its message names file and line.
    """
    import typst

    texts = {"study": json.dumps(visible_texts(study)), "captions": json.dumps(visible_texts(captions))}
    inputs = {**files.as_inputs(), **texts}
    try:
        document = typst.compile(str(Path(main_path).resolve()), root="/", sys_inputs=inputs)
    except typst.TypstError as error:
        raise InputError(
            main_path, f"Typst refused it: {error}.", "Correct the line that the message names."
        ) from error
    with atomic_path(pdf_path) as temporary:
        temporary.write_bytes(document)
