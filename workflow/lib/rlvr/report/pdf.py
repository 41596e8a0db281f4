"""The PDF: a Typst document that reads generated files and types no number of its own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.escaping import visible_texts
from rlvr.core.io import atomic_path
from rlvr.core.provenance import repository_state, source_time

COMMIT_DIGITS = 12
INTERNAL = "internal error"  # of Typst itself, not of a document


@dataclass(frozen=True)
class PaperFiles:
    """Files that the document reads: ``numbers.json``, verdicts, remarks, tables as JSON and figures as PDF."""

    numbers: str
    claims: str
    audit: str
    tags: str
    tables: Sequence[str]
    figures: Sequence[str]

    def as_inputs(self) -> dict[str, str]:
        """Absolute paths by name, lists as JSON objects from file stem to path; Typst's inputs are texts."""
        single = {name: str(Path(getattr(self, name)).resolve()) for name in ("numbers", "claims", "audit", "tags")}
        several = {
            name: json.dumps({Path(path).stem: str(Path(path).resolve()) for path in getattr(self, name)})
            for name in ("tables", "figures")
        }
        return single | several


def document_inputs(files: PaperFiles, study: Mapping[str, Any], captions: Mapping[str, str]) -> dict[str, str]:
    """What the document is given, as texts by name.

    Args:
        files: What it reads.
        study: ``name``, ``title`` and ``citation`` of the study, ``names`` of what it shows by key, and of the call
            ``comparable`` (whether its scale is) and ``tier``.
        captions: Captions of the figures by name; tables carry theirs.
    """
    state = repository_state()
    commit = str(state["commit"] or "unknown")[:COMMIT_DIGITS] + (" with local changes" if state["dirty"] else "")
    facts = {**study, "commit": commit}
    return {
        **files.as_inputs(),
        "study": json.dumps(visible_texts(facts)),
        "captions": json.dumps(visible_texts(captions)),
    }


def typeset(main_path: str, inputs: dict[str, str]) -> bytes:
    """The PDF of a document; its dates are those of the sources, so that equal inputs give equal bytes.

    Typst 0.15 ends in an internal error where a page breaks at an unlucky place of its tree of tags ("parent group");
    Python cannot turn tags off: the lower margin is then made up to 4 mm wider, which breaks pages elsewhere.

    Raises:
        TypstError: If Typst refuses it, whatever the margin.
    """
    import typst

    made = source_time()
    for nudge in range(5):
        try:
            nudged = {**inputs, "nudge": str(nudge)}
            return bytes(typst.compile(main_path, root="/", sys_inputs=nudged, timestamp=made))
        except typst.TypstError as error:
            if INTERNAL not in str(error) or nudge == 4:
                raise
    raise AssertionError("the last margin returns or raises")


def compile_paper(
    main_path: str, files: PaperFiles, study: Mapping[str, Any], captions: Mapping[str, str], pdf_path: str
) -> None:
    """Compile the document.

    Args:
        main_path: The study's ``paper.typ``, or ``paper/general.typ``.
        files: What it reads.
        study: Facts of the study and of the call, as :func:`document_inputs` takes them.
        captions: Captions of the figures by name.
        pdf_path: Where the PDF goes.

    Raises:
        InputError: If Typst refuses the document; its message names file and line.
    """
    import typst

    inputs = document_inputs(files, study, captions)
    try:
        document = typeset(str(Path(main_path).resolve()), inputs)
    except typst.TypstError as error:
        raise InputError(
            main_path, f"Typst refused it: {error}.", "Correct the line that the message names."
        ) from error
    with atomic_path(pdf_path) as temporary:
        temporary.write_bytes(document)
