r"""The content of the last ``\boxed{...}``: shared by the readers of gold solutions and by the graders.

``last_boxed`` reads braces and nothing else; ``last_box`` reads boxes as people and models write them.
"""

import re

# `\\.` swallows \{, \} and every other command's first character, so that an escaped brace never changes the depth.
# Completions that went through one escaping too many write \\boxed: it opens a box as well.
BRACE = re.compile(r"\\.|\{|\}", re.DOTALL)
OPENING = re.compile(r"\\boxed\s*\{")

MOST_BLANKS = 8  # empty boxes that are passed over on the way to an answer
BLANK = re.compile(r"(?:[\s~\u2026\u200b-\u200d\ufeff]|\\[ ,;:!]|\\(?:q?quad|[lc]?dots)\b|\.{2,}+)*")
BLANK_BOX = re.compile(r"\\boxed\s*\{\s*\}")

# A box without braces: what its value begins with, what ends it, and what belongs to it.
LONGEST_UNBRACED = 400  # characters
BRACKET = r"[(\[](?=\s*(?:[-+\u2212]?\s*[\d.\\(\[]|[a-zA-Z]\s*[,)\]=+*/^_-]))"  # of a formula, not of a remark
STARTS_VALUE = re.compile(
    rf"[-+\u2212\u00b1]?[ \t]?(?:\.?\d|[\u221a\u03c0\u221e]|{BRACKET}|\\\{{|\\(?!boxed)[a-zA-Z])"
    r"|[-+\u2212\u00b1]?[a-zA-Z](?=[ \t]*(?:$|\n|\$|\\[)\]])|[.,;:)*=+^_/-])"
)
TOKEN = re.compile(r"\\begin\b|\\end\b|\\[a-zA-Z]+|\\.|\s+|<[|/]|.", re.DOTALL)
OPENERS, CLOSERS = frozenset(("{", "(", "[", r"\{", r"\begin")), frozenset(("}", ")", "]", r"\}", r"\end"))
STOPS = frozenset(("$", r"\)", r"\]", r"\boxed", "<|", "</"))
ARGUMENTS = {rf"\{name}": 2 for name in ("frac", "dfrac", "tfrac", "cfrac", "binom")} | {
    rf"\{name}": 1 for name in ("sqrt", "text", "mathrm", "mathbf", "textbf", "left", "right", "pm")
}
TRAILING = ".,;:!?*'\"\u3002\uff0c\uff1b\uff01"
WORDS_IN_FORMULA = re.compile(r"\\(?:text|mathrm|mbox)\b")  # an empty box that a formula speaks of is its last word
VISIBLE = re.compile(r"[^\W_]|[\u221a\u221e]|\\[a-zA-Z]")


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


def last_box(text: str) -> str | None:
    r"""The answer in a text's last box, however the box is written.

    Beside ``\boxed{7}`` people and models write ``\boxed 7``, ``\boxed7`` and ``\boxed\frac12``; and after their answer
    they repeat the instruction, ``(inside \boxed{})``. A box without braces holds the token behind it: a number, a
    command with its arguments, a bracket with its content, or one letter that no word follows. An empty box counts only
    where no other box does.

    Args:
        text: Any text; braces need not balance. The time is linear in its length.

    Returns:
        The content, unstripped; blank where all boxes are; ``None`` without a box.
    """
    blank: str | None = None
    first_blank: int | None = None  # where the earliest of the passed boxes opens
    start = end = len(text)
    skipped = 0
    while (start := text.rfind(r"\boxed", 0, start)) >= 0 and skipped < MOST_BLANKS:
        if not (opening := OPENING.match(text, start)):
            if (value := _unbraced(text, start + len(r"\boxed"))) is not None:
                return value
            continue
        if (closing := _closing_brace(text, opening.end(), end)) is None:
            end = start
            continue
        content = text[opening.end() : closing]
        if skipped:
            content = BLANK_BOX.sub("", content)
        if not BLANK.fullmatch(content):
            in_one_formula = first_blank is not None and WORDS_IN_FORMULA.search(text, closing, first_blank)
            return blank if in_one_formula else content
        first_blank = start
        blank = content if blank is None else blank
        skipped += 1
    return blank


def opens_last_box(text: str) -> bool:
    """Whether the last box that a text opens with a brace is still open at its end."""
    start = len(text)
    while (start := text.rfind(r"\boxed", 0, start)) >= 0:
        if opening := OPENING.match(text, start):
            return _closing_brace(text, opening.end(), len(text)) is None
    return False


def _unbraced(text: str, start: int) -> str | None:
    """The token behind a box without braces, or ``None`` where the box is only spoken of."""
    while text[start : start + 1] in (" ", "\t", "~"):
        start += 1
    stop = start + LONGEST_UNBRACED
    if not STARTS_VALUE.match(text, start):
        return None
    depth, place, wanted = 0, start, 0
    for token in TOKEN.finditer(text, start, stop):
        found, place = token[0], token.start()
        if found in STOPS or (found.isspace() and not (depth or wanted)) or "\n\n" in found:
            break
        if found in CLOSERS:
            if not depth:
                break
            depth -= 1
        depth += found in OPENERS
        if found in ARGUMENTS:
            wanted += ARGUMENTS[found]
        elif wanted and not depth and not found.isspace():
            wanted -= 1
        place = token.end()
    value = text[start:place].rstrip(TRAILING)
    return value if not depth and VISIBLE.search(value) else None
