r"""The content of the last ``\boxed{...}``: shared by the readers of gold solutions and by the graders."""

import re

# Up to two backslashes: completions that went through one escaping too many write \\boxed. `\\.` swallows \{, \} and
# every other command's first character, so that an escaped brace never changes the depth.
TOKEN = re.compile(r"(?P<box>\\{1,2}boxed\s*\{)|\\.|(?P<open>\{)|(?P<close>\})", re.DOTALL)


def last_boxed(text: str) -> str | None:
    r"""Content of the last complete ``\boxed{...}`` of a text, in time linear in its length.

    "Last" is by where a box opens: of nested boxes the inner one counts. A box that is never closed (a completion cut
    at its token limit) is passed over in favour of the last one that is; a stray ``}`` is ignored.

    Args:
        text: Any text; braces need not balance.

    Returns:
        What stands between the braces, unstripped (possibly empty), or ``None`` when no box is complete.
    """
    open_boxes: list[int | None] = []  # for every open brace: where its box's content starts, None for a plain brace
    last: tuple[int, int] | None = None
    for token in TOKEN.finditer(text):
        if token["box"]:
            open_boxes.append(token.end())
        elif token["open"]:
            open_boxes.append(None)
        elif token["close"] and open_boxes:
            start = open_boxes.pop()
            if start is not None and (last is None or start > last[0]):
                last = (start, token.start())
    return None if last is None else text[slice(*last)]
