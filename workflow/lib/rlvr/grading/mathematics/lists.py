r"""Answers of several entries: where they are divided, and whether they are the same entry by entry."""

import re
from collections.abc import Callable

OPENING, CLOSING = "([{", ")]}"
ORDERED = ("()", "[]", "(]", "[)")  # points and intervals
SIZED_BRACKET = re.compile(r"\\(?:left|right|[bB]igg?[lr]?)\s*(?=[()\[\]]|\\[{}])")
AMBIGUOUS_COMMA = re.compile(r"\d,(?:\\!)?\d{3}(?!\d)")  # thousands, or two numbers
OUTER = re.compile(r"(\(|\[|\\\{)(.*)(\)|\]|\\\})", re.DOTALL)


def split_top_level(text: str, separators: str = ",") -> list[str]:
    """Parts between the separators that stand outside all brackets, stripped; linear in the length of the text."""
    parts, start, depth, place = [], 0, 0, 0
    while place < len(text):
        character = text[place]
        if character == "\\":
            character = text[place + 1 : place + 2]  # \{ and \} are brackets, too; \, and \; separate nothing
            depth += (character == "{") - (character == "}")
            place += 2
            continue
        depth += (character in OPENING) - (character in CLOSING)
        if depth == 0 and character in separators:
            parts.append(text[start:place].strip())
            start = place + 1
        place += 1
    return [*parts, text[start:].strip()]


def unwrap(text: str) -> tuple[str, str, str]:
    r"""Outer brackets (``(``, ``[``, ``\{``; half-open intervals mix them) and what they hold.

    Returns:
        Opening bracket, content, closing bracket; the brackets are empty where there are none around the whole.
    """
    plain = SIZED_BRACKET.sub("", text).strip()
    outer = OUTER.fullmatch(plain)
    if outer and _closes_at_end(plain, outer.start(2)):
        return outer[1], outer[2].strip(), outer[3]
    return "", plain, ""


def _closes_at_end(text: str, start: int) -> bool:
    """Whether the bracket opened before ``start`` is the one that the text ends with."""
    depth = 1
    for place in range(start, len(text)):
        depth += (text[place] in OPENING) - (text[place] in CLOSING)
        if depth == 0:
            return place == len(text) - 1
    return False


def same_entries(first: str, second: str, same: Callable[[str, str], bool | None]) -> bool | None:
    r"""Whether two lists hold the same entries in the same order and brackets; ``None`` if that is not sure.

    Entries of sets and of bare lists have no order: unless they are the same one by one, the full comparison decides.
    """
    if AMBIGUOUS_COMMA.search(first) or AMBIGUOUS_COMMA.search(second):
        return None
    (opened, inner, closed), (other_opened, other_inner, other_closed) = unwrap(first), unwrap(second)
    entries, others = split_top_level(inner), split_top_level(other_inner)
    ordered = all(pair in ORDERED for pair in (opened + closed, other_opened + other_closed))
    same_brackets = (opened, closed) == (other_opened, other_closed)
    if not (ordered or same_brackets) or len(entries) != len(others) or len(entries) < 2:
        return None
    found = [same(one, other) for one, other in zip(entries, others, strict=True)]
    if same_brackets and all(found):
        return True
    return False if ordered and None not in found else None
