r"""The content of the last ``\boxed{...}``: shared by the readers of gold solutions and by the graders."""

import re

# `\\.` swallows \{, \} and every other command's first character, so that an escaped brace never changes the depth.
# Completions that went through one escaping too many write \\boxed: it opens a box as well.
BRACE = re.compile(r"\\.|\{|\}", re.DOTALL)
OPENING = re.compile(r"\\boxed\s*\{")


def last_boxed(text: str) -> str | None:
    r"""Content of the last complete ``\boxed{...}`` of a text, in time linear in its length.

    "Last" is by where a box opens: of nested boxes the inner one counts. A box that is never closed (a completion cut
    at its token limit) is passed over in favour of the last one that is; a stray ``}`` is ignored.

    Args:
        text: Any text; braces need not balance.

    Returns:
        What stands between the braces, unstripped (possibly empty), or ``None`` when no box is complete.
    """
    start = end = len(text)
    while (start := text.rfind(r"\boxed", 0, start)) >= 0:
        if not (opening := OPENING.match(text, start)):
            continue
        if (closing := _closing_brace(text, opening.end(), end)) is not None:
            return text[opening.end() : closing]
        end = start  # what opens before a box that never closes can only close before it: no place is read twice
    return None


def _closing_brace(text: str, start: int, end: int) -> int | None:
    """Where the brace that was opened before ``start`` is closed, if that is before ``end``."""
    first = text.find("}", start, end)
    if first < 0 or (text.find("{", start, first) < 0 and text.find("\\", start, first) < 0):
        return first if first >= 0 else None  # nothing to count: megabytes take no longer than a word
    depth = 1
    for token in BRACE.finditer(text, start, end):
        if token[0] == "{":
            depth += 1
        elif token[0] == "}":
            depth -= 1
            if depth == 0:
                return token.start()
    return None
