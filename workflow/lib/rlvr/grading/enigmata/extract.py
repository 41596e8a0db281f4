"""Where an answer stands in a completion: three scanners, each linear in the length of the text.

SOURCE: the texts that the released verifiers accept, by recorded verdicts; their own patterns take quadratic time.
"""

FENCE = "```"
BOARD_OPEN, BOARD_CLOSE = "<begin_board>", "<end_board>"


def last_block(text: str) -> str | None:
    """Body of the last fenced block; where there is none, of the last pair of fences on whatever lines.

    What follows an opening fence on its line is not part of the body, and fences pair from the left: an odd one before
    the answer spoils it, an unclosed one holds nothing.
    """
    body = last_fenced(text)
    return last_inline(text) if body is None else body


def last_fenced(text: str) -> str | None:
    """Body of the last block whose opening fence ends its line (a language's name may follow the fence)."""
    body, opened = None, text.find(FENCE)
    while opened >= 0:
        line_end = text.find("\n", opened + len(FENCE))
        closed = text.find(FENCE, line_end + 1) if line_end >= 0 else -1
        if closed < 0:
            break
        body = text[line_end + 1 : closed].strip()
        opened = text.find(FENCE, closed + len(FENCE))
    return body


def last_inline(text: str) -> str | None:
    """Text between the last two fences that pair from the left; ``None`` where there is no pair."""
    return _last_between(text, FENCE, FENCE)


def last_board(text: str) -> str | None:
    """Text between the last pair of board tags; ``None`` where there is no pair."""
    return _last_between(text, BOARD_OPEN, BOARD_CLOSE)


def _last_between(text: str, opening: str, closing: str) -> str | None:
    body, opened = None, text.find(opening)
    while opened >= 0:
        start = opened + len(opening)
        closed = text.find(closing, start)
        if closed < 0:
            break
        body = text[start:closed].strip()
        opened = text.find(opening, closed + len(closing))
    return body


def last_table(text: str) -> str | None:
    """The rows of the last table of cells between bars; blank lines may stand between rows, nothing after a row."""
    table: list[str] = []
    goes_on = False
    for line in text.split("\n"):
        if goes_on and not line.strip():
            continue
        first, last = line.find("|"), line.rfind("|")
        if first == last:
            goes_on = False
            continue
        table = table if goes_on and not line[:first].strip() else []
        table.append(line[first : last + 1])
        goes_on = last == len(line) - 1
    return "\n".join(table) or None
